import type { Unit } from '../model/format.ts';
import type { MetricSummary } from '../model/report.ts';
import { createHistogram, encodeValues, type Histogram } from './histogram.ts';
import { Numbers } from './numbers.ts';
import { percentileOf } from './percentile.ts';

/** Up to this many values are kept, so that percentiles are exact; above it a histogram is used. */
const SAMPLE_LIMIT = 20_000;

/** Collects the values of one metric in one cell, in bounded memory. */
export interface Distribution {
  readonly n: number;
  /** False, and nothing is counted, for NaN, infinite and negative values. */
  add(value: number): boolean;
  /** Null if there is no value: an empty distribution is never 0. */
  summary(): MetricSummary | null;
}

/** Rounds to six decimals, to remove floating-point noise from JSON. */
export function tidy(value: number): number {
  return Math.abs(value) < 1e9 ? Math.round(value * 1e6) / 1e6 : value;
}

/** An empty distribution. `sampleLimit` defaults to 20,000. */
export function createDistribution(unit: Unit, sampleLimit: number = SAMPLE_LIMIT): Distribution {
  let samples: Numbers | undefined = new Numbers();
  let histogram: Histogram | undefined;
  let n = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = 0;
  let mean = 0;
  // Welford's sum of squared deviations: the difference of the mean of squares and the square of the mean would lose the
  // digits of a small deviation.
  let squares = 0;

  return {
    get n() {
      return n;
    },
    add(raw) {
      if (!Number.isFinite(raw) || raw < 0) return false;
      const value = tidy(raw);
      n += 1;
      min = Math.min(min, value);
      max = Math.max(max, value);
      const before = value - mean;
      mean += before / n;
      squares += before * (value - mean);
      if (samples && samples.length < sampleLimit) {
        samples.push(value);
        return true;
      }
      if (!histogram) {
        histogram = createHistogram(unit);
        for (const sample of samples ?? []) histogram.add(sample);
        samples = undefined;
      }
      histogram.add(value);
      return true;
    },
    summary() {
      if (n === 0) return null;
      const sorted = samples?.sorted();
      const at = (q: number) => tidy(sorted ? percentileOf(sorted, q) : (histogram?.percentile(q) ?? max));
      const summary: MetricSummary = {
        unit,
        n,
        min,
        mean: tidy(mean),
        sd: n > 1 ? tidy(Math.sqrt(Math.max(0, squares) / (n - 1))) : 0,
        p50: at(0.5),
        p90: at(0.9),
        p95: at(0.95),
        p99: at(0.99),
        max,
        histogram: histogram ? histogram.encode() : encodeValues(samples ?? [], unit),
      };
      if (samples) summary.samples = [...samples];
      return summary;
    },
  };
}

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
  return new CollectedValues(unit, sampleLimit);
}

// A class: variables of a closure would allocate memory for each fraction that is assigned to them.
class CollectedValues implements Distribution {
  n = 0;
  private readonly unit: Unit;
  private readonly sampleLimit: number;
  private samples: Numbers | undefined = new Numbers();
  private histogram: Histogram | undefined;
  private min = Number.POSITIVE_INFINITY;
  private max = 0;
  private mean = 0;
  // Welford's sum of squared deviations: the difference of the mean of squares and the square of the mean would lose the
  // digits of a small deviation.
  private squares = 0;

  constructor(unit: Unit, sampleLimit: number) {
    this.unit = unit;
    this.sampleLimit = sampleLimit;
  }

  /** HOT PATH: called for every gap of every record. */
  add(raw: number): boolean {
    if (!Number.isFinite(raw) || raw < 0) return false;
    const value = tidy(raw);
    this.n += 1;
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    const before = value - this.mean;
    this.mean += before / this.n;
    this.squares += before * (value - this.mean);
    if (this.samples !== undefined && this.samples.length < this.sampleLimit) this.samples.push(value);
    else this.toHistogram().add(value);
    return true;
  }

  summary(): MetricSummary | null {
    const { unit, n, min, max, samples, histogram } = this;
    if (n === 0) return null;
    const sorted = samples?.sorted();
    const at = (q: number) => tidy(sorted ? percentileOf(sorted, q) : (histogram?.percentile(q) ?? max));
    const summary: MetricSummary = {
      unit,
      n,
      min,
      mean: tidy(this.mean),
      sd: n > 1 ? tidy(Math.sqrt(Math.max(0, this.squares) / (n - 1))) : 0,
      p50: at(0.5),
      p90: at(0.9),
      p95: at(0.95),
      p99: at(0.99),
      max,
      histogram: histogram ? histogram.encode() : encodeValues(samples ?? [], unit),
    };
    if (samples) summary.samples = [...samples];
    return summary;
  }

  /** The histogram, which takes over the samples when it is created. */
  private toHistogram(): Histogram {
    if (this.histogram !== undefined) return this.histogram;
    const histogram = createHistogram(this.unit);
    for (const sample of this.samples ?? []) histogram.add(sample);
    this.samples = undefined;
    this.histogram = histogram;
    return histogram;
  }
}

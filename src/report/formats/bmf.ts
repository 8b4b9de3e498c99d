import type { Report } from '../../model/report.ts';
import { jsonText } from '../../model/visible.ts';
import { trackedFigures } from './tracked-figures.ts';

interface Metric {
  value: number;
  lower_value?: number;
  upper_value?: number;
}

/**
 * Bencher Metric Format, for `bencher run --adapter json`: a benchmark for each cell (`flash/short/c4/streaming`), a
 * measure for each figure (`ttft.p95 (ms)`: the format has no other place for the unit), with its 90 % interval.
 */
export function bmfReport(report: Report): string {
  const benchmarks: Record<string, Record<string, Metric>> = {};
  for (const { cell, name, unit, value, range } of trackedFigures(report)) {
    const measures = benchmarks[cell] ?? {};
    benchmarks[cell] = measures;
    measures[`${name} (${unit})`] = range
      ? { value, lower_value: range.low, upper_value: range.high }
      : { value };
  }
  return `${jsonText(benchmarks, 2)}\n`;
}

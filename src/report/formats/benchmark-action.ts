import type { Report } from '../../model/report.ts';
import { jsonText } from '../../model/visible.ts';
import { trackedFigures } from './tracked-figures.ts';

/**
 * JSON for github-action-benchmark with `tool: customSmallerIsBetter`. As the name says, only figures of which less is
 * better: instead of tokens a second it has the time per token, and the shares of requests that failed.
 */
export function benchmarkActionReport(report: Report): string {
  const entries = trackedFigures(report)
    .filter(({ better }) => better === 'lower')
    .map(({ cell, name, unit, value, range, n }) => ({
      name: `${cell}/${name}`,
      unit,
      value,
      ...(range ? { range: `${range.low} to ${range.high}` } : {}),
      extra: `of ${n} ${n === 1 ? 'value' : 'values'}`,
    }));
  return `${jsonText(entries, 2)}\n`;
}

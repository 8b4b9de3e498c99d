import { metric } from '../../../metrics/definitions.ts';
import { decodeHistogram } from '../../../metrics/histogram.ts';
import { rankOf } from '../../../metrics/percentile.ts';
import { DASH, formatCount, formatValue } from '../../../model/format.ts';
import type { CellReport, MetricSummary } from '../../../model/report.ts';
import { type Curve, charted, type DistributionChart } from '../chart.ts';
import type { Figure } from '../page.ts';
import { table } from '../tables.ts';

/** Up to this number of values a curve has all of them. */
const MOST_VALUES = 200;

/** The shares at which longer curves have a value: every percent, and finer towards both ends. */
const GRID = [
  ...[0, 0.001, 0.005],
  ...Array.from({ length: 98 }, (_, index) => (index + 1) / 100),
  ...[0.985, 0.99, 0.9925, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 1],
];

const SHOWN: readonly { name: string; title: string; what: string }[] = [
  { name: 'ttft', title: 'Time to first token', what: 'from the sent request to the first content' },
  { name: 'total', title: 'Total time', what: 'from the sent request to the end of the answer' },
  { name: 'gap', title: 'Gaps', what: 'the time between content events that arrived in different reads' },
];

/** One chart for each metric that has values: how its values are distributed in each cell. */
export function distributionFigures(cells: readonly CellReport[], names: readonly string[]): Figure[] {
  return SHOWN.flatMap(({ name, title, what }) => {
    const { unit } = metric(name);
    const own = cells.flatMap((cell, index) => {
      const summary = cell.metrics[name];
      return summary ? [{ index, summary }] : [];
    });
    if (own.length === 0) return [];
    const chart: DistributionChart = {
      kind: 'distribution',
      label: title,
      unit,
      grid: GRID,
      curves: own.map(({ index, summary }) => curveOf(index, summary)),
    };
    const sampled = chart.curves.filter((curve) => curve.sampled).length;
    const figure: Figure = {
      title,
      summary: `${what[0]?.toUpperCase()}${what.slice(1)}. ${extremes(own, names)}`,
      notes:
        sampled === 0
          ? []
          : [
              `Cells with more than ${MOST_VALUES} values are drawn by ${GRID.length} percentiles of all values.`,
            ],
      chart,
      table: table(
        `${title}, percentiles of each cell`,
        [
          { title: 'cell', align: 'left' },
          { title: 'values', align: 'right' },
          ...PERCENTILES.map((percentile) => ({ title: percentile, align: 'right' as const })),
          { title: 'max', align: 'right' },
        ],
        own.map(({ index, summary }) => [
          names[index] ?? '',
          { text: formatCount(summary.n), order: summary.n },
          ...[...PERCENTILES, 'max' as const].map((statistic) => ({
            text: formatValue(summary[statistic], unit),
            order: summary[statistic],
          })),
        ]),
      ),
    };
    return [figure];
  });
}

const PERCENTILES = ['p50', 'p90', 'p95', 'p99'] as const;

/** The cells with the smallest and the largest median, in a sentence. */
function extremes(
  own: readonly { index: number; summary: MetricSummary }[],
  names: readonly string[],
): string {
  const sorted = [...own].sort((a, b) => a.summary.p50 - b.summary.p50);
  const [least, most] = [sorted[0], sorted.at(-1)];
  const inWords = (one: typeof least) =>
    one === undefined
      ? DASH
      : `${formatValue(one.summary.p50, one.summary.unit)} (p99 ${formatValue(one.summary.p99, one.summary.unit)})`;
  if (least === most) return `Median ${inWords(least)}.`;
  return `Medians from ${inWords(least)} in ${names[least?.index ?? 0]} to ${inWords(most)} in ${names[most?.index ?? 0]}.`;
}

/** The values of one cell, or its percentiles. */
export function curveOf(cell: number, { n, unit, samples, histogram, min, max }: MetricSummary): Curve {
  const sorted = samples && Float64Array.from(samples).sort();
  if (sorted && n <= MOST_VALUES)
    return { cell, n, values: Array.from(sorted, (value) => charted(value, unit)), sampled: false };
  const buckets = sorted ? undefined : decodeHistogram(histogram, unit);
  const at = (share: number) => {
    if (share === 0) return min;
    if (share === 1) return max;
    return sorted ? (sorted[rankOf(share, n) - 1] ?? max) : (buckets?.percentile(share) ?? max);
  };
  return { cell, n, values: GRID.map((share) => charted(at(share), unit)), sampled: true };
}

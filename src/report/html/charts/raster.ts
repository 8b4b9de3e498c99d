import { percentileOf } from '../../../metrics/percentile.ts';
import { formatCount, formatValue } from '../../../model/format.ts';
import type { CellReport } from '../../../model/report.ts';
import { type RasterChart, type RasterRow, tenths } from '../chart.ts';
import type { Figure } from '../page.ts';
import { table } from '../tables.ts';
import { type CellTraffic, MOST_ROWS, type SampledRequest } from '../traffic.ts';

/** Arrivals that all rows together may have. Above it, arrivals that are closer than a stated time are drawn as one. */
const MOST_TICKS = 150_000;

/** The arrivals of single requests, a row for each. */
export function rasterFigure(
  cells: readonly CellReport[],
  names: readonly string[],
  { traffic, seed }: { traffic: readonly (CellTraffic | undefined)[]; seed: number },
): Figure[] {
  const counts = traffic.map((cell) => cell?.requests ?? 0);
  const shares = fairShares(counts, MOST_ROWS);
  const samples = traffic.map((cell, index) => cell?.sample(shares[index] ?? 0) ?? []);
  const requests = counts.reduce((sum, count) => sum + count, 0);
  const shown = samples.reduce((sum, { length }) => sum + length, 0);
  if (shown === 0) return [];
  const outcomes: string[] = [];
  const end = Math.max(...samples.flat().map(lastOf));
  const ticks = samples.flat().reduce((sum, { arrivals }) => sum + arrivals.length, 0);
  const apart = ticks <= MOST_TICKS ? 0 : Math.ceil((tenths(end) * shown) / MOST_TICKS);
  const rows = samples.flatMap((sample, cell) =>
    sample.map((request) => rowOf(request, cell, { outcomes, apart })),
  );
  const chart: RasterChart = { kind: 'raster', rows, outcomes };
  return [
    {
      title: 'Arrivals',
      summary:
        'Each row is a request, from the moment it was sent; each tick is content that arrived. A real stream is a row of ticks that begins early. A fake one is empty until the whole answer is there: then one block, or an even row of ticks.',
      notes: [
        shown < requests
          ? `${formatCount(shown)} of ${formatCount(requests)} requests, a random sample (seed ${seed}) spread evenly over the cells.`
          : `All requests: ${formatCount(requests)}.`,
        ...(apart > 0 ? [`Content that arrived within ${formatValue(apart / 10, 'ms')} is one tick.`] : []),
      ],
      chart,
      table: table(
        'Arrivals, the median of the requests shown',
        [
          { title: 'cell', align: 'left' },
          { title: 'requests', align: 'right' },
          { title: 'shown', align: 'right' },
          { title: 'first content', align: 'right' },
          { title: 'last content', align: 'right' },
          { title: 'reads with content', align: 'right' },
          { title: 'verdict', align: 'left' },
        ],
        cells.map((cell, index) => {
          const sample = samples[index] ?? [];
          const time = (of: (request: SampledRequest) => number | undefined) => {
            const middle = median(sample.flatMap((request) => of(request) ?? []));
            return { text: formatValue(middle, 'ms'), order: middle ?? null };
          };
          const reads = median(sample.map(({ arrivals }) => arrivals.length));
          return [
            names[index] ?? '',
            { text: formatCount(counts[index] ?? 0), order: counts[index] ?? 0 },
            { text: formatCount(sample.length), order: sample.length },
            time(({ arrivals }) => arrivals[0]),
            time(({ arrivals }) => arrivals.at(-1)),
            { text: formatValue(reads, 'count'), order: reads ?? null },
            cell.streaming?.verdict.replace('_', ' ') ?? cell.mode,
          ];
        }),
      ),
    },
  ];
}

/** Shares `most` among lists: each gets as many as the others, or all that it has. */
export function fairShares(counts: readonly number[], most: number): number[] {
  const shares = counts.map(() => 0);
  let left = most;
  const open = [...counts.keys()].sort((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0));
  for (const [at, index] of open.entries()) {
    const share = Math.min(counts[index] ?? 0, Math.floor(left / (open.length - at)));
    shares[index] = share;
    left -= share;
  }
  return shares;
}

function lastOf({ arrivals, endMs, firstByteMs }: SampledRequest): number {
  return Math.max(0, arrivals.at(-1) ?? 0, endMs ?? 0, firstByteMs ?? 0);
}

function rowOf(
  { arrivals, firstByteMs, endMs, flush, outcome }: SampledRequest,
  cell: number,
  { outcomes, apart }: { outcomes: string[]; apart: number },
): RasterRow {
  const deltas: number[] = [];
  let last = 0;
  let flushAt: number | undefined;
  for (const [index, arrival] of arrivals.entries()) {
    const at = tenths(arrival);
    if (deltas.length === 0 || at - last > apart) {
      deltas.push(at - last);
      last = at;
    }
    if (index === flush) flushAt = deltas.length - 1;
  }
  return {
    cell,
    arrivals: deltas,
    byte: firstByteMs === undefined ? undefined : tenths(firstByteMs),
    end: endMs === undefined ? undefined : tenths(endMs),
    failed: outcome === 'ok' ? undefined : indexOf(outcome, outcomes),
    flush: flushAt,
  };
}

/** The index of a text in a list, to which it is added if it is new. */
export function indexOf(text: string, texts: string[]): number {
  const found = texts.indexOf(text);
  return found === -1 ? texts.push(text) - 1 : found;
}

function median(values: readonly number[]): number | undefined {
  return values.length === 0
    ? undefined
    : percentileOf(
        values.toSorted((a, b) => a - b),
        0.5,
      );
}

import { formatCount, formatTimeLimit, formatValue } from '../../../model/format.ts';
import { type TimelineChart, tenths } from '../chart.ts';
import type { Figure } from '../page.ts';
import { table } from '../tables.ts';
import { type CellTraffic, MOST_FAILURES, MOST_STALLS } from '../traffic.ts';
import { fairShares, indexOf } from './raster.ts';

/** Points that all cells together may have. */
const MOST_POINTS = 24_000;
const LEAST_BUCKETS = 30;
/** Points of one bucket: its first, its smallest and its largest. */
const POINTS_PER_BUCKET = 3;

/** TTFT of every answer by the time at which its request was sent, with failed requests and stalls. */
export function timelineFigure(
  names: readonly string[],
  traffic: readonly (CellTraffic | undefined)[],
  stallMs: number,
): Figure[] {
  const known = traffic.flatMap((cell, index) => (cell === undefined ? [] : [{ cell, index }]));
  const times = known.flatMap(({ cell }) => [
    ...cell.answers.sentMs,
    ...cell.failures.map((one) => one.sentMs),
  ]);
  if (times.length === 0) return [];
  const [start, end] = times.reduce(([low, high], at) => [Math.min(low, at), Math.max(high, at)], [
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ] as [number, number]);
  const outcomes: string[] = [];
  const failed = firstOf(known, MOST_FAILURES, ({ failures }) => failures);
  const stalled = firstOf(known, MOST_STALLS, ({ stalls }) => stalls);
  const perCell = MOST_POINTS / known.length;
  const chart: TimelineChart = {
    kind: 'timeline',
    start: tenths(start),
    end: tenths(end),
    cells: known.map(({ cell, index }) => ({
      cell: index,
      ...thinned(cell.answers, { start, end, most: perCell }),
    })),
    failures: failed.map(({ index, list }) => ({
      cell: index,
      x: list.map(({ sentMs }) => tenths(sentMs)),
      outcome: list.map(({ outcome }) => indexOf(outcome, outcomes)),
    })),
    outcomes,
    stalls: stalled.map(({ index, list }) => ({
      cell: index,
      x: list.map(({ sentMs }) => tenths(sentMs)),
      y: list.map(({ ttftMs }) => tenths(ttftMs)),
      longest: list.map(({ longestMs }) => tenths(longestMs)),
    })),
  };
  const sum = (of: (cell: CellTraffic) => number) => known.reduce((all, { cell }) => all + of(cell), 0);
  const answers = sum(({ answers }) => answers.sentMs.length);
  const drawn = chart.cells.reduce((all, { x }) => all + x.length, 0);
  const failures = sum((cell) => cell.failures.length + cell.failuresLeftOut);
  const stalls = sum((cell) => cell.stalls.length + cell.stallsLeftOut);
  const notes = [
    drawn < answers
      ? `${formatCount(drawn)} of ${formatCount(answers)} answers: of each short period and cell the first, the fastest and the slowest.`
      : `All answers: ${formatCount(answers)}.`,
  ];
  const marked = { failures: lengthOf(failed), stalls: lengthOf(stalled) };
  if (marked.failures < failures)
    notes.push(`The first ${formatCount(marked.failures)} of ${formatCount(failures)} failures are marked.`);
  if (marked.stalls < stalls)
    notes.push(`The first ${formatCount(marked.stalls)} of ${formatCount(stalls)} stalls are marked.`);
  return [
    {
      title: 'Time to first token over the run',
      summary: `Each point is an answer, at the time its request was sent. ${formatCount(failures)} failed requests (crosses at the top) and ${formatCount(stalls)} answers with a stall of more than ${formatTimeLimit(stallMs)} (triangles).`,
      notes,
      chart,
      table: table(
        'Failures and stalls of each cell',
        [
          { title: 'cell', align: 'left' },
          { title: 'answers', align: 'right' },
          { title: 'failed', align: 'right' },
          { title: 'stalled', align: 'right' },
          { title: 'longest gap', align: 'right' },
        ],
        known.map(({ cell, index }) => {
          const longest = cell.stalls.reduce((most, { longestMs }) => Math.max(most, longestMs), 0);
          return [
            names[index] ?? '',
            ...[
              cell.answers.sentMs.length,
              cell.failures.length + cell.failuresLeftOut,
              cell.stalls.length + cell.stallsLeftOut,
            ].map((count) => ({ text: formatCount(count), order: count })),
            { text: longest === 0 ? 'no stall' : formatValue(longest, 'ms'), order: longest },
          ];
        }),
      ),
    },
  ];
}

interface Share<T> {
  index: number;
  list: T[];
}

/** The first items of each cell, up to `most` of all cells. */
function firstOf<T>(
  known: readonly { cell: CellTraffic; index: number }[],
  most: number,
  of: (cell: CellTraffic) => readonly T[],
): Share<T>[] {
  const shares = fairShares(
    known.map(({ cell }) => of(cell).length),
    most,
  );
  return known.map(({ cell, index }, at) => ({ index, list: of(cell).slice(0, shares[at]) }));
}

function lengthOf(shares: readonly Share<unknown>[]): number {
  return shares.reduce((sum, { list }) => sum + list.length, 0);
}

/** All points where they are few; else of each of many equal periods the first, the smallest and the largest. */
export function thinned(
  { sentMs, ttftMs }: { sentMs: Iterable<number>; ttftMs: Iterable<number> },
  { start, end, most }: { start: number; end: number; most: number },
): { x: number[]; y: number[] } {
  const values = [...ttftMs];
  const points = Array.from(sentMs, (at, index) => ({ at, value: values[index] ?? 0 }));
  const kept = points.length <= most ? points : byPeriod(points, { start, end, most });
  kept.sort((a, b) => a.at - b.at);
  return { x: kept.map(({ at }) => tenths(at)), y: kept.map(({ value }) => tenths(value)) };
}

interface Point {
  at: number;
  value: number;
}

function byPeriod(
  points: readonly Point[],
  { start, end, most }: { start: number; end: number; most: number },
): Point[] {
  const count = Math.max(LEAST_BUCKETS, Math.floor(most / POINTS_PER_BUCKET));
  const buckets = new Map<number, { first: Point; least: Point; largest: Point }>();
  for (const point of points) {
    const key = Math.floor(((point.at - start) / (end - start || 1)) * count);
    const bucket = buckets.get(key);
    if (bucket === undefined) buckets.set(key, { first: point, least: point, largest: point });
    else {
      if (point.at < bucket.first.at) bucket.first = point;
      if (point.value < bucket.least.value) bucket.least = point;
      if (point.value > bucket.largest.value) bucket.largest = point;
    }
  }
  return [...buckets.values()].flatMap(({ first, least, largest }) => [...new Set([first, least, largest])]);
}

import { DASH, formatShare, formatValue } from '../../../model/format.ts';
import type { BlockUtilization } from '../../../model/load-report.ts';
import type { SweepPoint, SweepReport, SweepSearch } from '../../../model/sweep.ts';
import {
  levelOfPoint,
  pointMarks,
  pointsOf,
  searchSentences,
  subjectNames,
  sweepLevel,
  verdictWord,
} from '../../wording/sweep.ts';
import { charted, type Guide, type Line, type Tone, tenths } from '../chart.ts';
import type { Figure } from '../page.ts';
import { table } from '../tables.ts';

/** The load curve of a sweep, and the client's utilization. */

const CURVES = [
  { name: 'ttftP95Ms', title: 'TTFT p95 over load', label: 'TTFT p95', unit: 'ms' },
  { name: 'requestsPerSecond', title: 'Throughput over load', label: 'requests per second', unit: '1/s' },
] as const;

/** Latency and throughput at each load level. */
export function sweepFigures(sweep: SweepReport): Figure[] {
  const names = subjectNames(sweep);
  const label = sweep.by === 'rate' ? 'requests per second, planned' : 'streams at once';
  return CURVES.map(({ name, title, label: value, unit }, at) => ({
    title,
    summary: sweep.searches
      .map(
        (search, index) => `${names[index] ? `${names[index]}: ` : ''}${searchSentences(sweep, search)[0]}.`,
      )
      .join(' '),
    notes: ['Filled marks meet all objectives, crosses do not, rings are not decided.'],
    chart: {
      kind: 'lines',
      x: { label, unit: 'count', log: true },
      y: { label: value, unit, fromZero: true },
      lines: sweep.searches.map(
        (search, index): Line =>
          curve(pointsOf(sweep, search), {
            name: names[index] || 'measured',
            style: index,
            value: (point) => (point[name] === null ? null : charted(point[name], unit)),
          }),
      ),
      guides: sweep.searches.flatMap((search, index) => guides(sweep, search, names[index] ?? '')),
    },
    table: at === 0 ? sweepTable(sweep, names) : undefined,
  }));
}

function curve(
  points: readonly SweepPoint[],
  { name, style, value }: { name: string; style: number; value(point: SweepPoint): number | null },
): Line {
  const sorted = [...points].sort((a, b) => levelOfPoint(a) - levelOfPoint(b));
  return { name, style, x: sorted.map(levelOfPoint), y: sorted.map(value), tones: sorted.map(toneOf) };
}

function toneOf({ verdict }: SweepPoint): Tone {
  switch (verdict) {
    case 'met':
      return 'good';
    case 'broken':
      return 'bad';
    case 'unclear':
    case 'client':
      return 'unknown';
    default:
      return verdict satisfies never;
  }
}

function guides(sweep: SweepReport, { range, knee }: SweepSearch, name: string): Guide[] {
  const of = name === '' ? '' : ` of ${name}`;
  return [
    ...(range.met === null
      ? []
      : [
          {
            axis: 'x' as const,
            at: range.met,
            // Without a level that breaks an objective, the capacity is a lower bound.
            label: `capacity${of}: ${range.broken === null ? 'at least ' : ''}${sweepLevel(sweep, range.met)}`,
            tone: 'good' as const,
          },
        ]),
    ...(knee === null
      ? []
      : [{ axis: 'x' as const, at: knee.level, label: `knee${of}`, tone: 'unknown' as const }]),
  ];
}

function sweepTable(sweep: SweepReport, names: readonly string[]) {
  const rate = (value: number | null) => ({ text: formatValue(value, '1/s'), order: value });
  return table(
    'Load levels',
    [
      { title: 'search', align: 'left' },
      { title: sweep.by === 'rate' ? 'rate' : 'streams', align: 'right' },
      { title: 'TTFT p95', align: 'right' },
      { title: 'requests', align: 'right' },
      { title: 'tokens', align: 'right' },
      { title: 'goodput', align: 'right' },
      { title: 'objectives', align: 'left' },
    ],
    sweep.searches.flatMap((search, index) =>
      pointsOf(sweep, search).map((point) => [
        names[index] || DASH,
        { text: String(levelOfPoint(point)), order: levelOfPoint(point) },
        { text: formatValue(point.ttftP95Ms, 'ms'), order: point.ttftP95Ms },
        rate(point.requestsPerSecond),
        rate(point.tokensPerSecond),
        rate(point.goodput),
        [verdictWord(point), ...pointMarks(point, search)].join(', '),
      ]),
    ),
  );
}

/** Periods of the utilization. */
const PERIODS = 240;

interface Period {
  measuredMs: number;
  busyMs: number;
}

/** How busy the client's measuring threads were, over the run. */
export function clientFigure(loads: readonly BlockUtilization[]): Figure[] {
  const slices = loads.flatMap(({ threads, shard }) =>
    threads.flatMap(({ fromMs, slices = [] }, thread) => {
      if (fromMs === undefined) return [];
      let at = fromMs;
      return slices.map(([lengthMs, busyPercent, lateMs]) => {
        const slice = {
          at,
          lengthMs,
          busyMs: (lengthMs * busyPercent) / 100,
          lateMs,
          thread: `${shard} ${thread}`,
        };
        at += lengthMs;
        return slice;
      });
    }),
  );
  if (slices.length === 0) return [];
  const start = slices.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const end = slices.reduce((most, { at, lengthMs }) => Math.max(most, at + lengthMs), start);
  const periodMs = Math.max(100, (end - start) / PERIODS);
  const threads = new Map<string, Period[]>();
  for (const { at, lengthMs, busyMs, thread } of slices) {
    const periods = threads.get(thread) ?? [];
    threads.set(thread, periods);
    const index = Math.floor((at - start) / periodMs);
    const period = periods[index] ?? { measuredMs: 0, busyMs: 0 };
    periods[index] = period;
    period.measuredMs += lengthMs;
    period.busyMs += busyMs;
  }
  const count = Math.max(...Array.from(threads.values(), ({ length }) => length));
  // Of several threads the busiest. Null between the blocks, where nothing was measured.
  const busy = Array.from({ length: count }, (_, index) => {
    const known = [...threads.values()].flatMap((periods) => periods[index] ?? []);
    if (known.length === 0) return null;
    return Math.max(...known.map((period) => period.busyMs / (period.measuredMs || 1)));
  });
  const most = Math.max(...busy.map((share) => share ?? 0));
  const late = slices.reduce((max, { lateMs }) => Math.max(max, lateMs), 0);
  const sum = (of: (slice: (typeof slices)[number]) => number) =>
    slices.reduce((all, slice) => all + of(slice), 0);
  const mean = sum(({ busyMs }) => busyMs) / (sum(({ lengthMs }) => lengthMs) || 1);
  return [
    {
      title: 'Client utilization',
      summary: `How busy the measuring threads were: ${formatShare(mean)} on average, at most ${formatShare(most)}. Timestamps were late by at most ${formatValue(late, 'ms')}.`,
      notes: [
        `Means of ${formatValue(periodMs, 'ms')}${threads.size > 1 ? `, of the busiest of ${threads.size} threads` : ''}.`,
      ],
      chart: {
        kind: 'lines',
        x: { label: 'time since the start of the run', unit: 'seconds' },
        y: { label: 'utilization', unit: 'ratio', fromZero: true },
        lines: [
          {
            name: 'utilization',
            style: 0,
            step: true,
            x: busy.map((_, index) => tenths(start + index * periodMs)),
            y: busy.map((share) => (share === null ? null : charted(share, 'ratio'))),
          },
        ],
        guides: [],
      },
    },
  ];
}

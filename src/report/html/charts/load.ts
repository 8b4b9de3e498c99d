import { DASH, formatCount, formatShare, formatValue } from '../../../model/format.ts';
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
            label: `capacity${of}: ${sweepLevel(sweep, range.met)}`,
            tone: 'good' as const,
          },
        ]),
    ...(knee === null
      ? []
      : [{ axis: 'x' as const, at: knee.level, label: `knee${of}`, tone: 'neutral' as const }]),
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

/** Periods of the utilization: the busiest slice of each is drawn. */
const PERIODS = 600;

/** How busy the client's measuring threads were, over the run. */
export function clientFigure(loads: readonly BlockUtilization[]): Figure[] {
  const slices = loads
    .flatMap(({ threads }) =>
      threads.flatMap(({ fromMs, slices = [] }) => {
        let at = fromMs ?? Number.NaN;
        return slices.map(([lengthMs, busyPercent, lateMs]) => {
          const slice = { at, busy: busyPercent / 100, lateMs };
          at += lengthMs;
          return slice;
        });
      }),
    )
    .filter(({ at }) => Number.isFinite(at));
  if (slices.length === 0) return [];
  const start = slices.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const end = slices.reduce((most, { at }) => Math.max(most, at), start);
  const busiest = new Map<number, { at: number; busy: number; lateMs: number }>();
  for (const slice of slices) {
    const key = Math.floor(((slice.at - start) / (end - start || 1)) * PERIODS);
    const other = busiest.get(key);
    busiest.set(key, {
      at: other?.at ?? slice.at,
      busy: Math.max(other?.busy ?? 0, slice.busy),
      lateMs: Math.max(other?.lateMs ?? 0, slice.lateMs),
    });
  }
  const drawn = [...busiest.values()].sort((a, b) => a.at - b.at);
  const most = drawn.reduce((max, { busy }) => Math.max(max, busy), 0);
  const late = drawn.reduce((max, { lateMs }) => Math.max(max, lateMs), 0);
  const mean = slices.reduce((sum, { busy }) => sum + busy, 0) / slices.length;
  return [
    {
      title: 'Client utilization',
      summary: `How busy the measuring threads were: ${formatShare(mean)} on average, at most ${formatShare(most)}. Timestamps lagged by at most ${formatValue(late, 'ms')}.`,
      notes:
        slices.length > drawn.length
          ? [`Of ${formatCount(slices.length)} slices, the busiest of each short period.`]
          : [],
      chart: {
        kind: 'lines',
        x: { label: 'time since the start of the run', unit: 'seconds' },
        y: { label: 'utilization', unit: 'ratio', fromZero: true },
        lines: [
          {
            name: 'busiest thread',
            style: 0,
            step: true,
            x: drawn.map(({ at }) => tenths(at)),
            y: drawn.map(({ busy }) => charted(busy, 'ratio')),
          },
        ],
        guides: [],
      },
    },
  ];
}

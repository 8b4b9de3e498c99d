import { metric } from '../../../metrics/definitions.ts';
import type { AbCheck, AbGate } from '../../../model/ab-gate.ts';
import { levelInWords } from '../../../model/cells.ts';
import { formatFactor, formatPair } from '../../../model/format.ts';
import type { PairedComparison, PairedRow } from '../../../model/paired-comparison.ts';
import type { CellReport } from '../../../model/report.ts';
import type { RunComparison, RunComparisonRow } from '../../../model/run-comparison.ts';
import { modePairs } from '../../columns.ts';
import { oneLine } from '../../text-width.ts';
import { rowChange, rowPlace, rowValues, sortedRows, verdictInWords } from '../../wording/baseline.ts';
import { type Row, type RowsChart, type Tone, tenths } from '../chart.ts';
import type { Markup } from '../markup.ts';
import type { Figure } from '../page.ts';
import { table } from '../tables.ts';

/** Charts with a row for each compared figure, and its confidence interval. */

/** Rows that a chart may have; the table below it has all. */
const MOST_ROWS = 40;

/** The comparisons within a run: a chart for each pair of targets, and for the modes of each target. */
export function pairedFigures(comparisons: readonly PairedComparison[]): Figure[] {
  return comparisons.flatMap((comparison) => {
    const { kind, target, a, b, rows, settings } = comparison;
    const drawn = rows.filter(({ factor }) => factor !== null);
    if (drawn.length === 0) return [];
    // One prompt is also "all prompts": drawn once.
    const prompts = new Set(rows.flatMap(({ prompt }) => prompt ?? []));
    const own = drawn.filter(({ prompt }) => prompts.size > 1 || prompt === null || prompts.size === 0);
    const shown = (own.length > 0 ? own : drawn).slice(0, MOST_ROWS);
    const levels = new Set(rows.map(levelInWords)).size > 1;
    const chart: RowsChart = {
      kind: 'rows',
      x: { label: `how many times better ${oneLine(a)} is than ${oneLine(b)}`, unit: 'count', log: true },
      zero: 1,
      rows: shown.map((row) => pairedRow(row, levels)),
      legend: [],
    };
    const title =
      kind === 'streaming'
        ? `Streaming and not, ${oneLine(target ?? '')}`
        : `${oneLine(a)} and ${oneLine(b)}`;
    return [
      {
        title,
        summary: comparison.sentences.map((sentence) => `${oneLine(sentence)}.`).join(' '),
        notes: [
          `Right of 1, ${oneLine(a)} is better. Lines are ${Math.round(settings.level * 100)} % intervals; where a line does not reach 1, the difference is certain.`,
          ...(shown.length < own.length
            ? [`${shown.length} of ${own.length} figures; the table has all.`]
            : []),
        ],
        chart,
        table: pairedTable(title, { a, b }, rows),
      },
    ];
  });
}

function pairedRow(row: PairedRow, withLevel: boolean): Row {
  const { metric: name, statistic, prompt, factor, low, high, verdict } = row;
  const level = withLevel ? `, ${levelInWords(row)}` : '';
  return {
    label: `${metric(name).title} ${statistic}${prompt === null ? '' : `, ${oneLine(prompt)}`}${level}`,
    tone: pairedTone(verdict),
    marks: factor === null ? [] : [{ at: factor, shape: 'dot' }],
    span: [low, high],
    text: factor === null ? '' : formatFactor(factor),
  };
}

function pairedTone(verdict: PairedRow['verdict']): Tone {
  switch (verdict) {
    case 'a_better':
      return 'good';
    case 'b_better':
      return 'bad';
    case 'equivalent':
      return 'neutral';
    case 'inconclusive':
      return 'unknown';
    default:
      return verdict satisfies never;
  }
}

function pairedTable(title: string, { a, b }: { a: string; b: string }, rows: readonly PairedRow[]): Markup {
  return table(
    `${title}: all compared figures`,
    [
      { title: 'figure', align: 'left' },
      { title: 'prompt', align: 'left' },
      { title: 'load', align: 'left' },
      { title: `${a} / ${b}`, align: 'right' },
      { title: 'factor', align: 'right' },
      { title: 'interval', align: 'right' },
      { title: 'verdict', align: 'left' },
    ],
    rows.map((row) => [
      `${metric(row.metric).title} ${row.statistic}`,
      row.prompt === null ? 'all prompts' : oneLine(row.prompt),
      levelInWords(row),
      { text: formatPair(row.a, row.b, row.unit), order: row.a },
      { text: row.factor === null ? 'no data' : formatFactor(row.factor), order: row.factor },
      `${row.low === null ? 'open' : formatFactor(row.low)} to ${row.high === null ? 'open' : formatFactor(row.high)}`,
      row.verdict.replace('a_better', `${a} better`).replace('b_better', `${b} better`),
    ]),
  );
}

/** The change of each figure of a run against a baseline or another run, with its interval. */
export function changeFigure(comparison: RunComparison): Figure[] {
  const rows = sortedRows(comparison).filter(({ change }) => change !== null);
  if (rows.length === 0) return [];
  const shown = rows.slice(0, MOST_ROWS);
  const tolerances = new Set(shown.map(({ tolerance }) => tolerance));
  const [tolerance = 0] = tolerances;
  return [
    {
      title: `Change against ${oneLine(comparison.base)}`,
      summary: oneLine(comparison.sentence),
      notes: [
        'Right of 0, the new value is larger: for times and error rates that is worse. Lines are 90 % intervals.',
        ...(tolerances.size === 1
          ? [`The shaded band is the tolerance of ${Math.round(tolerance * 100)} %.`]
          : []),
        ...(shown.length < rows.length
          ? [`${shown.length} of ${rows.length} figures; the table has all.`]
          : []),
      ],
      chart: {
        kind: 'rows',
        x: { label: 'change', unit: 'ratio' },
        zero: 0,
        band: tolerances.size === 1 ? [-tolerance, tolerance] : undefined,
        rows: shown.map((row) => ({
          label: row.cell === null && row.pin === undefined ? row.figure : `${row.figure}, ${rowPlace(row)}`,
          tone: changeTone(row),
          marks: row.change === null ? [] : [{ at: row.change, shape: 'dot' }],
          span: [row.low, row.high],
          text: rowValues(row),
        })),
        legend: [],
      },
      table: changeTable(comparison),
    },
  ];
}

/** Every compared figure of two runs. */
export function changeTable(comparison: RunComparison): Markup {
  return table(
    'Compared figures',
    [
      { title: 'figure', align: 'left' },
      { title: 'where', align: 'left' },
      { title: 'base / new', align: 'right' },
      { title: 'change', align: 'right' },
      { title: 'verdict', align: 'left' },
    ],
    sortedRows(comparison).map((row) => [
      row.figure,
      rowPlace(row),
      { text: rowValues(row), order: row.next.value },
      { text: rowChange(row), order: row.change },
      { text: verdictInWords(row), tone: changeTone(row) },
    ]),
  );
}

function changeTone({ verdict, gated }: RunComparisonRow): Tone {
  switch (verdict) {
    case 'regression':
      return gated ? 'bad' : 'unknown';
    case 'improvement':
      return 'good';
    case 'equivalent':
    case 'unchanged':
      return 'neutral';
    case 'inconclusive':
    case 'not_comparable':
      return 'unknown';
    default:
      return verdict satisfies never;
  }
}

/** The gate of target B against target A. */
export function abFigure({ base, next, sentence, checks }: AbGate): Figure[] {
  const rows = checks.filter(({ worse, figure }) => worse !== null && figure !== 'errors.rate');
  if (rows.length === 0) return [];
  return [
    {
      title: `${oneLine(next)} against ${oneLine(base)}`,
      summary: oneLine(sentence),
      notes: ['Right of 1, the new side is worse. Lines are 90 % intervals.'],
      chart: {
        kind: 'rows',
        x: { label: `${oneLine(next)} / ${oneLine(base)}`, unit: 'count', log: true },
        zero: 1,
        rows: rows.slice(0, MOST_ROWS).map(abRow),
        legend: [],
      },
    },
  ];
}

function abRow(check: AbCheck): Row {
  const { figure, cell, worse, low, high, verdict, gated, base, next, unit } = check;
  const tone =
    verdict === 'regression' ? 'bad' : verdict === 'inconclusive' || !gated ? 'unknown' : 'neutral';
  return {
    label: `${figure}${cell === null ? '' : ` of ${oneLine(cell.prompt)}`}`,
    tone: verdict === 'improvement' ? 'good' : tone,
    marks: worse === null ? [] : [{ at: worse, shape: 'dot' }],
    span: [low, high],
    text: formatPair(base, next, unit),
  };
}

/** Streaming next to non-streaming: when the first content came, and when the whole answer was there. */
export function modesFigure(cells: readonly CellReport[]): Figure[] {
  const pairs = modePairs(cells);
  if (pairs.length === 0) return [];
  const several = (of: (pair: (typeof pairs)[number]) => string) => new Set(pairs.map(of)).size > 1;
  const parts = [
    ...(several(({ target }) => target) ? [({ target }: (typeof pairs)[number]) => target] : []),
    ...(several(({ prompt }) => prompt) ? [({ prompt }: (typeof pairs)[number]) => prompt] : []),
    ...(several(levelInWords) ? [levelInWords] : []),
  ];
  const first = ({ streaming }: (typeof pairs)[number]) => streaming.metrics.ttft?.p50;
  const whole = ({ streaming }: (typeof pairs)[number]) => streaming.metrics.total?.p50;
  const plain = ({ nonStreaming }: (typeof pairs)[number]) => nonStreaming.metrics.total?.p50;
  const rows = pairs.slice(0, MOST_ROWS).map((pair): Row => {
    const values = [first(pair), whole(pair), plain(pair)];
    const shapes = ['dot', 'square', 'diamond'] as const;
    const [from, to] = values;
    return {
      label: parts.map((part) => oneLine(part(pair))).join(', ') || oneLine(pair.target),
      tone: 'neutral',
      marks: values.flatMap((value, at) => {
        const shape = shapes[at];
        return value === undefined || shape === undefined ? [] : [{ at: tenths(value), shape }];
      }),
      span: from === undefined || to === undefined ? undefined : [tenths(from), tenths(to)],
      text: '',
    };
  });
  return [
    {
      title: 'Streaming and non-streaming',
      summary:
        'Medians. A user of the stream begins to read at the dot; without streaming, at the diamond. The line is the time in which the stream is read while it arrives.',
      notes:
        pairs.length > rows.length ? [`${rows.length} of ${pairs.length} pairs; the results have all.`] : [],
      chart: {
        kind: 'rows',
        x: { label: 'time since the request was sent', unit: 'ms', fromZero: true },
        rows,
        legend: [
          { shape: 'dot', label: 'first content, streaming' },
          { shape: 'square', label: 'whole answer, streaming' },
          { shape: 'diamond', label: 'whole answer, non-streaming' },
        ],
      },
    },
  ];
}

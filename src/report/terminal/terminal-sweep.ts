import { Chalk, type ChalkInstance } from 'chalk';
import { formatValue } from '../../model/format.ts';
import type { SweepPoint, SweepReport, SweepSearch } from '../../model/sweep.ts';
import { clip, displayWidth, padEnd, padStart, wrap } from '../text-width.ts';
import { HEADINGS } from '../wording/headings.ts';
import {
  levelOfPoint,
  objectivesLine,
  pointMarks,
  pointsOf,
  searchSentences,
  subjectName,
  UNCLEAR_NOTE,
  verdictWord,
} from '../wording/sweep.ts';
import { ASCII, BLOCKS, bar, type Glyphs, inAscii } from './strip.ts';
import type { TerminalOptions } from './terminal-tables.ts';

/** A sweep on a terminal: what each search found, and its curve as bars by load. */
export function terminalSweep(sweep: SweepReport, { width, color, ascii = false }: TerminalOptions): string {
  const chalk = new Chalk({ level: color });
  const canvas: Canvas = { width, chalk, glyphs: ascii ? ASCII : BLOCKS };
  const several = sweep.searches.length > 1;
  const blocks = [
    [chalk.bold(HEADINGS.sweep), ...wrap(objectivesLine(sweep), width).map((line) => chalk.dim(line))],
    ...sweep.searches.map((search) => [
      ...(several ? wrap(subjectName(search), width).map((line) => chalk.bold(line)) : []),
      ...searchSentences(sweep, search).flatMap((sentence) => wrap(sentence, width)),
      ...curve(pointsOf(sweep, search), search, sweep, canvas),
    ]),
  ];
  const text = blocks.map((lines) => lines.map((line) => line.trimEnd()).join('\n')).join('\n\n');
  return ascii ? inAscii(text) : text;
}

interface Canvas {
  width: number;
  chalk: ChalkInstance;
  glyphs: Glyphs;
}

/** One column of the curve. */
interface Series {
  title: string;
  values: readonly (number | null)[];
  unit: 'ms' | '1/s';
}

const LEAST_BAR = 3;
const MOST_BAR = 24;
const SPACE = 2;
const LAST_TITLE = 'SLO';

/** One line for each level: the load, a bar for each figure, and the verdict. */
function curve(
  points: readonly SweepPoint[],
  search: SweepSearch,
  { by }: SweepReport,
  { width, chalk, glyphs }: Canvas,
): string[] {
  if (points.length === 0) return [];
  const all: Series[] = [
    { title: 'TTFT p95', values: points.map(({ ttftP95Ms }) => ttftP95Ms), unit: 'ms' },
    { title: 'req/s', values: points.map(({ requestsPerSecond }) => requestsPerSecond), unit: '1/s' },
    { title: 'good/s', values: points.map(({ goodput }) => goodput), unit: '1/s' },
  ];
  const columns = all
    .filter(({ values }) => values.some((value) => value !== null))
    .map((one) => {
      const texts = one.values.map((value) => formatValue(value, one.unit));
      return { ...one, texts, width: Math.max(one.title.length, ...texts.map(displayWidth)) };
    });
  const loadTitle = by === 'rate' ? 'rate/s' : 'streams';
  const loads = points.map((point) => String(levelOfPoint(point)));
  const loadWidth = Math.max(loadTitle.length, ...loads.map((text) => text.length));
  const verdicts = points.map(verdictWord);
  const marked = points.map((point, row) => [verdicts[row], ...pointMarks(point, search)].join(', '));
  const barWidthWith = (remarks: readonly string[]) => {
    const last = Math.max(LAST_TITLE.length, ...remarks.map((text) => text.length));
    const figures = columns.reduce((sum, column) => sum + column.width + 1 + SPACE, 0);
    const room = Math.floor((width - loadWidth - SPACE - last - figures) / Math.max(1, columns.length));
    return room < LEAST_BAR ? 0 : Math.min(MOST_BAR, room);
  };
  // Without room for both, the marks go first: the sentences above say the same.
  const remarks = barWidthWith(marked) > 0 ? marked : verdicts;
  const barWidth = barWidthWith(remarks);
  const barOf = (value: number | null, most: number) => {
    if (barWidth === 0) return '';
    const text = !value ? '' : bar(0, most > 0 ? value / most : 0, barWidth, glyphs);
    return ` ${chalk.cyan(padEnd(text, barWidth))}`;
  };
  const head = [
    padStart(loadTitle, loadWidth),
    ...columns.map((column) => padStart(column.title, column.width) + ' '.repeat(barWidth && 1 + barWidth)),
    LAST_TITLE,
  ];
  return [
    '',
    chalk.bold(clip(head.join(' '.repeat(SPACE)), width)),
    ...points.map((point, row) => {
      const figures = columns.map(({ values, texts, width: own }) => {
        const most = Math.max(...values.map((value) => value ?? 0));
        return padStart(texts[row] ?? '', own) + barOf(values[row] ?? null, most);
      });
      const remark = paintOf(point, chalk)(remarks[row] ?? '');
      return [padStart(loads[row] ?? '', loadWidth), ...figures, remark].join(' '.repeat(SPACE));
    }),
    ...(points.some(({ verdict }) => verdict === 'unclear')
      ? wrap(UNCLEAR_NOTE, width).map((line) => chalk.dim(line))
      : []),
  ];
}

function paintOf({ verdict }: SweepPoint, chalk: ChalkInstance): ChalkInstance {
  switch (verdict) {
    case 'met':
      return chalk.green;
    case 'broken':
      return chalk.red;
    case 'unclear':
      return chalk.yellow;
    case 'client':
      return chalk.dim;
    default:
      return verdict satisfies never;
  }
}

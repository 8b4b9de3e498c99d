import { Chalk, type ChalkInstance } from 'chalk';
import { formatCount, formatDuration, formatShare, formatValue } from '../../model/format.ts';
import { ASCII, BLOCKS, bar, type Glyphs, inAscii, sparkline } from '../../report/terminal/strip.ts';
import { clip, displayWidth } from '../../report/text-width.ts';
import type { ProgressState } from './progress-state.ts';

/** How the live view is drawn. */
export interface LiveViewOptions {
  /** Of the terminal, in columns. No line is wider than `width - 1`: some terminals wrap at the last column. */
  width: number;
  /** Color level as in chalk: 0 none (no escape codes), 1 basic, 2 256 colors, 3 true color. */
  color: 0 | 1 | 2 | 3;
  /** Draw with ASCII characters. Names are kept as they are. */
  ascii: boolean;
}

const SEPARATOR = '  ';
const LONGEST_BAR = 40;
const SHORTEST_BAR = 8;

/**
 * The live view of a run: the time left, the cell, how much is done, and its figures so far. Counts that do not fit are left
 * out, the last first. The same state gives the same lines.
 */
export function liveView(state: ProgressState, { width, color, ascii }: LiveViewOptions): string[] {
  const chalk = new Chalk({ level: color });
  const room = Math.max(1, width - 1);
  const glyphs = ascii ? ASCII : BLOCKS;
  const own = (text: string) => (ascii ? inAscii(text) : text);
  const lines = [
    headLine(state, chalk, room, own),
    countLine(state, chalk, room, glyphs),
    ...packed(figureParts(state), room),
    trendLine(state, chalk, room, glyphs),
    ...(state.judged === undefined ? [] : [clip(state.judged, room)]),
  ];
  return lines.filter((line) => line !== '').map(own);
}

/** The time left is first, where the eye looks for it. */
function headLine(
  state: ProgressState,
  chalk: ChalkInstance,
  room: number,
  own: (text: string) => string,
): string {
  const left = timeLeft(state) ?? `${formatDuration(state.elapsedMs)} so far`;
  const round = state.rounds > 1 && state.round > 0 ? `round ${state.round}/${state.rounds}` : '';
  const what = state.cell === undefined ? state.phase : own(state.cell.name);
  const before = [left, round].filter((part) => part !== '').join(SEPARATOR);
  const rest = room - displayWidth(before) - SEPARATOR.length;
  // A name of which only a few letters are left helps nobody.
  if (rest < 4) return chalk.bold(clip(before, room));
  return `${chalk.bold(before)}${SEPARATOR}${clip(what, rest)}`;
}

function countLine(state: ProgressState, chalk: ChalkInstance, room: number, glyphs: Glyphs): string {
  const { failed, inFlight = 0, phase } = state;
  const counts = fitted(
    [
      doneText(state),
      failed > 0 ? `${formatCount(failed)} failed` : '',
      phase === 'warming up' ? phase : '',
      inFlight > 0 ? `${formatCount(inFlight)} in flight` : '',
    ],
    room,
  );
  const painted = failed > 0 ? chalk.red(counts) : counts;
  const columns = Math.min(LONGEST_BAR, room - displayWidth(counts) - SEPARATOR.length);
  if (state.share === undefined || columns < SHORTEST_BAR) return painted;
  // In ASCII, a column that is only begun is a space.
  const done = state.share > 0 ? bar(0, state.share, columns, glyphs).trimEnd() : '';
  const track = glyphs.track.repeat(Math.max(0, columns - displayWidth(done)));
  return `${chalk.cyan(done)}${chalk.dim(track)}${SEPARATOR}${painted}`;
}

function figureParts({ cell, utilization }: ProgressState): string[] {
  const { ttft, perSecond } = cell ?? {};
  return [
    ttft === undefined ? '' : ttftText(ttft),
    perSecond === undefined
      ? ''
      : `${formatValue(perSecond.value, '1/s').replace('/s', '')} ${perSecond.unit}/s`,
    utilization === undefined ? '' : `client ${formatShare(utilization)} busy`,
  ];
}

function trendLine({ cell }: ProgressState, chalk: ChalkInstance, room: number, glyphs: Glyphs): string {
  const trend = cell?.ttft?.trend ?? [];
  // One value has no course.
  if (trend.length < 2) return '';
  const most = `TTFT 0 to ${formatValue(Math.max(...trend), 'ms')}`;
  const columns = room - displayWidth(most) - SEPARATOR.length;
  if (columns < SHORTEST_BAR) return '';
  // The latest values are the ones of interest.
  return `${chalk.cyan(sparkline(trend.slice(-columns), glyphs))}${SEPARATOR}${chalk.dim(most)}`;
}

/** The parts that fit, from the first. */
function fitted(parts: readonly string[], room: number): string {
  let line = '';
  for (const part of parts) {
    if (part === '') continue;
    const longer = line === '' ? part : `${line}${SEPARATOR}${part}`;
    if (displayWidth(longer) > room) break;
    line = longer;
  }
  return line === '' ? clip(parts.find((part) => part !== '') ?? '', room) : line;
}

/** The parts in as many lines as they need. */
function packed(parts: readonly string[], room: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    if (part === '') continue;
    const longer = `${lines.at(-1)}${SEPARATOR}${part}`;
    if (lines.length === 0 || displayWidth(longer) > room) lines.push(clip(part, room));
    else lines[lines.length - 1] = longer;
  }
  return lines;
}

/** Requests that have ended, of how many: `132/480 requests`. */
export function doneText({ done, total }: Pick<ProgressState, 'done' | 'total'>): string {
  const of = total === null ? '' : `/${formatCount(total)}`;
  return `${formatCount(done)}${of} ${(total ?? done) === 1 ? 'request' : 'requests'}`;
}

/** `TTFT p50 182 ms, p95 420 ms`. */
export function ttftText({ p50, p95 }: { p50: number; p95: number }): string {
  return `TTFT p50 ${formatValue(p50, 'ms')}, p95 ${formatValue(p95, 'ms')}`;
}

/** `40 s left`; undefined while it is not known. */
export function timeLeft({ leftMs }: Pick<ProgressState, 'leftMs'>): string | undefined {
  if (leftMs === undefined) return undefined;
  const seconds = Math.round(leftMs / 1000);
  if (seconds < 90) return `${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min left` : `${formatDuration(minutes * 60_000)} left`;
}

import type { ChalkInstance } from 'chalk';
import { percentileOf } from '../../metrics/percentile.ts';
import { formatCount, formatFineTime, formatValue } from '../../model/format.ts';
import {
  beginning,
  type ProbeRequest,
  type Step,
  type StepKind,
  stepsOf,
  succeeded,
} from '../probe-report.ts';
import { displayWidth } from '../text-width.ts';
import { axis, bar, buckets, type Glyphs, logHistogram, sparkline } from './strip.ts';

/** The properties of a drawing. */
export interface Canvas {
  /** Columns. */
  width: number;
  chalk: ChalkInstance;
  glyphs: Glyphs;
}

const TITLE = 13;
const FIGURE = 8;
const LEFT = TITLE + 2 * (FIGURE + 1);
const MARGIN = 2;
/** Minimum width of the bars. */
const MIN_BAR = 10;
/** The default limit of the metric `stalls`. */
const STALL_MS = 1000;

/**
 * One request as a waterfall: each step with its duration and its time since the start. Below it, on the same scale, the
 * arrivals of content, then a histogram of the gaps.
 */
export function waterfall(request: ProbeRequest, dialect: string, canvas: Canvas): string[] {
  const steps = stepsOf(request.record, dialect);
  const span = steps.at(-1)?.toMs ?? 0;
  if (span <= 0) return [];
  const columns = Math.max(MIN_BAR, canvas.width - LEFT - MARGIN);
  const failed = !succeeded(request);
  const scale: Scale = {
    span,
    failed,
    stopped: request.stopped !== undefined,
    interrupted: failed ? interruptedStep(request.record) : undefined,
    // Leaves space for the failure mark at the end.
    columns: failed ? columns - 9 : columns,
  };
  return [
    canvas.chalk.dim(`${' '.repeat(TITLE)}${'step'.padStart(FIGURE)} ${'at'.padStart(FIGURE)}`),
    ...steps.map((step) => stepLine(step, scale, canvas)),
    // A single bar needs no scale.
    ...(steps.length === 1 ? [] : arrivalLines(request, span, scale.columns, canvas)),
    ...gapLines(request, columns, canvas),
  ];
}

/** What the request was waiting for when it failed; undefined if the response was complete. */
function interruptedStep({ outcome, marks }: ProbeRequest['record']): string | undefined {
  const { sent, headers, firstByte } = marks;
  if (sent === undefined) return 'connecting';
  if (headers === undefined) return 'headers';
  if (outcome.kind !== 'timeout' && outcome.kind !== 'truncated' && outcome.kind !== 'cancelled')
    return undefined;
  return firstByte === undefined ? 'first byte' : 'rest';
}

interface Scale {
  span: number;
  columns: number;
  failed: boolean;
  stopped: boolean;
  /** What the request was waiting for when it failed. */
  interrupted: string | undefined;
}

function stepLine(
  step: Step,
  { span, columns, failed, stopped, interrupted }: Scale,
  { chalk, glyphs }: Canvas,
): string {
  const last = step.mark === 'end';
  const title =
    last && interrupted !== undefined ? interrupted : last && stopped && !failed ? 'stopped' : step.title;
  const paint = last && failed ? chalk.red : paintOf(step.kind, chalk);
  const took = step.toMs - step.fromMs;
  const drawn = bar(step.fromMs / span, step.toMs / span, columns, glyphs);
  const note =
    last && interrupted !== undefined ? ` ${glyphs.failed} failed` : took === 0 && !last ? ' same read' : '';
  // The scale of a failure leaves space for its mark.
  const fits = (last && failed) || columns - drawn.length >= note.length;
  const figures = `${figure(took)} ${chalk.dim(figure(step.toMs))}`;
  const drawing = `${paint(drawn)}${note !== '' && fits ? (last ? chalk.red : chalk.dim)(note) : ''}`;
  return `${(last && failed ? chalk.red : plain)(title.padEnd(TITLE))}${figures}${' '.repeat(MARGIN)}${drawing}`;
}

function paintOf(kind: StepKind, chalk: ChalkInstance): ChalkInstance {
  switch (kind) {
    case 'connect':
      return chalk.blue;
    case 'send':
      return chalk.cyan;
    case 'wait':
      return chalk.yellow;
    case 'think':
      return chalk.magenta;
    case 'answer':
      return chalk.green;
    case 'tail':
      return chalk.dim;
    default:
      return kind satisfies never;
  }
}

function arrivalLines(
  { record, arrivals }: ProbeRequest,
  span: number,
  columns: number,
  { chalk, glyphs }: Canvas,
): string[] {
  const left = ' '.repeat(LEFT + MARGIN);
  const [ticks, labels] = axis(span, columns, axisLabel, glyphs);
  const scale = [`${left}${chalk.dim(ticks)}`, `${left}${chalk.dim(labels)}`];
  if (arrivals.length === 0) return scale;
  const zero = beginning(record.marks);
  const counts = buckets(
    arrivals.map(([atMs, events]) => [(atMs - zero) / span, events] as const),
    columns,
  );
  const title = `arrivals${' '.repeat(LEFT)}`.slice(0, LEFT + MARGIN);
  return [`${title}${chalk.green(sparkline(counts, glyphs).trimEnd())}`, ...scale];
}

function gapLines({ record }: ProbeRequest, columns: number, { width, chalk, glyphs }: Canvas): string[] {
  const { gaps } = record;
  if (gaps.length < 2) return [];
  const sorted = [...gaps].sort((a, b) => a - b);
  const at = (q: number) => formatValue(percentileOf(sorted, q), 'ms');
  const stalls = sorted.filter((gap) => gap > STALL_MS).length;
  const figures = [
    `p50 ${at(0.5)}`,
    `p95 ${at(0.95)}`,
    `max ${at(1)}`,
    ...(stalls === 0 ? [] : [`${formatCount(stalls)} over 1 s`]),
  ].join(' · ');
  const head = `${'gaps'.padEnd(TITLE)}${figures}`;
  const histogram = logHistogram(gaps, Math.max(MIN_BAR, columns - 18));
  if (histogram === undefined) return [head];
  const { low, high, counts } = histogram;
  const drawing = `${chalk.dim(formatFineTime(low))} ${chalk.green(sparkline(counts, glyphs))} ${chalk.dim(formatFineTime(high))}`;
  const sideBySide = displayWidth(head) + 3 + displayWidth(drawing) <= width;
  return sideBySide ? [`${head}   ${drawing}`] : [head, `${' '.repeat(TITLE)}${drawing}`];
}

function figure(ms: number): string {
  return formatValue(ms, 'ms').padStart(FIGURE);
}

function axisLabel(ms: number): string {
  if (ms === 0) return '0';
  return ms < 1000 ? formatValue(ms, 'ms').replace('.0 ', ' ') : `${Number((ms / 1000).toPrecision(3))} s`;
}

function plain(text: string): string {
  return text;
}

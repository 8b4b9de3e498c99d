import { Chalk } from 'chalk';
import { counted, formatDuration, formatNumber, formatValue } from '../../model/format.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { Outcome } from '../../model/record.ts';
import { headline, type ProbeReport, type ProbeRequest, stepTitles, succeeded } from '../probe-report.ts';
import { clip, oneLine, wrap } from '../text-width.ts';
import {
  dialectHint,
  failureSentence,
  furtherFailures,
  lengthParts,
  wholeAnswerParts,
} from '../wording/probe.ts';
import { facts, filled, judgement, KEY, verdictSummary } from './probe-facts.ts';
import { ASCII, BLOCKS, inAscii } from './strip.ts';
import { type Canvas, waterfall } from './waterfall.ts';

/** The properties of the terminal. */
export interface ProbeViewOptions {
  /** Width in columns; at least 50 is used. */
  width: number;
  /** Color level as in chalk; 0 writes no escape codes. */
  color: 0 | 1 | 2 | 3;
  /** Draw with ASCII characters only. Default: false. */
  ascii?: boolean;
}

const MIN_WIDTH = 50;
const BODY_LINES = 3;

/** A probe for a terminal: the first request in detail, and the time that a warm connection saves. */
export function probeView(report: ProbeReport, { width, color, ascii = false }: ProbeViewOptions): string {
  const canvas: Canvas = {
    width: Math.max(MIN_WIDTH, width),
    chalk: new Chalk({ level: color }),
    glyphs: ascii ? ASCII : BLOCKS,
  };
  const request = report.requests[0]!;
  const blocks = [
    head(report, request, canvas),
    waterfall(request, report.target.dialect, canvas),
    coldAndWarm(report, canvas),
    withoutStreaming(report, canvas),
    byLength(report, canvas),
    facts(request, report.target.dialect, canvas),
    judgement(request, canvas),
    others(report, canvas),
  ].filter((lines) => lines.length > 0);
  const text = `${blocks.map((lines) => lines.map((line) => line.trimEnd()).join('\n')).join('\n\n')}\n`;
  return ascii ? inAscii(text) : text;
}

function head(report: ProbeReport, request: ProbeRequest, canvas: Canvas): string[] {
  const { width, chalk } = canvas;
  const { target } = report;
  const parts = [
    target.dialect,
    target.provider === target.dialect || target.provider === 'custom' ? undefined : target.provider,
    target.model,
    target.mode,
  ];
  const lines = [
    chalk.bold.cyan(clip(oneLine(`${target.method} ${target.url}`), width)),
    ...filled(parts, width).map((line) => chalk.dim(line)),
    ...filled(connectionParts(request), width).map((line) => chalk.dim(line)),
    ...outcome(request, target.guessed ? target.dialect : undefined, canvas),
  ];
  lines.push(...filled(figures(request, target.dialect), width).map((line) => chalk.bold(line)));
  return lines;
}

const PROTOCOLS: Readonly<Record<string, string>> = { h1: 'HTTP/1.1', h2: 'HTTP/2' };

function connectionParts({
  record: { connection, status, reconnected },
}: ProbeRequest): (string | undefined)[] {
  const protocol = PROTOCOLS[connection?.protocol ?? ''] ?? connection?.protocol;
  return [
    status === undefined ? protocol : `${protocol ?? 'HTTP'} ${status}`,
    connection?.tls?.replace('TLSv', 'TLS '),
    connection?.proxy === undefined
      ? connection?.remote
      : `through proxy ${connection.proxy}${connection.remote === connection.proxy ? '' : ` (${connection.remote})`}`,
    connection === undefined ? undefined : connection.reused ? 'reused connection' : 'new connection',
    reconnected ? 'resent: the reused connection was closed' : undefined,
    connection?.streamLimit === undefined ? undefined : `up to ${counted(connection.streamLimit, 'stream')}`,
  ];
}

function outcome(
  request: ProbeRequest,
  guessed: string | undefined,
  { width, chalk, glyphs }: Canvas,
): string[] {
  const { record, stopped } = request;
  const { hint, body } = record.outcome;
  if (succeeded(request)) {
    const by = stopped?.by === 'interrupt' ? ', interrupted' : '';
    const ended =
      stopped === undefined
        ? chalk.green(`${glyphs.ok} ok`)
        : chalk.yellow(`${glyphs.ended} stopped after ${formatDuration(stopped.afterMs)}${by}`);
    return [[ended, ...verdictSummary(request, chalk)].join(' · ')];
  }
  const lines = wrap(oneLine(`${glyphs.failed} ${failureSentence(request)}`), width);
  if (stopped !== undefined) return lines.map((line) => chalk.red(line));
  const hints = [
    hint,
    guessed === undefined || !mayBeDialect(record.outcome) ? undefined : dialectHint(guessed),
  ].filter((text) => text !== undefined);
  return [
    ...lines.map((line) => chalk.red(line)),
    ...bodyLines(body).map((line) => chalk.dim(`  | ${clip(line, width - 4)}`)),
    ...hints.flatMap((text) =>
      wrap(oneLine(text), width - 2).map((line, i) => `${i === 0 ? glyphs.remedy : ' '} ${line}`),
    ),
  ];
}

const DIALECT_STATUS: readonly number[] = [400, 404, 405, 415, 422];

function mayBeDialect({ kind, status = 0 }: Outcome): boolean {
  if (kind === 'http_error') return DIALECT_STATUS.includes(status);
  return kind === 'not_a_stream' || kind === 'malformed' || kind === 'empty';
}

/** The first lines of a body; a JSON document on one line. */
function bodyLines(body = ''): string[] {
  const lines = body
    .split(/\r?\n/)
    .map(oneLine)
    .filter((line) => line !== '');
  return /^[[{]/.test(lines[0] ?? '') ? [lines.join(' ')] : lines.slice(0, BODY_LINES);
}

function figures({ record, stopped, streaming }: ProbeRequest, dialect: string): (string | undefined)[] {
  const { ttfbMs, ttftMs, totalMs, tokensPerSecond, eventsPerSecond } = headline(record);
  const ttft = isPlainDialect(dialect) ? 'first content' : 'TTFT';
  return [
    ttfbMs === null ? undefined : `TTFB ${formatValue(ttfbMs, 'ms')}`,
    ttftMs === null || record.mode !== 'streaming' ? undefined : `${ttft} ${formatValue(ttftMs, 'ms')}`,
    // The rate of a buffered answer has no meaning.
    streaming?.verdict === 'buffered'
      ? undefined
      : isPlainDialect(dialect)
        ? rate(eventsPerSecond, 'events/s')
        : rate(tokensPerSecond, record.tokens.source === 'usage' ? 'tokens/s' : 'chunks/s'),
    totalMs === null || ttfbMs === null || stopped ? undefined : `total ${formatValue(totalMs, 'ms')}`,
  ];
}

function rate(value: number | null, unit: string): string | undefined {
  return value === null ? undefined : `${formatNumber(value)} ${unit}`;
}

function coldAndWarm({ cold, warm, target }: ProbeReport, { chalk, width }: Canvas): string[] {
  if (cold.n === 0 || warm.n === 0) return [];
  const cell = (text: string) => text.padStart(width < 80 ? 11 : 14);
  const count = (n: number) => (n === 1 ? '' : ` (p50 of ${n})`);
  const heading = ['cold', 'warm', 'saved'].map(cell).join('');
  const lines = [
    `${chalk.bold(`cold${count(cold.n)} and warm${count(warm.n)}, time since start`)}`,
    chalk.dim(`${' '.repeat(KEY)}${heading}`),
  ];
  for (const { mark, title } of stepTitles(target.mode, target.dialect)) {
    const [before, after] = [cold.atMs[mark], warm.atMs[mark]];
    if (before === undefined && after === undefined) continue;
    const saved = before === undefined || after === undefined ? null : before - after;
    const paint = saved !== null && saved >= 0 ? chalk.green : chalk.yellow;
    const difference = saved === null ? '' : formatValue(saved, 'ms');
    const cells = [before, after].map((ms) => cell(formatValue(ms, 'ms'))).join('');
    lines.push(`${title.padEnd(KEY)}${cells}${paint(cell(difference))}`);
  }
  return lines;
}

function withoutStreaming(report: ProbeReport, { chalk, width }: Canvas): string[] {
  const { parts, failed } = wholeAnswerParts(report);
  return failed
    ? parts.flatMap((text) => wrap(oneLine(text), width)).map((line) => chalk.red(line))
    : filled(parts, width).map((line) => chalk.bold(line));
}

function byLength({ lengths }: ProbeReport, { chalk, width }: Canvas): string[] {
  if (lengths === undefined) return [];
  const paint = lengths === null ? chalk.red : chalk.bold;
  return filled(lengthParts(lengths), width).map((line) => paint(line));
}

function others({ requests }: ProbeReport, { width, chalk }: Canvas): string[] {
  const text = furtherFailures(requests);
  return text === undefined ? [] : wrap(oneLine(text), width).map((line) => chalk.red(line));
}

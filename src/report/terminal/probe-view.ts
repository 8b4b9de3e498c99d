import { Chalk } from 'chalk';
import type { LengthTest } from '../../analysis/streaming/length-test.ts';
import {
  DASH,
  formatCount,
  formatDuration,
  formatNumber,
  formatSpeedup,
  formatValue,
} from '../../model/format.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { Outcome } from '../../model/record.ts';
import { headline, type ProbeReport, type ProbeRequest, stepTitles, succeeded } from '../probe-report.ts';
import { clip, oneLine, wrap } from '../text-width.ts';
import { counted, facts, filled, judgement, KEY, verdictInShort } from './probe-facts.ts';
import { ASCII, BLOCKS } from './strip.ts';
import { type Canvas, waterfall } from './waterfall.ts';

/** What the terminal is like. */
export interface ProbeViewOptions {
  /** Its width in columns. Below 50 it is taken for 50. */
  width: number;
  /** Colours as chalk counts them; with 0 there is no escape code at all. */
  color: 0 | 1 | 2 | 3;
  /** Draw with characters that every terminal has. Default false. */
  ascii?: boolean;
}

const MIN_WIDTH = 50;
const BODY_LINES = 3;

/** A probe as it is read on a terminal: the first request in full, and beside it what a warm connection saved. */
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
  const asked = [
    target.dialect,
    target.provider === target.dialect || target.provider === 'custom' ? undefined : target.provider,
    target.model,
    target.mode,
  ];
  const lines = [
    chalk.bold.cyan(clip(oneLine(`${target.method} ${target.url}`), width)),
    ...filled(asked, width).map((line) => chalk.dim(line)),
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
      : `by the proxy ${connection.proxy}${connection.remote === connection.proxy ? '' : ` (${connection.remote})`}`,
    connection === undefined ? undefined : connection.reused ? 'open connection' : 'new connection',
    reconnected ? 'sent again: the open one was closed' : undefined,
    connection?.streamLimit === undefined ? undefined : `up to ${counted(connection.streamLimit, 'stream')}`,
  ];
}

function outcome(
  request: ProbeRequest,
  guessed: string | undefined,
  { width, chalk, glyphs }: Canvas,
): string[] {
  const { record, stopped } = request;
  const { kind, message, hint, body } = record.outcome;
  if (succeeded(request)) {
    const by = stopped?.by === 'interrupt' ? ', interrupted' : '';
    const ended =
      stopped === undefined
        ? chalk.green(`${glyphs.ok} ok`)
        : chalk.yellow(`${glyphs.ended} stopped after ${formatDuration(stopped.afterMs)}${by}`);
    return [[ended, ...verdictInShort(request, chalk)].join(' · ')];
  }
  if (stopped !== undefined) {
    const nothing = `nothing came within ${formatDuration(stopped.afterMs)}`;
    const said = record.status === undefined ? nothing : `HTTP ${record.status}: ${nothing}`;
    return [chalk.red(`${glyphs.failed} ${said}`)];
  }
  // Its message begins with the status, which says the same.
  const said =
    kind === 'http_error' && message ? message : `${kind}${message === undefined ? '' : `: ${message}`}`;
  const lines = wrap(oneLine(`${glyphs.failed} ${said}`), width);
  const hints = [
    hint,
    // Where the URL alone decided, that may be the mistake.
    guessed === undefined || !mayBeDialect(record.outcome)
      ? undefined
      : `the dialect "${guessed}" was concluded from the URL; --dialect or --provider says otherwise`,
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

/** The first lines of a body; of a JSON document, all of it on one line. */
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
    // Of what came all at once a rate says nothing.
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
    `${chalk.bold(`cold${count(cold.n)} and warm${count(warm.n)}: running times`)}`,
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

/** How long the whole answer takes without streaming, and how much faster the stream's first content is. */
function withoutStreaming({ whole, requests }: ProbeReport, { chalk, width }: Canvas): string[] {
  if (whole === undefined) return [];
  const { totalMs, requests: sent } = whole;
  const failed = sent.find((request) => !succeeded(request));
  if (totalMs === null) {
    const { kind, message } = failed?.record.outcome ?? { kind: 'not asked for' };
    const text = `without streaming: ${kind}${message === undefined ? '' : `: ${message}`}`;
    return wrap(oneLine(text), width).map((line) => chalk.red(line));
  }
  const first = headline(requests[0]!.record).ttftMs;
  const speedup =
    first === null
      ? undefined
      : first < totalMs * 0.9
        ? `stream: first content ${formatSpeedup(totalMs / first)} than the whole answer`
        : 'stream: first content no faster than the whole answer';
  const count = sent.length === 1 ? '' : ` (p50 of ${sent.length})`;
  const parts = [`without streaming: whole answer after ${formatValue(totalMs, 'ms')}${count}`, speedup];
  return filled(parts, width).map((line) => chalk.bold(line));
}

const LENGTH_WORDS: Readonly<Record<LengthTest['result'], string>> = {
  grows: 'longer answers begin later',
  same: 'longer answers do not begin later',
  weak: 'too little difference in length beside the wait',
  open: 'too few requests for waits that differ this much',
  same_length: 'the answers are about as long: the limit was not heeded',
};

/** Whether longer answers begin later. */
function byLength({ lengths }: ProbeReport, { chalk, width }: Canvas): string[] {
  if (lengths === undefined) return [];
  if (lengths === null) return [chalk.red('by length: too few requests ended well')];
  const side = ({ n, tokens, waitMs }: LengthTest['short']) =>
    `${formatCount(tokens)} tokens: first content after ${formatValue(waitMs, 'ms')} (p50 of ${n})`;
  const parts = [`by length: ${side(lengths.short)}`, side(lengths.long), LENGTH_WORDS[lengths.result]];
  return filled(parts, width).map((line) => chalk.bold(line));
}

function others({ requests }: ProbeReport, { width, chalk }: Canvas): string[] {
  const failed = requests.slice(1).filter((request) => !succeeded(request));
  if (failed.length === 0) return [];
  const { kind, message } = failed[0]!.record.outcome;
  const which = requests.flatMap((request, i) => (failed.includes(request) ? [i + 1] : [])).join(', ');
  const text = `${counted(failed.length, 'request')} of ${requests.length} failed (number ${which}): ${kind}${message === undefined ? '' : `: ${message}`}`;
  return wrap(oneLine(text), width).map((line) => chalk.red(line));
}

const PLAIN_SPELLING: Readonly<Record<string, string>> = {
  '·': '-',
  [DASH]: '-',
  '…': '~',
  '“': '"',
  '”': '"',
  '×': 'x',
  µ: 'u',
  '\u202f': ' ',
};

function inAscii(text: string): string {
  return text.replaceAll(/[·—…“”×µ\u202f]/g, (char) => PLAIN_SPELLING[char] ?? '?');
}

import type { ChalkInstance } from 'chalk';
import type { LintSeverity } from '../../analysis/streaming/response-lint.ts';
import { formatCount, formatShare, formatValue } from '../../model/format.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { VerdictKind } from '../../model/report.ts';
import type { ProbeRequest } from '../probe-report.ts';
import { clip, displayWidth, oneLine, wrap } from '../text-width.ts';
import type { Canvas } from './waterfall.ts';

/** What a probe says in words: counts, headers, verdict, lint. */

/** Columns of the names on the left, here and beside the waterfall. */
export const KEY = 13;

/** What came: body, tokens, the beginning of the answer, the headers that bear on streaming. */
export function facts(request: ProbeRequest, dialect: string, { width, chalk }: Canvas): string[] {
  const { record, preview } = request;
  if (record.status === undefined) return [];
  const room = width - KEY;
  const rows: [string, string[]][] = [
    ['body', filled(bodyParts(record), room)],
    ['tokens', isPlainDialect(dialect) ? [] : filled(tokenParts(record), room)],
    [
      isPlainDialect(dialect) ? 'content' : 'answer',
      preview === undefined ? [] : [clip(`“${oneLine(preview)}”`, room)],
    ],
    [
      'headers',
      Object.entries(record.headers ?? {}).flatMap(([name, value]) =>
        wrap(oneLine(`${name}: ${value}`), room),
      ),
    ],
  ];
  return rows.flatMap(([key, lines]) =>
    lines.map((line, i) => `${chalk.dim((i === 0 ? key : '').padEnd(KEY))}${line}`),
  );
}

function bodyParts(record: ProbeRequest['record']): (string | undefined)[] {
  const { bytes, reads, events, contentEvents, coalesced, comments, mode } = record;
  const parts = [formatValue(bytes, 'bytes'), counted(reads, 'read')];
  if (mode === 'non-streaming') return parts;
  const content = events === contentEvents ? '' : `, ${formatCount(contentEvents)} with content`;
  return [
    ...parts,
    `${counted(events, 'event')}${content}`,
    comments === 0 ? undefined : counted(comments, 'comment'),
    contentEvents < 2
      ? undefined
      : `${formatCount(coalesced)} coalesced (${formatShare(coalesced / contentEvents)})`,
  ];
}

const SOURCES = {
  usage: "the provider's count",
  tokenizer: 'counted here',
  chunks: 'an estimate: one a chunk',
};

function tokenParts({ tokens, finish }: ProbeRequest['record']): (string | undefined)[] {
  const { output, source, input, reasoning, cachedInput, hiddenReasoning, refused } = tokens;
  const hidden = hiddenReasoning ? ', not sent' : '';
  return [
    output === null ? undefined : `${formatCount(output)} out (${SOURCES[source]})`,
    reasoning === undefined ? undefined : `${formatCount(reasoning)} of them reasoning${hidden}`,
    input === undefined
      ? undefined
      : `${formatCount(input)} in${cachedInput === undefined ? '' : `, ${formatCount(cachedInput)} of them cached`}`,
    finish === undefined ? undefined : `finish ${finish.raw ?? finish.reason}`,
    refused === undefined ? undefined : `refused: ${refused.map(oneLine).join(', ')}`,
  ];
}

/** Whether it really streamed, and what is wrong with the response. */
export function judgement({ streaming, lint = [] }: ProbeRequest, { width, chalk }: Canvas): string[] {
  const lines: string[] = [];
  const push = (key: string, text: string, paint: (line: string) => string, indent = 0) => {
    for (const [i, line] of wrap(oneLine(text), width - KEY - indent).entries()) {
      lines.push(`${chalk.dim((i === 0 ? key : '').padEnd(KEY + indent))}${paint(line)}`);
    }
  };
  if (streaming !== undefined) {
    const { verdict, evidence } = streaming;
    push('verdict', verdict, verdictPaint(verdict, chalk));
    push('', evidence, (line) => line);
  }
  for (const [i, { severity, what, why, remedy }] of lint.entries()) {
    const paint = severity === 'error' ? chalk.red : severity === 'warning' ? chalk.yellow : chalk.reset;
    push(i === 0 ? 'lint' : '', `${severity}: ${what}`, paint);
    // What several remarks have in common is said once, after the last of them.
    const next = lint[i + 1];
    if (next?.why !== why || next.remedy !== remedy) push('', `${why}; ${remedy}`, chalk.dim, 2);
  }
  return lines;
}

/** The verdict, and the number of remarks, for the head of the page. */
export function verdictInShort({ streaming, lint = [] }: ProbeRequest, chalk: ChalkInstance): string[] {
  const count = (severity: LintSeverity) => lint.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  return [
    ...(streaming === undefined ? [] : [verdictPaint(streaming.verdict, chalk)(streaming.verdict)]),
    ...(errors === 0 ? [] : [chalk.red(counted(errors, 'error'))]),
    ...(warnings === 0 ? [] : [chalk.yellow(counted(warnings, 'warning'))]),
  ];
}

function verdictPaint(verdict: VerdictKind, chalk: ChalkInstance): ChalkInstance {
  switch (verdict) {
    case 'streaming':
      return chalk.bold.green;
    case 'buffered':
    case 'tail_buffered':
    case 'replayed':
      return chalk.bold.red;
    case 'coarse':
      return chalk.bold.yellow;
    case 'inconclusive':
      return chalk.bold;
    default:
      return verdict satisfies never;
  }
}

/** `1 read`, `26 reads`. */
export function counted(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** Lines of parts with a dot between them, never broken inside one. */
export function filled(parts: readonly (string | undefined)[], width: number): string[] {
  const lines: string[] = [];
  for (const part of parts) {
    if (part === undefined || part === '') continue;
    const text = oneLine(part);
    const longer = lines.length === 0 ? text : `${lines.at(-1)} · ${text}`;
    if (lines.length > 0 && displayWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(clip(text, width));
  }
  return lines;
}

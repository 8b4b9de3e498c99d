import type { ChalkInstance } from 'chalk';
import type { LintSeverity } from '../../analysis/streaming/response-lint.ts';
import { counted, formatCount, formatShare, formatValue } from '../../model/format.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { VerdictKind } from '../../model/report.ts';
import type { ProbeRequest } from '../probe-report.ts';
import { clip, displayWidth, oneLine, wrap } from '../text-width.ts';
import { TOKEN_SOURCES } from '../wording/probe.ts';
import type { Canvas } from './waterfall.ts';

/** The text below the waterfall of a probe: counts, headers, verdict, lint. */

/** Width of the names on the left, also of those in the waterfall. */
export const KEY = 13;

/** What was received: body, tokens, the start of the answer, the headers that matter for streaming. */
export function facts(request: ProbeRequest, dialect: string, { width, chalk }: Canvas): string[] {
  const { record, preview } = request;
  if (record.status === undefined) return [];
  const space = width - KEY;
  const rows: [string, string[]][] = [
    ['body', filled(bodyParts(record), space)],
    ['tokens', isPlainDialect(dialect) ? [] : filled(tokenParts(record), space)],
    [
      isPlainDialect(dialect) ? 'content' : 'answer',
      preview === undefined ? [] : [clip(`“${oneLine(preview)}”`, space)],
    ],
    [
      'headers',
      Object.entries(record.headers ?? {}).flatMap(([name, value]) =>
        wrap(oneLine(`${name}: ${value}`), space),
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

function tokenParts({ tokens, finish }: ProbeRequest['record']): (string | undefined)[] {
  const { output, source, input, reasoning, cachedInput, hiddenReasoning, refused } = tokens;
  const hidden = hiddenReasoning ? ', not sent' : '';
  return [
    output === null ? undefined : `${formatCount(output)} out (${TOKEN_SOURCES[source]})`,
    reasoning === undefined ? undefined : `${formatCount(reasoning)} of them reasoning${hidden}`,
    input === undefined
      ? undefined
      : `${formatCount(input)} in${cachedInput === undefined ? '' : `, ${formatCount(cachedInput)} of them cached`}`,
    finish === undefined ? undefined : `finish ${finish.raw ?? finish.reason}`,
    refused === undefined ? undefined : `refused: ${refused.map(oneLine).join(', ')}`,
  ];
}

/** The streaming verdict and the lint findings. */
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
    // Reason and remedy of several findings are printed once, after the last one.
    const next = lint[i + 1];
    if (next?.why !== why || next.remedy !== remedy) push('', `${why}; ${remedy}`, chalk.dim, 2);
  }
  return lines;
}

/** The verdict and the number of findings, for the first lines. */
export function verdictSummary({ streaming, lint = [] }: ProbeRequest, chalk: ChalkInstance): string[] {
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

/** Joins parts with dots and wraps between them, never inside a part. */
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

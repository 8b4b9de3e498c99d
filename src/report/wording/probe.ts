import type { LengthTest } from '../../analysis/streaming/length-test.ts';
import { counted, formatCount, formatDuration, formatSpeedup, formatValue } from '../../model/format.ts';
import type { Outcome, RequestRecord } from '../../model/record.ts';
import { headline, type ProbeReport, type ProbeRequest, succeeded } from '../probe-report.ts';

/** Sentences of a probe. */

/** Sources of output token counts. */
export const TOKEN_SOURCES: Readonly<Record<RequestRecord['tokens']['source'], string>> = {
  usage: 'counted by the provider',
  tokenizer: 'counted locally',
  chunks: 'estimate: one per chunk',
};

/** What became of a request that did not succeed, in one sentence. */
export function failureSentence({ record, stopped }: ProbeRequest): string {
  const { kind, message } = record.outcome;
  if (stopped !== undefined) {
    const nothing = `nothing received within ${formatDuration(stopped.afterMs)}`;
    return record.status === undefined ? nothing : `HTTP ${record.status}: ${nothing}`;
  }
  // The message of an HTTP error starts with the status, so its kind is redundant.
  return kind === 'http_error' && message ? message : kindAndMessage(record.outcome);
}

function kindAndMessage({ kind, message }: Outcome): string {
  return message === undefined ? kind : `${kind}: ${message}`;
}

/** The hint for a failure that a wrong dialect may have caused. */
export function dialectHint(dialect: string): string {
  return `the dialect "${dialect}" was derived from the URL; set another one with --dialect or --provider`;
}

/** The time of the whole answer, and how much faster the first content of the stream was. */
export function wholeAnswerParts({ whole, requests }: ProbeReport): { parts: string[]; failed: boolean } {
  if (whole === undefined) return { parts: [], failed: false };
  const { totalMs, requests: sent } = whole;
  if (totalMs === null) {
    const failed = sent.find((request) => !succeeded(request));
    const why = failed === undefined ? 'not requested' : kindAndMessage(failed.record.outcome);
    return { parts: [`without streaming: ${why}`], failed: true };
  }
  const count = sent.length === 1 ? '' : ` (p50 of ${sent.length})`;
  const parts = [`without streaming: whole answer after ${formatValue(totalMs, 'ms')}${count}`];
  const [request] = requests;
  const first = request === undefined ? null : headline(request.record).ttftMs;
  if (first !== null) {
    const speedup = first < totalMs * 0.9 ? formatSpeedup(totalMs / first) : 'no faster';
    parts.push(`stream: first content ${speedup} than the whole answer`);
  }
  return { parts, failed: false };
}

const LENGTH_RESULTS: Readonly<Record<LengthTest['result'], string>> = {
  grows: 'longer answers start later',
  same: 'longer answers do not start later',
  weak: 'the lengths differ too little compared with TTFT',
  open: 'too few requests: TTFT varies too much',
  same_length: 'the answers have about the same length: the server ignored the limit',
};

/** Whether longer answers start later. */
export function lengthParts(lengths: LengthTest | null): string[] {
  if (lengths === null) return ['by length: too few successful requests'];
  const side = ({ n, tokens, waitMs }: LengthTest['short']) =>
    `${formatCount(tokens)} tokens: first content after ${formatValue(waitMs, 'ms')} (p50 of ${n})`;
  return [`by length: ${side(lengths.short)}`, side(lengths.long), LENGTH_RESULTS[lengths.result]];
}

/** Which of the further requests failed, and how the first of them did; undefined if none failed. */
export function furtherFailures(requests: readonly ProbeRequest[]): string | undefined {
  const failed = [...requests.entries()].filter(([index, request]) => index > 0 && !succeeded(request));
  const [first] = failed;
  if (first === undefined) return undefined;
  const numbers = failed.map(([index]) => index + 1).join(', ');
  return `${counted(failed.length, 'request')} of ${requests.length} failed (number ${numbers}): ${kindAndMessage(first[1].record.outcome)}`;
}

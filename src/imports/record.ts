import { sameLevel } from '../model/cells.ts';
import type { Unobserved } from '../model/origin.ts';
import type { Cell } from '../model/plan.ts';
import type { Outcome, TokenSource } from '../model/record.ts';
import type { Marks } from '../model/timeline.ts';
import type { ImportedRecord } from './imported-run.ts';

/** What a tool recorded of one request. Times in ms from the start of the run; what it did not record is absent. */
export interface RequestFacts {
  cell: Cell;
  /** From 0. */
  round?: number;
  outcome: Outcome;
  /** When it was due. */
  dueMs?: number;
  /** When it was sent, as the tool counts its times from. Absent: the other times count from this moment. */
  sentMs?: number;
  headersMs?: number;
  firstTokenMs?: number;
  firstAnswerMs?: number;
  lastTokenMs?: number;
  endMs?: number;
  /** Between chunks with content, in order. */
  gapsMs?: readonly number[];
  chunks?: number;
  /** Characters of answer and of reasoning. */
  chars?: { answer: number; thinking: number };
  outputTokens?: number;
  /** Absent: the tool does not say. */
  tokenSource?: TokenSource;
  inputTokens?: number;
  cachedInputTokens?: number;
  reasoningTokens?: number;
  /** An open connection carried it. */
  reused?: boolean;
}

/** The record of a request. */
export function recordOf(facts: RequestFacts): ImportedRecord {
  const { cell, outcome, gapsMs, chunks, chars, sentMs, reused, outputTokens } = facts;
  const unobserved: Unobserved[] = ['coalesced', 'reads', 'events', 'bytes'];
  if (facts.dueMs === undefined) unobserved.push('scheduled');
  if (sentMs === undefined) unobserved.push('started');
  if (gapsMs === undefined) unobserved.push('gaps');
  if (chunks === undefined) unobserved.push('contentEvents');
  if (chars === undefined) unobserved.push('chars');
  if (facts.tokenSource === undefined) unobserved.push('tokenSource');
  const isOk = outcome.kind === 'ok';
  return {
    ...cell,
    round: facts.round ?? 0,
    outcome,
    marks: marksOf(facts, unobserved),
    reads: 0,
    events: 0,
    comments: 0,
    contentEvents: chunks ?? 0,
    coalesced: 0,
    bytes: 0,
    chars: chars ?? { answer: 0, thinking: 0 },
    gaps: [...(gapsMs ?? [])],
    secondTokenGap: gapsMs?.[0],
    status: outcome.status,
    connection: reused === undefined ? undefined : { reused },
    tokens: {
      output: isOk ? (outputTokens ?? null) : null,
      source: facts.tokenSource ?? 'usage',
      input: facts.inputTokens,
      reasoning: facts.reasoningTokens,
      cachedInput: facts.cachedInputTokens,
    },
    unobserved,
  };
}

/** Adds to `unobserved` the marks that stand in for others. */
function marksOf(facts: RequestFacts, unobserved: Unobserved[]): Marks {
  const {
    sentMs: sent = 0,
    dueMs = sent,
    headersMs,
    firstTokenMs,
    firstAnswerMs,
    lastTokenMs,
    endMs,
  } = facts;
  if (lastTokenMs === undefined && endMs !== undefined) unobserved.push('lastToken');
  if (endMs === undefined && lastTokenMs !== undefined) unobserved.push('end');
  return {
    // What was due before the first request was sent has no time on this axis.
    scheduled: Math.max(0, Math.min(dueMs, sent)),
    started: sent,
    sent,
    headers: headersMs,
    firstToken: firstTokenMs,
    firstAnswer: firstAnswerMs,
    lastToken: lastTokenMs ?? (facts.outcome.kind === 'ok' ? endMs : undefined),
    end: endMs ?? lastTokenMs,
  };
}

/** The cells of these records in the order of their first appearance. */
export function cellsOf(cells: readonly Cell[]): Cell[] {
  const found: Cell[] = [];
  for (const cell of cells) {
    const isKnown = found.some(
      (other) =>
        other.target === cell.target &&
        other.prompt === cell.prompt &&
        other.mode === cell.mode &&
        sameLevel(other, cell),
    );
    if (!isKnown) found.push(cell);
  }
  return found;
}

/** The most requests that were in flight at once: the load level of a file that does not name it. At least 1. */
export function mostInFlight(spans: readonly { fromMs: number; toMs: number }[]): number {
  // At equal times an end comes before a start.
  const steps = spans
    .filter(({ fromMs, toMs }) => toMs > fromMs)
    .flatMap(({ fromMs, toMs }) => [
      { ms: fromMs, by: 1 },
      { ms: toMs, by: -1 },
    ])
    .sort((a, b) => a.ms - b.ms || a.by - b.by);
  let now = 0;
  let most = 1;
  for (const { by } of steps) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

/** The smallest of any number of values; Infinity without one. */
export function smallest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
}

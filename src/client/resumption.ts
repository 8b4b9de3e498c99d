import type { ResumePolicy, Resumption } from '../model/behaviour.ts';
import type { StreamEvent } from '../model/events.ts';
import type { Observation, Outcome } from '../model/record.ts';
import { joinChunks } from './chunk-tally.ts';
import { EventIdTally } from './event-ids.ts';

/** Sends the request, or continues its stream after an event. The tally follows its ids. */
export type SendStream = (ids: EventIdTally, lastEventId: string | undefined) => Promise<Observation>;

/** Waits; resolves with false if the request was cancelled meanwhile. */
export type WaitFor = (ms: number) => Promise<boolean>;

/**
 * Measures a stream that is continued with Last-Event-ID when its connection breaks, as browsers do with an EventSource. A
 * stream that ended properly, or that had no ids, is not continued. The observation is that of the joined stream: the outage is
 * one of its gaps.
 */
export async function measureResuming(
  send: SendStream,
  policy: ResumePolicy,
  wait: WaitFor,
): Promise<Observation> {
  const ids = new EventIdTally();
  let joined = await send(ids, undefined);
  const resumptions: Resumption[] = [];
  while (isBroken(joined.outcome) && ids.last !== undefined && resumptions.length < policy.max) {
    if (!(await wait(ids.retryMs ?? policy.waitMs))) break;
    const lastEventId = ids.last;
    ids.reconnected();
    const next = await send(ids, lastEventId);
    resumptions.push(resumptionOf(joined, next, lastEventId));
    joined = joinObservations(joined, next);
    // The server does not know the stream any more.
    if (next.status !== undefined && next.status >= 400 && next.status < 500) break;
  }
  joined.eventIds = ids.result();
  if (resumptions.length > 0) joined.resumptions = resumptions;
  return joined;
}

/** Listeners to one of several connections of a stream. */
type Listener = (events: readonly StreamEvent[], atMs: number, read: number, size: number) => void;

/** The same listener for all connections of a stream: the numbers of the reads go on. Call `reconnected` before each. */
export function joinedListener(listener: Listener): { onEvents: Listener; reconnected(): void } {
  let offset = 0;
  let next = 0;
  return {
    onEvents(events, atMs, read, size) {
      next = offset + read + 1;
      listener(events, atMs, offset + read, size);
    },
    reconnected() {
      offset = next;
    },
  };
}

function isBroken({ kind }: Outcome): boolean {
  return kind === 'truncated' || kind === 'network';
}

function resumptionOf(before: Observation, after: Observation, lastEventId: string): Resumption {
  const { lastToken, end, started } = before.marks;
  const { firstToken } = after.marks;
  return {
    lostMs: end ?? started,
    sentMs: after.marks.sent,
    lastEventId,
    outageMs: lastToken === undefined || firstToken === undefined ? undefined : firstToken - lastToken,
  };
}

/** Two connections of one stream as one observation. The marks of its beginning are those of the first. */
function joinObservations(before: Observation, after: Observation): Observation {
  const a = before.marks;
  const b = after.marks;
  const outage = a.lastToken === undefined || b.firstToken === undefined ? [] : [b.firstToken - a.lastToken];
  const both = before.contentEvents > 0 && after.contentEvents > 0;
  const joined: Observation = {
    ...before,
    outcome: joinedOutcome(before, after),
    marks: {
      ...a,
      headers: a.headers ?? b.headers,
      firstByte: a.firstByte ?? b.firstByte,
      firstEvent: a.firstEvent ?? b.firstEvent,
      firstToken: a.firstToken ?? b.firstToken,
      firstAnswer: a.firstAnswer ?? b.firstAnswer,
      lastToken: b.lastToken ?? a.lastToken,
      end: b.end,
    },
    reads: before.reads + after.reads,
    events: before.events + after.events,
    comments: before.comments + after.comments,
    contentEvents: before.contentEvents + after.contentEvents,
    coalesced: before.coalesced + after.coalesced,
    bytes: before.bytes + after.bytes,
    chars: {
      answer: before.chars.answer + after.chars.answer,
      thinking: before.chars.thinking + after.chars.thinking,
    },
    gaps: [...before.gaps, ...outage, ...after.gaps],
    secondTokenGap:
      before.secondTokenGap ??
      (both && before.contentEvents === 1
        ? outage[0]
        : before.contentEvents === 0
          ? after.secondTokenGap
          : undefined),
    chunks: joinChunks(before, after),
    flush: largerFlush(before, after),
    tokens: joinedTokens(before, after),
    finish: after.finish ?? before.finish,
    text: joinedText(before.text, after.text),
    thinking: joinedText(before.thinking, after.thinking),
    toolText: joinedText(before.toolText, after.toolText),
  };
  joined.partial = joined.outcome.kind !== 'ok' && joined.contentEvents > 0 ? true : undefined;
  return joined;
}

function joinedOutcome({ outcome: before }: Observation, { outcome, contentEvents }: Observation): Outcome {
  if (outcome.kind === 'ok' || outcome.kind === 'cancelled' || contentEvents > 0) return outcome;
  const why = outcome.message ?? outcome.kind;
  return {
    ...before,
    message: `${before.message ?? before.kind}; not continued: ${why}`,
    hint: outcome.hint,
  };
}

/** Usage comes with the end of an answer and counts all of it; chunks are counted for each connection. */
function joinedTokens({ tokens: a }: Observation, { tokens: b }: Observation): Observation['tokens'] {
  if (b.source === 'usage') return { ...b, first: a.first ?? b.first };
  if (a.source === 'usage' || b.output === null) return a;
  return { ...a, output: (a.output ?? 0) + b.output, first: a.first ?? b.first };
}

function largerFlush(before: Observation, after: Observation): Observation['flush'] {
  if (after.flush === undefined || (before.flush?.events ?? 0) >= after.flush.events) return before.flush;
  return { ...after.flush, before: after.flush.before + before.contentEvents };
}

function joinedText(a: string | undefined, b: string | undefined): string | undefined {
  return a === undefined && b === undefined ? undefined : `${a ?? ''}${b ?? ''}`;
}

/** Waits. Resolves with false if the signal is aborted first. */
export function waitUnlessAborted(ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve(signal?.aborted !== true);
    };
    const timer = setTimeout(done, signal?.aborted ? 0 : ms);
    signal?.addEventListener('abort', done, { once: true });
  });
}

import type { ErrorEvent, StreamEvent } from '../../model/events.ts';
import type { UpstreamFailure } from '../agent/upstream.ts';
import { HttpError } from '../http/http-error.ts';
import type { StopReason } from './event-stream.ts';

/** What a client reads about an answer that was stopped early. */
export const STOP_MESSAGES = {
  shutdown: 'the service is shutting down',
  too_large: 'the answer is larger than the limit of this service',
  cancelled: 'the answer was cancelled',
  timeout: 'the answer did not end within the timeout of its request',
  internal_error: 'the service failed',
} as const satisfies Partial<Record<StopReason, string>>;

/** The start of an answer. */
export interface AnswerStart {
  /** The first event; undefined if it is late, or if there is none. */
  first?: StreamEvent;
  /** The first event did not arrive in time. */
  late: boolean;
  /** All events, the first one included. */
  events: AsyncIterable<StreamEvent>;
}

/** Waits up to `limitMs` for the first event of an answer. Rejects when the events cannot be read. */
export async function firstEvent(events: AsyncIterable<StreamEvent>, limitMs: number): Promise<AnswerStart> {
  const iterator = events[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<StreamEvent>> | undefined = iterator.next();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, limitMs, undefined)));
  const result = await Promise.race([first, late]).finally(() => clearTimeout(timer));
  return {
    late: result === undefined,
    first: result === undefined || result.done ? undefined : result.value,
    events: {
      // A generator would add a promise per event.
      [Symbol.asyncIterator]: () => ({
        next() {
          const next = first ?? iterator.next();
          first = undefined;
          return next;
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }),
    },
  };
}

/** The refusal when the model failed before any byte of the answer was sent. */
export function upstreamFailed(
  { message, code }: ErrorEvent,
  failure: UpstreamFailure | undefined,
): HttpError {
  const text = `the model failed: ${message}`;
  if (failure?.kind === 'rate_limited' || code === 'rate_limited' || code === '429') {
    const { retryAfter } = failure ?? {};
    const headers = retryAfter === undefined ? undefined : { 'retry-after': retryAfter };
    return new HttpError(429, 'upstream_error', text, { headers });
  }
  const timedOut = failure?.kind === 'timeout' || code === 'timeout';
  return new HttpError(timedOut ? 504 : 502, 'upstream_error', text);
}

/** The refusal when the answer was stopped before any byte of it was sent. */
export function stoppedEarly(reason: StopReason): HttpError {
  switch (reason) {
    case 'shutdown':
      return new HttpError(503, 'shutting_down', STOP_MESSAGES.shutdown, {
        headers: { 'retry-after': '5' },
      });
    case 'too_large':
      return new HttpError(502, 'answer_too_large', STOP_MESSAGES.too_large);
    case 'timeout':
      return new HttpError(504, 'timeout', STOP_MESSAGES.timeout);
    case 'cancelled':
      return new HttpError(409, 'cancelled', STOP_MESSAGES.cancelled);
    case 'internal_error':
    // The client of the next two does not read the answer.
    case 'client_gone':
    case 'client_stalled':
      return new HttpError(500, 'internal_error', STOP_MESSAGES.internal_error);
    default:
      return reason satisfies never;
  }
}

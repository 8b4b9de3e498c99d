import type { ErrorEvent, StreamEvent } from '../../model/events.ts';
import type { UpstreamFailure } from '../agent/upstream.ts';
import { HttpError } from '../http/http-error.ts';
import type { StopReason } from './event-stream.ts';

/** An answer whose first event was waited for. */
export interface Begun {
  /** The first event; undefined when there was none in time, or none at all. */
  first?: StreamEvent;
  /** It did not come in time. */
  late: boolean;
  /** All events, the first one included. */
  events: AsyncIterable<StreamEvent>;
}

/** Waits up to `limitMs` for the first event of an answer. Rejects when reading it fails. */
export async function firstEvent(events: AsyncIterable<StreamEvent>, limitMs: number): Promise<Begun> {
  const iterator = events[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<StreamEvent>> | undefined = iterator.next();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, limitMs, undefined)));
  const result = await Promise.race([first, late]).finally(() => clearTimeout(timer));
  return {
    late: result === undefined,
    first: result === undefined || result.done ? undefined : result.value,
    events: {
      // Not a generator, which would cost a turn for every event of an answer.
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

/** How an answer is refused whose model failed before a byte of it was sent. */
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

/** How an answer is refused that was stopped before a byte of it was sent. */
export function stoppedEarly(reason: StopReason): HttpError {
  switch (reason) {
    case 'shutdown':
      return new HttpError(503, 'shutting_down', 'the service is shutting down', {
        headers: { 'retry-after': '5' },
      });
    case 'too_large':
      return new HttpError(502, 'answer_too_large', 'the answer is larger than this service lets through');
    case 'internal_error':
    // Nobody is there to read these.
    case 'client_gone':
    case 'client_stalled':
      return new HttpError(500, 'internal_error', 'the service failed');
    default:
      return reason satisfies never;
  }
}

import { type MeasureOptions, Observing } from './observing.ts';
import type { SeenRequest } from './seen-request.ts';
import { tapResponse } from './tapped-response.ts';
import { WatchedExchange } from './watched-exchange.ts';

/** A `fetch`, as client libraries take it. */
export type Fetch = typeof globalThis.fetch;

type Input = Parameters<Fetch>[0];
type Init = Parameters<Fetch>[1];

/**
 * A `fetch` that measures each response, to hand to a client library: `new OpenAI({ fetch: measuredFetch({ onObservation }) })`.
 *
 * Requests and responses are those of `fetch` (default: the global one): the same objects, bytes, errors and back-pressure.
 * Each call gives one observation, also where it fails, is aborted, or its response is not read to its end; a response that
 * is dropped unread gives it when it is collected as garbage. Stamps are the reader's (`stamp: 'reader'`): what arrived while
 * the application was busy, or did not read, is late. `marks.sent` is the time of the call, so it includes connecting.
 *
 * Throws a `UserError` if `onObservation` is missing, or the dialect is unknown. A failure of the measurement gives one process warning.
 */
export function measuredFetch(options: MeasureOptions): Fetch;
export function measuredFetch(fetch: Fetch | undefined, options: MeasureOptions): Fetch;
export function measuredFetch(first: Fetch | MeasureOptions | undefined, second?: MeasureOptions): Fetch {
  const [given, options] = second === undefined ? [undefined, first] : [first, second];
  const observing = new Observing(options as MeasureOptions | undefined, 'reader');
  // Looked up for each call: a library may replace the global one.
  const send = (input: Input, init: Init) => ((given as Fetch | undefined) ?? globalThis.fetch)(input, init);
  return (input, init) => {
    const watch = watchOf(observing, input, init);
    if (watch === undefined) return send(input, init);
    let pending: ReturnType<Fetch>;
    try {
      pending = send(input, init);
    } catch (error) {
      watch.fail(error);
      throw error;
    }
    // Not a promise: the caller gets what `fetch` returned.
    if (typeof pending?.then !== 'function') {
      watch.fail(new Error('fetch returned no promise'));
      return pending;
    }
    return pending.then(
      (response) => {
        observeResponse(observing, watch, response);
        return response;
      },
      (error: unknown) => {
        watch.fail(error);
        throw error;
      },
    );
  };
}

/** Bodies that were not read to their end: they are observed when they are collected as garbage. */
const unread = new FinalizationRegistry<WatchedExchange>((watch) =>
  watch.cancel('the body was not read to its end'),
);

function watchOf(observing: Observing, input: Input, init: Init): WatchedExchange | undefined {
  try {
    const startedAt = observing.clock.now();
    const watch = new WatchedExchange(observing, seenRequest(input, init), startedAt);
    watch.sent(startedAt);
    const signal = init?.signal ?? (isRequest(input) ? input.signal : undefined);
    if (signal) {
      const onAbort = () => watch.cancel(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      watch.whenOver(() => signal.removeEventListener('abort', onAbort));
      if (signal.aborted) onAbort();
    }
    return watch;
  } catch (error) {
    observing.warn(error);
    return undefined;
  }
}

function observeResponse(observing: Observing, watch: WatchedExchange, response: Response): void {
  try {
    const { 'content-encoding': _, ...headers } = headersOf(response.headers);
    // Without the encoding: `fetch` has decoded the body.
    watch.headers(observing.clock.now(), response.status, headers);
    tapResponse(response, watch);
    if (watch.isOver) return;
    unread.register(response.body ?? response, watch, watch);
    watch.whenOver(() => unread.unregister(watch));
  } catch (error) {
    watch.cancel('the response could not be observed');
    observing.warn(error);
  }
}

function seenRequest(input: Input, init: Init): SeenRequest {
  const request = isRequest(input) ? input : undefined;
  const headers = init?.headers ?? request?.headers;
  const { body } = init ?? {};
  return {
    url: request?.url ?? String(input),
    method: (init?.method ?? request?.method ?? 'GET').toUpperCase(),
    headers: headers ? headersOf(headers) : {},
    // The body of a Request is a stream that only one reader can have.
    body: typeof body === 'string' ? body : undefined,
  };
}

function isRequest(input: Input): input is Request {
  return typeof input === 'object' && 'url' in input && 'method' in input;
}

function headersOf(headers: NonNullable<NonNullable<Init>['headers']>): Record<string, string> {
  const known = typeof (headers as Headers).forEach === 'function' && !Array.isArray(headers);
  const seen: Record<string, string> = {};
  (known ? (headers as Headers) : new Headers(headers)).forEach((value, name) => {
    seen[name.toLowerCase()] = value;
  });
  return seen;
}

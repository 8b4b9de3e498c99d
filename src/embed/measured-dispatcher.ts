import type { Dispatcher } from 'undici';
import { type MeasureOptions, Observing } from './observing.ts';
import { MAX_PARSED_CHARS, type SeenRequest } from './seen-request.ts';
import { WatchedExchange } from './watched-exchange.ts';

/**
 * An interceptor for undici 7: `new Agent().compose(measuredDispatcher({ onObservation }))`. It observes as `measuredFetch`
 * does, with the stamps of the socket reads (`stamp: 'socket'`), so a busy reader does not make them late. `marks.sent` is
 * when the request got its connection.
 *
 * Throws a `UserError` if `onObservation` is missing, or the dialect is unknown. A failure of the measurement gives one process warning.
 */
export function measuredDispatcher(options: MeasureOptions): Dispatcher.DispatcherComposeInterceptor {
  const observing = new Observing(options, 'socket');
  return (dispatch) => (request, handler) => {
    if (!isObserved(observing, request, handler)) return dispatch(request, handler);
    const seen = seenRequest(request);
    const watch = new WatchedExchange(observing, seen, observing.clock.now());
    try {
      return dispatch(withSeenBody(request, seen), tapHandler(observing, watch, handler));
    } catch (error) {
      watch.fail(error);
      throw error;
    }
  };
}

type Handler = Dispatcher.DispatchHandler;
type Headers = Readonly<Record<string, string | string[] | undefined>>;

function isObserved(
  observing: Observing,
  { method, upgrade }: Dispatcher.DispatchOptions,
  handler: Handler,
): boolean {
  // A tunnel or a WebSocket is no response.
  if (method === 'CONNECT' || upgrade) return false;
  if (typeof handler.onRequestStart === 'function') return true;
  observing.warn('the dispatcher needs undici 7 and its compose()');
  return false;
}

/** The same handler; the exchange sees each event first. */
function tapHandler(observing: Observing, watch: WatchedExchange, handler: Handler): Handler {
  return {
    onRequestStart(controller, context) {
      watch.sent(observing.clock.now());
      handler.onRequestStart?.(controller, context);
    },
    onRequestUpgrade(controller, status, headers, socket) {
      watch.cancel('the connection was upgraded');
      handler.onRequestUpgrade?.(controller, status, headers, socket);
    },
    onResponseStart(controller, status, headers, statusMessage) {
      // Interim responses come before the one that is measured.
      if (status >= 200) watch.headers(observing.clock.now(), status, flat(headers));
      handler.onResponseStart?.(controller, status, headers, statusMessage);
    },
    onResponseData(controller, chunk) {
      watch.read(chunk);
      handler.onResponseData?.(controller, chunk);
    },
    onResponseEnd(controller, trailers) {
      watch.end();
      handler.onResponseEnd?.(controller, trailers);
    },
    onResponseError(controller, error) {
      // What aborts a request gives its reason as the error.
      if (controller?.aborted && isAbort(error, controller.reason)) watch.cancel(controller.reason ?? error);
      else watch.fail(error);
      handler.onResponseError?.(controller, error);
    },
  };
}

function isAbort(error: Error, reason: Error | null): boolean {
  return (
    error === reason ||
    error.name === 'AbortError' ||
    (error as NodeJS.ErrnoException).code === 'UND_ERR_ABORTED'
  );
}

function seenRequest({ origin, path, method, headers, body }: Dispatcher.DispatchOptions): SeenRequest {
  return {
    url: `${origin ?? ''}${path}`,
    method,
    headers: pairsOf(headers),
    body: typeof body === 'string' ? body : body instanceof Uint8Array ? textOf([body]) : undefined,
  };
}

/** The text of a request's body. Undefined if it is too large to be parsed. */
function textOf(chunks: readonly Uint8Array[]): string | undefined {
  const bytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (bytes > MAX_PARSED_CHARS) return undefined;
  const utf8 = new TextDecoder();
  return chunks.map((chunk) => utf8.decode(chunk, { stream: true })).join('');
}

/** The options of a request whose body `fetch` gives as an iterable: its chunks are seen as they are taken. */
function withSeenBody(options: Dispatcher.DispatchOptions, request: SeenRequest): Dispatcher.DispatchOptions {
  const { body } = options as { body?: unknown };
  const isIterable = typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
  if (!isIterable || 'pipe' in body || body instanceof FormData) return options;
  return { ...options, body: seenChunks(body as AsyncIterable<Uint8Array>, request) as never };
}

async function* seenChunks(
  body: AsyncIterable<Uint8Array>,
  request: SeenRequest,
): AsyncGenerator<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (chunk instanceof Uint8Array && bytes <= MAX_PARSED_CHARS) {
      bytes += chunk.byteLength;
      chunks.push(chunk);
    }
    yield chunk;
  }
  request.body = textOf(chunks);
}

/** The headers in any of the forms that undici takes: an object, pairs, or names and values in turn. */
function pairsOf(headers: Dispatcher.DispatchOptions['headers']): Record<string, string> {
  const seen: Record<string, string> = {};
  if (!headers) return seen;
  const add = (name: unknown, value: unknown) => {
    if (value !== undefined) seen[String(name).toLowerCase()] = String(value);
  };
  if (Array.isArray(headers)) {
    for (let i = 0; i + 1 < headers.length; i += 2) add(headers[i], headers[i + 1]);
  } else if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<[string, unknown]>) add(name, value);
  } else {
    for (const [name, value] of Object.entries(headers)) add(name, value);
  }
  return seen;
}

function flat(headers: Headers): Record<string, string> {
  const seen: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) seen[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return seen;
}

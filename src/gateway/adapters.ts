import type { FetchHandler } from './gateway.ts';

/**
 * streambench/adapters: web handlers (`Request` in, `Response` out) in servers for Node.js, Express and Hono.
 *
 * The types are structural: nothing is imported. Each chunk of a response is written when it is made, and the next one is made
 * when the socket has taken it.
 */

/** What is used of `http.IncomingMessage` and of Express's request. */
export interface NodeRequest extends AsyncIterable<Uint8Array | string> {
  readonly method?: string;
  readonly url?: string;
  /** Express: the URL before routers removed their part of it. */
  readonly originalUrl?: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Express: the body, where a parser has read it. */
  readonly body?: unknown;
  /** True when the body was read to its end. */
  readonly readableEnded?: boolean;
}

/** What is used of `http.ServerResponse` and of Express's response. */
export interface NodeResponse {
  statusCode: number;
  readonly headersSent: boolean;
  readonly writableFinished: boolean;
  readonly destroyed: boolean;
  setHeader(name: string, value: string | string[]): unknown;
  flushHeaders(): void;
  write(chunk: Uint8Array): boolean;
  /** Added by compression middleware: sends what it holds back. */
  flush?(): void;
  end(): unknown;
  destroy(error?: Error): unknown;
  once(event: 'drain' | 'close', listener: () => void): unknown;
  removeListener(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Options of an adapter. */
export interface AdapterOptions {
  /** The largest request body in bytes; a larger one is answered with 413. Default: 32 MiB. */
  bodyBytes?: number;
  /** Receives what a handler throws. The caller gets 500 without its text. Default: it is dropped. */
  onError?(error: unknown): void;
}

const DEFAULT_BODY_BYTES = 32 * 1024 * 1024;

/** A listener for `http.createServer` and for Express. Never throws. */
export function nodeHandler(
  handler: FetchHandler,
  options: AdapterOptions = {},
): (request: NodeRequest, response: NodeResponse) => Promise<void> {
  const { bodyBytes = DEFAULT_BODY_BYTES, onError } = options;
  return async (incoming, outgoing) => {
    const stop = new AbortController();
    const onClose = () => {
      if (!outgoing.writableFinished) stop.abort(new Error('the caller went away'));
    };
    outgoing.once('close', onClose);
    try {
      const body = await bodyOf(incoming, bodyBytes);
      const response =
        body === undefined
          ? new Response('the request body is too large\n', { status: 413 })
          : await handler(webRequest(incoming, body, stop.signal));
      await sendResponse(response, outgoing);
    } catch (error) {
      if (!stop.signal.aborted) onError?.(error);
      if (outgoing.headersSent || outgoing.destroyed) outgoing.destroy();
      else {
        outgoing.statusCode = 500;
        outgoing.end();
      }
    } finally {
      outgoing.removeListener('close', onClose);
    }
  };
}

/** A handler for Hono: `app.post('/v1/messages', honoHandler(gateway))`. Its server keeps back-pressure and cancels by itself. */
export function honoHandler(
  handler: FetchHandler,
): (context: { req: { raw: Request } }) => Promise<Response> {
  return ({ req }) => handler(req.raw);
}

/**
 * Writes a web response to a response of Node.js: chunk by chunk, the next one when the socket has taken the last. Cancels the
 * body when the caller goes away. Rejects when the body fails, after the connection was closed.
 */
export async function sendResponse(response: Response, outgoing: NodeResponse): Promise<void> {
  outgoing.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie') outgoing.setHeader(name, value);
  }
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) outgoing.setHeader('set-cookie', cookies);
  const reader = response.body?.getReader();
  if (reader === undefined) {
    outgoing.end();
    return;
  }
  outgoing.flushHeaders();
  const onClose = () => void reader.cancel('the caller went away').catch(() => {});
  outgoing.once('close', onClose);
  // It may have closed before the listener was added.
  if (outgoing.destroyed) onClose();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      // A write after that would emit an error that nobody handles.
      if (outgoing.destroyed) {
        onClose();
        break;
      }
      const hasRoom = outgoing.write(value);
      outgoing.flush?.();
      if (!hasRoom) await drained(outgoing);
    }
    if (!outgoing.destroyed) outgoing.end();
  } catch (error) {
    // A response that ends in the middle must not look like one that is complete.
    outgoing.destroy();
    throw error;
  } finally {
    outgoing.removeListener('close', onClose);
  }
}

/** Resolves when the response takes more, or is closed. */
function drained(outgoing: NodeResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      outgoing.removeListener('drain', done);
      outgoing.removeListener('close', done);
      resolve();
    };
    if (outgoing.destroyed) resolve();
    else {
      outgoing.once('drain', done);
      outgoing.once('close', done);
    }
  });
}

/** The body as text; undefined if it is too large. */
async function bodyOf(incoming: NodeRequest, maxBytes: number): Promise<string | undefined> {
  const { body } = incoming;
  if (body !== undefined && (incoming.readableEnded === true || typeof body === 'string')) {
    if (body instanceof Uint8Array) return new TextDecoder().decode(body);
    return typeof body === 'string' ? body : JSON.stringify(body);
  }
  const utf8 = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of incoming) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    text += typeof chunk === 'string' ? chunk : utf8.decode(chunk, { stream: true });
  }
  return text + utf8.decode();
}

function webRequest(incoming: NodeRequest, body: string, signal: AbortSignal): Request {
  const { method = 'GET', headers, originalUrl, url = '/' } = incoming;
  const all = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    // Pseudo-headers of HTTP/2.
    if (value === undefined || name.startsWith(':')) continue;
    for (const one of [value].flat()) all.append(name, one);
  }
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const path = originalUrl ?? url;
  return new Request(new URL(path.startsWith('/') ? path : `/${path}`, 'http://localhost'), {
    method,
    headers: all,
    body: hasBody ? body : undefined,
    signal,
  });
}

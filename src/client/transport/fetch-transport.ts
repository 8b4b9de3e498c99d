import type { Clock } from '../../model/clock.ts';
import { UserError } from '../../model/errors.ts';
import type { ConnectOptions } from '../../model/plan.ts';
import {
  type Connection,
  type ConnectionPool,
  type ConnectionSink,
  HeadersTooLarge,
  type ResponseHeaders,
  type SocketRequest,
} from './connection.ts';
import type { OpenTransport } from './transport.ts';

// Requests by `fetch`, for browsers, workers, Bun and Deno, and for a fetch of the user's own. It has no sockets to stamp: a
// stamp says when a chunk reached its reader. When a request was sent, and on which connection, is not known.

/** A function like `fetch`. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** Throws a `UserError` that names each option of a connection that `fetch` has not. */
export function checkFetchOptions(connect: ConnectOptions): void {
  const names = Object.entries(connect).flatMap(([name, value]) =>
    value === undefined || (name === 'http' && value === 1) ? [] : [`connect.${name}`],
  );
  if (names.length === 0) return;
  throw new UserError('usage', {
    message: `${names.join(', ')}: not possible with fetch, which chooses its connections itself`,
    hint: 'remove it, or run on Node.js without the option fetch',
  });
}

/** Connections by this fetch. Default: the platform's, called without an object, as browsers demand. */
export function fetchTransport(given?: FetchFunction): OpenTransport {
  const fetch: FetchFunction = given ?? ((url, init) => globalThis.fetch(url, init));
  return (clock, { origin, headerBytes }) => new FetchPool(fetch, clock, origin, headerBytes);
}

/** `fetch` keeps connections open by itself: there is nothing to keep here. */
class FetchPool implements ConnectionPool {
  private readonly fetch: FetchFunction;
  private readonly clock: Clock;
  private readonly origin: URL;
  private readonly headerBytes: number;

  constructor(fetch: FetchFunction, clock: Clock, origin: URL, headerBytes: number) {
    this.fetch = fetch;
    this.clock = clock;
    this.origin = origin;
    this.headerBytes = headerBytes;
  }

  acquire(): Connection {
    return new FetchConnection(this.fetch, this.clock, this.origin, this.headerBytes);
  }

  replace(connection: Connection): Connection {
    connection.destroy();
    return this.acquire();
  }

  release(): void {}

  async warm(): Promise<void> {}

  drop(): void {}

  close(): void {}
}

class FetchConnection implements Connection {
  usable = true;
  private readonly fetch: FetchFunction;
  private readonly clock: Clock;
  private readonly origin: URL;
  private readonly headerBytes: number;
  private readonly stop = new AbortController();
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private paused: { resume: () => void; over: Promise<void> } | undefined;

  constructor(fetch: FetchFunction, clock: Clock, origin: URL, headerBytes: number) {
    this.fetch = fetch;
    this.clock = clock;
    this.origin = origin;
    this.headerBytes = headerBytes;
  }

  send(request: SocketRequest, sink: ConnectionSink): void {
    this.run(request, sink).catch((error: unknown) => {
      if (!this.usable) return;
      this.usable = false;
      sink.onError(this.clock.now(), asError(error));
    });
  }

  pause(): void {
    if (this.paused !== undefined) return;
    let resume = () => {};
    const over = new Promise<void>((resolve) => (resume = resolve));
    this.paused = { resume, over };
  }

  resume(): void {
    this.paused?.resume();
    this.paused = undefined;
  }

  destroy(): void {
    this.usable = false;
    this.stop.abort();
    this.reader?.cancel().catch(() => {});
    this.resume();
  }

  private async run(request: SocketRequest, sink: ConnectionSink): Promise<void> {
    const { method, path, body } = request;
    const sending = this.fetch(new URL(path, this.origin).href, {
      method,
      body,
      headers: sendable(request.headers),
      signal: this.stop.signal,
      redirect: 'manual',
    });
    // The nearest known time: fetch does not report when it has written the request.
    sink.onSent(this.clock.now());
    const response = await sending;
    const atMs = this.clock.now();
    this.reader = response.body?.getReader();
    if (!this.usable) {
      // A fetch that ignores its signal.
      this.destroy();
      return;
    }
    const headers: ResponseHeaders = Object.fromEntries(response.headers);
    const bytes = Object.entries(headers).reduce(
      (sum, [name, value]) => sum + name.length + (value?.length ?? 0),
      0,
    );
    if (bytes > this.headerBytes) throw new HeadersTooLarge(bytes);
    // The body is decompressed already.
    sink.onHeaders(atMs, response.status, { ...headers, 'content-encoding': undefined });
    for (let read = 0; ; read++) {
      await this.paused?.over;
      const { done, value } = (await this.reader?.read()) ?? { done: true, value: undefined };
      const readAt = this.clock.now();
      if (!this.usable) return;
      if (value !== undefined && value.byteLength > 0) sink.onRead(readAt, value, read);
      if (done) {
        sink.onEnd(readAt);
        return;
      }
    }
  }
}

/** Fetch decompresses by itself, and browsers do not allow this header to be set. */
function sendable({ 'accept-encoding': _, ...headers }: Record<string, string>): Record<string, string> {
  if (headers['user-agent'] === 'streambench') delete headers['user-agent'];
  return headers;
}

function asError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error(String(thrown));
  // The cause has the system's code.
  return thrown.cause instanceof Error ? thrown.cause : thrown;
}

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Clock } from '../../model/clock.ts';
import { DEFAULT_LIMITS } from '../../model/plan.ts';
import {
  type ConnectionSink,
  type ConnectPhases,
  connectError,
  HeadersTooLarge,
  type SocketRequest,
} from './connection.ts';
import type { Dialer, OpenSocket } from './dialer.ts';
import { type StreamEnd, streamEnd } from './http2-session-end.ts';
import { SocketReads } from './socket-reads.ts';

/** Receives the events of a session. */
export interface Http2SessionEvents {
  /** The service's settings arrived: it speaks HTTP/2, and its limit of concurrent requests is known. */
  onReady(): void;
  /** There is room for one more request. */
  onRoom(): void;
  /** The session takes no more requests. `error` is set if it failed before it was ready. */
  onClosed(error?: Error): void;
}

/** Limits of one session. */
export interface Http2SessionLimits {
  limit: number;
  headerBytes?: number;
}

/** Controls a request in flight. */
export interface StreamControl {
  /** Cancels the request; the session continues. */
  cancel(): void;
  /** Stops reading its response until `resume`. */
  pause(): void;
  resume(): void;
}

const NOTHING_SENT: StreamControl = { cancel() {}, pause() {}, resume() {} };

// Node's default windows (64 KiB for all streams together) would slow down a distant server.
const STREAM_WINDOW_BYTES = 1 << 20;
const SESSION_WINDOW_BYTES = 1 << 24;
const SESSION_MEMORY_MB = 128;

/**
 * One HTTP/2 connection with concurrent requests. undici can do this too (`allowH2`, `pipelining` and `idempotent` together),
 * but if the service allows fewer concurrent requests, the others wait inside undici and count as sent.
 */
export class Http2Session {
  private readonly session: ClientHttp2Session;
  private readonly reads: SocketReads;
  private readonly phases: ConnectPhases;
  private readonly info: ReturnType<Dialer['describe']>;
  private readonly origin: URL;
  private readonly clock: Clock;
  private readonly events: Http2SessionEvents;
  private readonly wanted: number;
  private readonly headerBytes: number;
  private inFlight = 0;
  private ready = false;
  private open = true;
  private goaway: StreamEnd['goaway'];

  /**
   * Takes over a socket on which HTTP/2 was negotiated or is assumed. `limit`: concurrent requests; `headerBytes`: the maximum
   * size of response headers.
   */
  constructor(
    dialer: Dialer,
    opened: OpenSocket,
    clock: Clock,
    { limit, headerBytes = DEFAULT_LIMITS.headerBytes }: Http2SessionLimits,
    events: Http2SessionEvents,
  ) {
    this.origin = dialer.origin;
    this.phases = opened.phases;
    this.info = dialer.describe(opened.socket);
    this.clock = clock;
    this.wanted = limit;
    this.headerBytes = headerBytes;
    this.events = events;
    this.reads = new SocketReads(clock, opened.socket, { single: false });
    this.session = connectHttp2(dialer.origin, {
      createConnection: () => opened.socket,
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
      },
    });
    this.session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    let error: Error | undefined;
    this.session
      .on('remoteSettings', () => {
        this.ready = true;
        events.onReady();
      })
      // Requests in flight may finish; no new ones are taken.
      .on('goaway', (code, lastStreamId) => {
        this.goaway = { code, lastStreamId };
        this.retire();
      })
      .on('error', (cause) => {
        error ??= cause;
      })
      .on('close', () => {
        this.open = false;
        events.onClosed(this.ready ? undefined : notHttp2(error));
      });
  }

  /** Concurrent requests: as requested, or the service's limit if that is lower. */
  get limit(): number {
    const theirs = this.ready ? this.session.remoteSettings.maxConcurrentStreams : undefined;
    return Math.min(this.wanted, theirs ?? Number.POSITIVE_INFINITY);
  }

  /** Number of free slots. */
  get room(): number {
    return this.ready && this.open ? Math.max(0, this.limit - this.inFlight) : 0;
  }

  get isIdle(): boolean {
    return this.inFlight === 0;
  }

  /** Sends a request. `first`: the session was opened for this request. */
  send(request: SocketRequest, sink: ConnectionSink, first: boolean): StreamControl {
    const { clock, reads, headerBytes } = this;
    let stream: ClientHttp2Stream;
    try {
      stream = this.session.request(this.headersOf(request), { endStream: request.body === undefined });
    } catch (error) {
      // The session has ended, but its pool does not know yet: nothing was sent.
      sink.onError(clock.now(), error as Error, !first);
      return NOTHING_SENT;
    }
    const streams = ++this.inFlight;
    const readsBefore = reads.number;
    let sent = false;
    let answered = false;
    let over = false;
    const info = { reused: !first, protocol: 'h2', ...this.info, streams, streamLimit: this.limit };
    const onSent = (atMs: number) => {
      if (sent || over) return;
      sent = true;
      sink.onSocket(info, first ? this.phases : undefined);
      sink.onSent(atMs);
    };
    const leave = () => {
      if (over) return;
      over = true;
      this.inFlight--;
      if (this.room > 0) this.events.onRoom();
    };
    const giveUp = (error: Error) => {
      stream.close(constants.NGHTTP2_CANCEL);
      leave();
      sink.onError(clock.now(), error);
    };
    const fail = (error?: Error) => {
      if (over) return;
      const atMs = clock.now();
      // If it is alone on its session, the connection was idle when it was closed.
      const idle = streams === 1 && this.inFlight === 1;
      leave();
      if (!this.ready) return sink.onError(atMs, notHttp2(error));
      const end = this.endOf(stream, error);
      const unanswered = !first && !answered && (end.unprocessed || (idle && reads.endedAtMs !== undefined));
      sink.onError(atMs, end.error, unanswered);
    };
    stream
      // Written to the kernel: the frames leave in one batch after this turn of the loop.
      .once('finish', () => onSent(clock.now()))
      // HOT PATH: the read is stamped first.
      .once('response', (headers) => {
        reads.arrived();
        answered = true;
        onSent(reads.atMs);
        // The service's limit arrives after the first request was sent, and before its response.
        info.streamLimit = this.limit;
        const { ':status': status = 0, ...rest } = headers;
        const bytes = sizeOf(rest);
        if (bytes > headerBytes) return giveUp(new HeadersTooLarge(bytes));
        sink.onHeaders(reads.atMs, status, rest as Record<string, string | string[] | undefined>);
      })
      .on('data', (chunk: Uint8Array) => {
        reads.arrived();
        sink.onRead(reads.atMs, chunk, reads.number);
      })
      .once('end', () => {
        // A reset or the loss of the session also ends the stream: then it is already closed.
        if (stream.closed) return fail();
        if (over) return;
        reads.arrived();
        leave();
        sink.onEnd(reads.atMs);
      })
      .once('error', fail)
      .once('close', () => fail());
    if (request.body !== undefined) stream.end(request.body);
    return {
      cancel: () => {
        if (over) return;
        // Resets this stream only.
        stream.close(constants.NGHTTP2_CANCEL);
        leave();
        // Nothing was received on any stream since then: the session may be dead, and must not get the next request.
        if (reads.number === readsBefore) this.abandon();
      },
      // Only the stream's own window fills up: Node updates the session's window at once, so the other streams continue.
      pause: () => void stream.pause(),
      resume: () => void stream.resume(),
    };
  }

  /** Takes no more requests, and closes when the last one in flight has ended. */
  retire(): void {
    this.open = false;
    if (!this.session.closed) this.session.close();
  }

  private abandon(): void {
    if (this.isIdle) this.destroy();
    else this.retire();
  }

  /** Closes the session and aborts all requests in flight. */
  destroy(): void {
    this.open = false;
    this.session.destroy();
  }

  private endOf({ id, rstCode }: ClientHttp2Stream, error: Error | undefined) {
    const { goaway, reads } = this;
    const socketClosed = reads.endedAtMs !== undefined;
    return streamEnd({ id, rstCode, goaway, socketClosed, socketError: reads.error, error });
  }

  private headersOf({ method, path, headers, body }: SocketRequest): OutgoingHttpHeaders {
    const { origin } = this;
    const { host = origin.host, ...rest } = headers;
    // Connection-specific headers of HTTP/1.1, which HTTP/2 forbids.
    for (const name of ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']) {
      delete rest[name];
    }
    return {
      ':method': method,
      ':path': path,
      ':scheme': origin.protocol.slice(0, -1),
      ':authority': host,
      ...rest,
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    };
  }
}

/** Size of the headers as HTTP/1.1 would write them. Node has its own limit, which resets the stream without an error. */
function sizeOf(headers: IncomingHttpHeaders): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) bytes += name.length + (one?.length ?? 0) + 4;
  }
  return bytes;
}

function notHttp2(cause: Error | undefined): Error {
  const why = cause === undefined ? 'the connection was closed before it answered' : cause.message;
  return connectError('HTTP2_UNAVAILABLE', `the service does not speak HTTP/2: ${why}`, cause);
}

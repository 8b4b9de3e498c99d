import diagnostics from 'node:diagnostics_channel';
import { Client, type Dispatcher } from 'undici';
import type { Clock } from '../../model/clock.ts';
import { DEFAULT_LIMITS } from '../../model/plan.ts';
import type { ConnectionInfo } from '../../model/record.ts';
import {
  type Connection,
  type ConnectionSink,
  connectTimeout,
  HeadersTooLarge,
  type SocketRequest,
} from './connection.ts';
import type { DialDone, Dialer, OpenSocket, PendingDial } from './dialer.ts';
import { LiveSocket } from './live-socket.ts';

// undici reports that a request was written only through diagnostics channels, which identify the request by an object that is
// created inside `dispatch`. `creating` is set during that synchronous call, to associate the object with our request.
let creating: (() => void) | undefined;
const sentCallbacks = new WeakMap<object, () => void>();

diagnostics.subscribe('undici:request:create', (message) => {
  if (creating !== undefined) sentCallbacks.set((message as { request: object }).request, creating);
});
diagnostics.subscribe('undici:request:bodySent', (message) => {
  sentCallbacks.get((message as { request: object }).request)?.();
});

/** Calls `dispatch`, which creates one undici request, and `onSent` when that was written to the kernel, including its body. */
function dispatchWatched(dispatch: () => void, onSent: () => void): void {
  creating = onSent;
  try {
    dispatch();
  } finally {
    creating = undefined;
  }
}

/** If the server closes a connection this soon after a response, it was not for being idle; in ms. */
export const DROPPED_WITHIN_MS = 1_000;
/** A connection is closed this long before the server's `keep-alive: timeout` expires, in ms. */
const KEEP_ALIVE_MARGIN_MS = 500;

/**
 * HTTP/1.1 over one socket: an undici client with at most one socket and one request, so that each request is associated with
 * its own handshake, and no request queues behind another.
 */
export class SocketConnection implements Connection {
  /** The server closed the connection right after a response, although it had announced keep-alive. */
  wasDropped = false;
  /** Called when the server closes the connection while no request is on it. */
  onIdleClose: () => void = () => {};
  /** The connection that this one replaces. Cleared after the first request. */
  replaces: SocketConnection | undefined;
  private readonly client: Client;
  /** A socket opened ahead of need by `open`, until the client requests one. */
  private parked: OpenSocket | undefined;
  private opening: Promise<void> | undefined;
  private readonly onParkedClose = () => {
    this.parked = undefined;
  };
  private current: LiveSocket | undefined;
  private dialing: PendingDial | undefined;
  /** A request was sent, and its response has not ended. */
  private busy = false;
  private dead = false;
  private readonly dialer: Dialer;
  private readonly clock: Clock;
  private readonly headerBytes: number;

  /** `headerBytes`: maximum size of the response headers. */
  constructor(dialer: Dialer, clock: Clock, headerBytes = DEFAULT_LIMITS.headerBytes) {
    this.dialer = dialer;
    this.clock = clock;
    this.headerBytes = headerBytes;
    this.client = new Client(dialer.origin, {
      connect: (_target, callback) =>
        this.connect((error, opened) =>
          // The type requires a TLSSocket, but a net.Socket works too.
          error !== null ? callback(error, null) : callback(null, opened.socket as never),
        ),
      // Time limits are ours (client/deadline.ts): undici's have a granularity of a second.
      bodyTimeout: 0,
      headersTimeout: 0,
      maxHeaderSize: headerBytes,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      keepAliveMaxTimeout: 600_000,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
    });
    this.client.on('disconnect', (_origin, _targets, error) => this.onDisconnect(error));
  }

  get usable(): boolean {
    return !this.dead;
  }

  /** True if a socket is open. */
  get isOpen(): boolean {
    return this.current !== undefined || this.parked !== undefined;
  }

  /** True while `open` is in progress. */
  get isOpening(): boolean {
    return this.opening !== undefined;
  }

  /**
   * Opens the socket ahead of the first request, without sending anything. No effect if one is open. Rejects with the system's
   * error, or with `ETIMEDOUT` after `limitMs`.
   */
  open(limitMs: number): Promise<void> {
    if (this.isOpen || this.dead) return Promise.resolve();
    this.opening ??= this.dialWithin(limitMs)
      .then((opened) => {
        if (this.dead) opened.socket.destroy();
        else this.park(opened);
      })
      .finally(() => {
        this.opening = undefined;
      });
    return this.opening;
  }

  send(request: SocketRequest, sink: ConnectionSink): void {
    const { clock, headerBytes } = this;
    let lent = false;
    let on: LiveSocket | undefined;
    let info: ConnectionInfo | undefined;
    // `!`: undici writes a request only to the socket that `connect` gave it, and reports a response only after that.
    const onSent = () => {
      if (on !== undefined) return;
      const nowMs = clock.now();
      on = this.current!;
      const atMs = on.begin(nowMs);
      this.busy = true;
      const { isReused: reused } = on;
      info = { reused, protocol: 'h1', ...this.dialer.describe(on.socket) };
      if (this.wasDropped) info.replaced = true;
      this.wasDropped = false;
      sink.onSocket(info, reused ? undefined : on.phases);
      sink.onSent(atMs);
    };
    const onOver = () => {
      this.busy = false;
      // The server may have closed the previous connection only after this request was sent.
      if (this.replaces?.wasDropped && info !== undefined) info.replaced = true;
      this.replaces = undefined;
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      onResponseStart(_controller, status, headers) {
        sink.onHeaders(on!.reads.atMs, status, headers);
      },
      // HOT PATH.
      onResponseData(_controller, chunk) {
        const { reads } = on!;
        sink.onRead(reads.atMs, chunk, reads.number);
        if (!lent) {
          lent = true;
          on!.lend(true);
        }
      },
      onResponseEnd() {
        onOver();
        const { reads } = on!;
        const atMs = reads.endedAtMs ?? reads.atMs;
        on!.answeredAtMs = atMs;
        // undici treats a reset as the end of a body without a length.
        if (reads.error !== undefined) sink.onError(atMs, reads.error);
        else sink.onEnd(atMs);
      },
      onResponseError: (_controller, error) => {
        const atMs = clock.now();
        onOver();
        if (on?.isUnanswered) this.noteDrop(on, atMs);
        // This response failed: the connection has not been idle since the previous one.
        else if (on !== undefined) on.answeredAtMs = undefined;
        const tooLarge = (error as NodeJS.ErrnoException).code === 'UND_ERR_HEADERS_OVERFLOW';
        const cause = tooLarge ? new HeadersTooLarge(headerBytes) : (on?.causeOf(error) ?? error);
        sink.onError(atMs, cause, on?.isUnanswered);
      },
    };
    this.current?.lend(false);
    dispatchWatched(() => this.client.dispatch(this.dispatchOptions(request), handler), onSent);
  }

  pause(): void {
    this.current?.hold();
  }

  resume(): void {
    this.current?.release();
  }

  destroy(): void {
    if (this.dead) return;
    this.dead = true;
    this.parked?.socket.destroy();
    this.parked = undefined;
    // undici waits for a socket that it has requested, with no time limit.
    this.dialing?.destroy(new Error('the connection was cancelled'));
    this.client.destroy().catch(() => {
      // Rejects only if it is already destroyed.
    });
  }

  private dispatchOptions(request: SocketRequest): Dispatcher.DispatchOptions {
    const sent = this.dialer.absoluteForm ? this.forProxy(request) : request;
    return { ...sent, body: request.body ?? null, responseHeaders: undefined } as Dispatcher.DispatchOptions;
  }

  /** The request as sent to a proxy without a tunnel: with the complete URL. */
  private forProxy(request: SocketRequest): SocketRequest {
    const { origin, proxy } = this.dialer;
    const authorization = proxy?.authorization;
    return {
      ...request,
      path: `${origin.origin}${request.path}`,
      headers:
        authorization === undefined
          ? request.headers
          : { 'proxy-authorization': authorization, ...request.headers },
    };
  }

  private connect(done: DialDone<OpenSocket>): void {
    const take = (opened: OpenSocket, openedAhead: boolean) => {
      this.current = new LiveSocket(opened, this.clock, { openedAhead });
      done(null, opened);
    };
    const parked = this.parked;
    if (parked !== undefined) {
      this.parked = undefined;
      parked.socket.pause();
      parked.socket.off('close', this.onParkedClose);
      // No request waited for this handshake: it counts as an open connection. Called back asynchronously, because undici
      // continues its queue only after `connect` has returned.
      queueMicrotask(() => take(parked, true));
      return;
    }
    if (this.opening !== undefined) {
      // Opened ahead of the request, so the request has no connect marks. If it fails, the request opens its own.
      const connect = () =>
        this.dead ? done(new Error('the connection was cancelled'), null) : this.connect(done);
      this.opening.then(connect, connect);
      return;
    }
    this.dialing = this.dialer.dial((error, opened) => {
      this.dialing = undefined;
      if (error !== null) done(error, null);
      else take(opened, false);
    });
  }

  private onDisconnect(error: Error): void {
    const { current } = this;
    this.current = undefined;
    if (current === undefined || this.busy || this.dead) return;
    // Closed by undici itself: not to be kept, or idle for too long.
    if ((error as NodeJS.ErrnoException).code === 'UND_ERR_INFO') return;
    this.noteDrop(current, this.clock.now());
    this.onIdleClose();
  }

  private noteDrop({ answeredAtMs }: LiveSocket, atMs: number): void {
    if (answeredAtMs !== undefined && atMs - answeredAtMs < DROPPED_WITHIN_MS) this.wasDropped = true;
  }

  private dialWithin(limitMs: number): Promise<OpenSocket> {
    return new Promise((resolve, reject) => {
      const dialing = this.dialer.dial((error, opened) => {
        this.dialing = undefined;
        clearTimeout(timer);
        if (error !== null) reject(error);
        else resolve(opened);
      });
      this.dialing = dialing;
      const timer = setTimeout(() => dialing.destroy(connectTimeout(limitMs)), limitMs);
    });
  }

  private park(opened: OpenSocket): void {
    this.parked = opened;
    const { socket } = opened;
    // Reads, to detect a close by the server while the socket is parked.
    socket.resume();
    socket.once('close', this.onParkedClose);
  }
}

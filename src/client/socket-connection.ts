import diagnostics from 'node:diagnostics_channel';
import { Client, type Dispatcher } from 'undici';
import type { Clock } from '../model/clock.ts';
import { connectTimeout } from './connect-error.ts';
import type { Connection, ConnectionSink, SocketRequest } from './connection.ts';
import type { Dialer, Dialing, OpenSocket } from './dialer.ts';
import { EagerSocket } from './eager-socket.ts';

/**
 * HTTP/1.1 over a socket of its own: an undici client that never has more than one socket and one request, so that which
 * request waited for which handshake is never in doubt, and nothing queues behind anything.
 */
export class SocketConnection implements Connection {
  private readonly client: Client;
  /** Opened ahead of need by `open`, waiting for the client to ask for a socket. */
  private parked: OpenSocket | undefined;
  private readonly onParkedClose = () => {
    this.parked = undefined;
  };
  private current: OpenSocket | undefined;
  private dialing: Dialing | undefined;
  private requestsOnSocket = 0;
  private dead = false;
  private readonly dialer: Dialer;
  private readonly clock: Clock;

  constructor(dialer: Dialer, clock: Clock) {
    this.dialer = dialer;
    this.clock = clock;
    this.client = new Client(dialer.origin, {
      connect: (_target, callback) =>
        this.connect((error, opened) =>
          // A net.Socket does as well as the TLSSocket that the type asks for.
          error !== null ? callback(error, null) : callback(null, opened!.socket as never),
        ),
      // Time limits are ours (client/deadline.ts): undici's have a granularity of a second.
      bodyTimeout: 0,
      headersTimeout: 0,
      pipelining: 1,
      keepAliveTimeout: 60_000,
      keepAliveMaxTimeout: 600_000,
    });
    this.client.on('disconnect', () => {
      this.current = undefined;
    });
  }

  get usable(): boolean {
    return !this.dead;
  }

  /** True when a request would find an open socket. */
  get isOpen(): boolean {
    return this.current !== undefined || this.parked !== undefined;
  }

  /**
   * Opens the socket ahead of the first request, without sending anything. Does nothing when one is open. Rejects with
   * the system's error, or with `ETIMEDOUT` after `limitMs`.
   */
  async open(limitMs: number): Promise<void> {
    if (this.isOpen || this.dead) return;
    const opened = await dialWithin(this.dialer, limitMs);
    if (this.dead) opened.socket.destroy();
    else this.park(opened);
  }

  send(request: SocketRequest, sink: ConnectionSink): void {
    const clock = this.clock;
    let sent = false;
    let lent = false;
    this.lend(false);
    const onSent = () => {
      if (sent) return;
      const atMs = clock.now();
      sent = true;
      const open = this.current;
      const first = this.requestsOnSocket++ === 0;
      sink.onSocket(
        { reused: !first, protocol: 'h1', ...this.dialer.describe(open?.socket) },
        first ? open?.phases : undefined,
      );
      sink.onSent(atMs);
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      // HOT PATH: the clock is read before anything else is done.
      onResponseStart(_controller, status, headers) {
        sink.onHeaders(clock.now(), status, headers);
      },
      onResponseData: (_controller, chunk) => {
        sink.onRead(clock.now(), chunk);
        if (!lent) {
          lent = true;
          this.lend(true);
        }
      },
      onResponseEnd() {
        sink.onEnd(clock.now());
      },
      onResponseError(_controller, error) {
        sink.onError(clock.now(), error);
      },
    };
    creating = onSent;
    try {
      this.client.dispatch(
        {
          ...(this.dialer.absoluteForm ? this.forProxy(request) : request),
          body: request.body ?? null,
          responseHeaders: undefined,
        } as Dispatcher.DispatchOptions,
        handler,
      );
    } finally {
      creating = undefined;
    }
  }

  destroy(): void {
    if (this.dead) return;
    this.dead = true;
    this.parked?.socket.destroy();
    this.parked = undefined;
    // undici waits for a socket that it has asked for, however long that takes.
    this.dialing?.destroy(new Error('the connection was given up'));
    this.client.destroy().catch(() => {
      // Its only failure is that it was destroyed already.
    });
  }

  // undici keeps the pieces of a head until it is whole, but passes a body on at once.
  private lend(lends: boolean): void {
    const socket = this.current?.socket;
    if (socket instanceof EagerSocket) socket.lends = lends;
  }

  /** A proxy that makes no tunnel is told where the request goes by the request itself. */
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

  private connect(done: (error: Error | null, opened?: OpenSocket) => void): void {
    const take = (opened: OpenSocket, requestsBefore: number) => {
      this.current = opened;
      this.requestsOnSocket = requestsBefore;
      done(null, opened);
    };
    const parked = this.parked;
    if (parked !== undefined) {
      this.parked = undefined;
      parked.socket.pause();
      parked.socket.off('close', this.onParkedClose);
      // No request waited for this handshake: it counts as an open connection. Not called back at once, because
      // undici goes on with its queue only after `connect` has returned.
      queueMicrotask(() => take(parked, 1));
      return;
    }
    this.dialing = this.dialer.dial((error, opened) => {
      this.dialing = undefined;
      if (error !== null) done(error);
      else take(opened!, 0);
    });
  }

  private park(opened: OpenSocket): void {
    this.parked = opened;
    const { socket } = opened;
    // Reading, so that a close by the other side is seen while it waits.
    socket.resume();
    socket.once('close', this.onParkedClose);
  }
}

/** Opens a connection. Rejects with the system's error, or with `ETIMEDOUT` after `limitMs`. */
function dialWithin(dialer: Dialer, limitMs: number): Promise<OpenSocket> {
  return new Promise((resolve, reject) => {
    const dialing = dialer.dial((error, opened) => {
      clearTimeout(timer);
      if (error !== null) reject(error);
      else resolve(opened!);
    });
    const timer = setTimeout(() => dialing.destroy(connectTimeout(limitMs)), limitMs);
  });
}

// undici tells when a request has been written only through diagnostics channels, which name the request by an object
// that is made inside `dispatch`. `creating` is set around that synchronous call, so the object can be tied to ours.
let creating: (() => void) | undefined;
const sentCallbacks = new WeakMap<object, () => void>();

diagnostics.subscribe('undici:request:create', (message) => {
  if (creating !== undefined) sentCallbacks.set((message as { request: object }).request, creating);
});
diagnostics.subscribe('undici:request:bodySent', (message) => {
  sentCallbacks.get((message as { request: object }).request)?.();
});

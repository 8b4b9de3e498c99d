import diagnostics from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { buildConnector, Client, type Dispatcher } from 'undici';
import type { Clock } from '../model/clock.ts';
import type { ConnectionInfo } from '../model/record.ts';

/** When the phases of opening a connection were done, on the machine's clock. */
export interface ConnectPhases {
  startedAt: number;
  dnsAt?: number;
  tcpAt?: number;
  tlsAt?: number;
}

/** How connections are made. */
export interface ConnectOptions {
  /** Accept any certificate. */
  insecure?: boolean;
  /** PEM of additional authorities. */
  ca?: string;
}

/** What a connection reports of one request. Every call is made at once, and `atMs` was read first thing. */
export interface ConnectionSink {
  /** The request went to this socket; the phases are there when the connection was made for this request. */
  onSocket(info: ConnectionInfo, phases: ConnectPhases | undefined): void;
  onSent(atMs: number): void;
  onHeaders(atMs: number, status: number, headers: Record<string, string | string[] | undefined>): void;
  onRead(atMs: number, chunk: Uint8Array): void;
  onEnd(atMs: number): void;
  onError(atMs: number, error: Error): void;
}

/** A request as it goes to the socket. */
export interface SocketRequest {
  method: 'GET' | 'POST';
  /** Path and query. */
  path: string;
  headers: Record<string, string>;
  body?: string;
}

interface OpenSocket {
  socket: Socket;
  phases: ConnectPhases;
}

/**
 * One connection to one origin: an undici client that never has more than one socket and one request, so that which
 * request waited for which handshake is never in doubt, and nothing queues behind anything.
 */
export class Connection {
  private readonly client: Client;
  private readonly base: ReturnType<typeof buildConnector>;
  /** Opened ahead of need by `open`, waiting for the client to ask for a socket. */
  private parked: OpenSocket | undefined;
  private current: OpenSocket | undefined;
  private requestsOnSocket = 0;
  private dead = false;
  private readonly origin: URL;
  private readonly clock: Clock;

  constructor(origin: URL, clock: Clock, options: ConnectOptions = {}) {
    this.origin = origin;
    this.clock = clock;
    this.base = buildConnector({
      timeout: 0,
      ...(options.insecure ? { rejectUnauthorized: false } : {}),
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
    this.client = new Client(origin, {
      connect: (target, callback) => this.connect(target, callback),
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

  /** False once it was destroyed: it takes no more requests. */
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
    const target = connectTarget(this.origin);
    await new Promise<void>((resolve, reject) => {
      const socket = this.dial(target, (error, opened) => {
        clearTimeout(timer);
        if (error) return reject(error);
        this.park(opened!);
        resolve();
      });
      const timer = setTimeout(() => {
        socket.destroy(Object.assign(new Error(`no connection within ${limitMs} ms`), { code: 'ETIMEDOUT' }));
      }, limitMs);
    });
  }

  /** Sends one request. The caller sends no other before this one has ended. */
  send(request: SocketRequest, sink: ConnectionSink): void {
    const clock = this.clock;
    let sent = false;
    const onSent = () => {
      if (sent) return;
      const atMs = clock.now();
      sent = true;
      const open = this.current;
      const first = this.requestsOnSocket++ === 0;
      sink.onSocket(describe(open?.socket, first), first ? open?.phases : undefined);
      sink.onSent(atMs);
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart() {},
      // HOT PATH: the clock is read before anything else is done.
      onResponseStart(_controller, status, headers) {
        sink.onHeaders(clock.now(), status, headers);
      },
      onResponseData(_controller, chunk) {
        sink.onRead(clock.now(), chunk);
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
        { ...request, body: request.body ?? null, responseHeaders: undefined } as Dispatcher.DispatchOptions,
        handler,
      );
    } finally {
      creating = undefined;
    }
  }

  /** Ends it at once, whatever is in flight. */
  destroy(): void {
    if (this.dead) return;
    this.dead = true;
    this.parked?.socket.destroy();
    this.parked = undefined;
    this.client.destroy().catch(() => {
      // Its only failure is that it was destroyed already.
    });
  }

  private connect(target: buildConnector.Options, callback: buildConnector.Callback): void {
    const take = (opened: OpenSocket, requestsBefore: number) => {
      this.current = opened;
      this.requestsOnSocket = requestsBefore;
      callback(null, opened.socket as TLSSocket);
    };
    const parked = this.parked;
    if (parked !== undefined) {
      this.parked = undefined;
      parked.socket.pause();
      parked.socket.removeAllListeners('close');
      // No request waited for this handshake: it counts as an open connection. Not called back at once, because
      // undici goes on with its queue only after `connect` has returned.
      queueMicrotask(() => take(parked, 1));
      return;
    }
    this.dial(target, (error, opened) => (error ? callback(error, null) : take(opened!, 0)));
  }

  private dial(
    target: buildConnector.Options,
    done: (error: Error | null, opened?: OpenSocket) => void,
  ): Socket {
    const phases: ConnectPhases = { startedAt: this.clock.now() };
    // The connector returns the socket it dials, which its type does not say.
    const socket = this.base(target, (error, socket) => {
      if (error !== null) return done(error);
      done(null, { socket: socket as Socket, phases });
    }) as unknown as Socket;
    socket.once('lookup', () => {
      phases.dnsAt = this.clock.now();
    });
    socket.prependOnceListener('connect', () => {
      phases.tcpAt = this.clock.now();
    });
    socket.prependOnceListener('secureConnect', () => {
      phases.tlsAt = this.clock.now();
    });
    return socket;
  }

  private park(opened: OpenSocket): void {
    this.parked = opened;
    const { socket } = opened;
    // Reading, so that a close by the other side is seen while it waits.
    socket.resume();
    socket.once('close', () => {
      if (this.parked === opened) this.parked = undefined;
    });
  }
}

function connectTarget(origin: URL): buildConnector.Options {
  return {
    hostname: origin.hostname.replace(/^\[|\]$/g, ''),
    host: origin.host,
    protocol: origin.protocol,
    port: origin.port || (origin.protocol === 'https:' ? '443' : '80'),
  };
}

function describe(socket: Socket | undefined, first: boolean): ConnectionInfo {
  const info: ConnectionInfo = { reused: !first, protocol: 'h1' };
  if (socket?.remoteAddress !== undefined) {
    const host = socket.remoteFamily === 'IPv6' ? `[${socket.remoteAddress}]` : socket.remoteAddress;
    info.remote = `${host}:${socket.remotePort}`;
  }
  const tls = (socket as TLSSocket | undefined)?.getProtocol?.();
  if (tls) info.tls = tls;
  return info;
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

import type { Clock } from '../../model/clock.ts';
import type { ReplayBuffer } from './replay-buffer.ts';
import { type Compression, openBody, type ResponseBody, type WritableBody } from './response-body.ts';

/** Why a stream was ended early, other than by a failure of the model. */
export type StopReason =
  /** The client closed the connection. */
  | 'client_gone'
  /** The client stopped reading. */
  | 'client_stalled'
  /** The user cancelled the answer. */
  | 'cancelled'
  /** The answer is larger than `maxAnswerBytes`. */
  | 'too_large'
  /** The answer did not end within the timeout of its request. */
  | 'timeout'
  /** Something in the service failed. */
  | 'internal_error'
  /** The service is shutting down. */
  | 'shutdown';

/** What a stream needs of a `ServerResponse`. */
export interface StreamResponse extends WritableBody {
  readonly socket: { readonly destroyed: boolean } | null;
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  flushHeaders(): void;
}

/** Time limits of streams, in ms. */
export interface StreamLimits {
  /** Silence after which a comment is sent. */
  keepAliveMs: number;
  /** How long a client may read nothing while data is waiting for it. */
  staleMs: number;
  /** How long a resumable stream continues without a client, and how long it is kept after its end. */
  resumeWindowMs: number;
}

/**
 * A streamed response. It applies back-pressure for slow clients, notices when the client disconnects, and sends comments
 * during silence so that no proxy closes the connection. A resumable stream outlives its connection for a while.
 */
export class EventStream {
  /** Aborted, with a `StopReason`, when the stream must end early. */
  readonly signal: AbortSignal;
  readonly openedAtMs: number;
  /** Numbers and keeps the frames of a resumable stream. */
  readonly replay: ReplayBuffer | undefined;
  private readonly stopping = new AbortController();
  private res: StreamResponse;
  private body: ResponseBody | undefined;
  /** When a resumable stream lost its client. */
  private detachedAtMs: number | undefined;
  private readonly clock: Clock;
  private readonly connectionMs: number | undefined;
  private lastWriteAtMs: number;
  private blockedSinceMs: number | undefined;
  private readonly waiting = new Set<() => void>();
  private opened = false;
  private ended = false;
  private stopReason: StopReason | undefined;

  /** `connectionMs`: how long one connection lasts; it is then cut. Default: no limit. */
  constructor(res: StreamResponse, clock: Clock, replay?: ReplayBuffer, connectionMs?: number) {
    this.res = res;
    this.replay = replay;
    this.connectionMs = connectionMs;
    this.clock = clock;
    this.signal = this.stopping.signal;
    this.openedAtMs = clock.now();
    this.lastWriteAtMs = this.openedAtMs;
    this.watch(res);
    if (res.destroyed || res.socket?.destroyed) this.stop('client_gone');
  }

  /** Why the stream was stopped; undefined if it was not. */
  get stopped(): StopReason | undefined {
    return this.stopReason;
  }

  /** True while the client reads more slowly than the stream is written. */
  get blocked(): boolean {
    return this.blockedSinceMs !== undefined;
  }

  /** False while a resumable stream waits for its client to reconnect. */
  get connected(): boolean {
    return this.detachedAtMs === undefined;
  }

  /** True when nothing more can be written. */
  get closed(): boolean {
    return this.ended || (this.detachedAtMs === undefined && this.res.destroyed);
  }

  /** Starts the response. Status and headers are sent with the first write, or with `flush`. */
  open(headers: Readonly<Record<string, string>>, compression: Compression = 'none'): void {
    if (this.closed) return;
    this.writeHead(headers, compression);
    this.opened = true;
  }

  /**
   * Continues a resumable stream on another connection, after the event with this number. Returns false if the text after
   * it is no longer complete. The previous connection is closed.
   */
  attach(
    res: StreamResponse,
    headers: Readonly<Record<string, string>>,
    compression: Compression,
    number: number,
  ): boolean {
    const missed = this.opened ? this.replay?.after(number) : undefined;
    if (missed === undefined) return false;
    const before = this.res;
    this.res = res;
    before.destroy();
    this.watch(res);
    this.detachedAtMs = undefined;
    this.blockedSinceMs = undefined;
    this.lastWriteAtMs = this.clock.now();
    this.writeHead(headers, compression);
    res.flushHeaders();
    if (missed !== '' && !this.body?.write(missed)) this.blockedSinceMs = this.lastWriteAtMs;
    if (this.ended) this.body?.end();
    else if (!this.blocked) this.wakeAll();
    return true;
  }

  private watch(res: StreamResponse): void {
    // A write to a closed socket also emits `error`, which would throw without a listener. `close` follows.
    res.on('error', () => {});
    res.on('close', () => {
      if (this.ended || this.res !== res) return;
      if (this.replay === undefined || !this.opened) return this.stop('client_gone');
      this.detachedAtMs = this.clock.now();
      this.blockedSinceMs = undefined;
      this.wakeAll();
    });
  }

  private writeHead(headers: Readonly<Record<string, string>>, compression: Compression): void {
    const { res, connectionMs } = this;
    if (connectionMs !== undefined) {
      const timer = setTimeout(() => res.destroy(), connectionMs);
      res.on('close', () => clearTimeout(timer));
    }
    res.writeHead(200, {
      ...headers,
      ...(compression !== 'none' && { 'content-encoding': 'gzip' }),
      vary: 'accept-encoding',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    this.body = openBody(res, compression, () => {
      if (this.res !== res) return;
      this.blockedSinceMs = undefined;
      this.wakeAll();
    });
  }

  private wakeAll(): void {
    for (const wake of this.waiting) wake();
    this.waiting.clear();
  }

  /** Sends status and headers if that has not happened yet. */
  flush(): void {
    if (this.closed || this.detachedAtMs !== undefined) return;
    this.res.flushHeaders();
  }

  /**
   * HOT PATH. Returns false when the client is behind and `drained` should be awaited. Node sends the writes of one turn
   * of the event loop in one packet, which saves most of the cost of an answer's start and end.
   */
  write(text: string): boolean {
    if (this.closed) return true;
    const now = this.clock.now();
    this.lastWriteAtMs = now;
    if (this.detachedAtMs !== undefined) return this.replay?.full !== true;
    this.replay?.trim();
    const ready = this.body?.write(text) ?? true;
    if (!ready) this.blockedSinceMs ??= now;
    return ready;
  }

  /** Resolves when the client has caught up or has disconnected. */
  async drained(): Promise<void> {
    const isBehind =
      this.detachedAtMs === undefined ? this.blockedSinceMs !== undefined : this.replay?.full === true;
    if (!isBehind || this.closed || this.signal.aborted) return;
    await new Promise<void>((resolve) => this.waiting.add(resolve));
  }

  /** Ends the response. If it was never opened, it stays usable for another answer, such as a refusal. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.opened && !this.res.destroyed) this.body?.end();
  }

  /** Stops the stream early: aborts `signal`. */
  stop(reason: StopReason): void {
    if (this.stopReason !== undefined) return;
    this.stopReason = reason;
    this.stopping.abort(reason);
    if (reason === 'client_stalled') this.res.destroy();
    this.wakeAll();
  }

  /** Called periodically: sends a comment during silence, and stops a stream whose client reads nothing. */
  sweep(nowMs: number, limits: StreamLimits): void {
    if (this.closed || !this.opened) return;
    if (this.detachedAtMs !== undefined) {
      if (nowMs - this.detachedAtMs >= limits.resumeWindowMs) this.stop('client_gone');
      return;
    }
    if (this.blockedSinceMs !== undefined) {
      if (nowMs - this.blockedSinceMs >= limits.staleMs) this.stop('client_stalled');
    } else if (nowMs - this.lastWriteAtMs >= limits.keepAliveMs) {
      this.keepAlive();
    }
  }

  /** Sends a comment, and the headers if they have not been sent yet. */
  keepAlive(): void {
    this.write(': keep-alive\n\n');
  }
}

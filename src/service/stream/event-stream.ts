import type { ServerResponse } from 'node:http';
import type { Clock } from '../../model/clock.ts';

/** Why a stream was ended early, other than by a failure of the model. */
export type StopReason =
  /** The client closed the connection. */
  | 'client_gone'
  /** The client stopped reading. */
  | 'client_stalled'
  /** The answer is larger than `maxAnswerBytes`. */
  | 'too_large'
  /** The answer did not end within the timeout of its request. */
  | 'timeout'
  /** Something in the service failed. */
  | 'internal_error'
  /** The service is shutting down. */
  | 'shutdown';

/**
 * A streamed response. It applies back-pressure for slow clients, notices when the client disconnects, and sends comments
 * during silence so that no proxy closes the connection.
 */
export class EventStream {
  /** Aborted, with a `StopReason`, when the stream must end early. */
  readonly signal: AbortSignal;
  readonly openedAtMs: number;
  private readonly stopping = new AbortController();
  private readonly res: ServerResponse;
  private readonly clock: Clock;
  private lastWriteAtMs: number;
  private blockedSinceMs: number | undefined;
  private wake: (() => void) | undefined;
  private opened = false;
  private ended = false;

  constructor(res: ServerResponse, clock: Clock) {
    this.res = res;
    this.clock = clock;
    this.signal = this.stopping.signal;
    this.openedAtMs = clock.now();
    this.lastWriteAtMs = this.openedAtMs;
    // A write to a closed socket also emits `error`, which would throw without a listener. `close` follows.
    res.on('error', () => {});
    res.on('close', () => {
      if (!this.ended) this.stop('client_gone');
    });
    res.on('drain', () => {
      this.blockedSinceMs = undefined;
      this.wake?.();
    });
    if (res.destroyed || res.socket?.destroyed) this.stop('client_gone');
  }

  /** Why the stream was stopped; undefined if it was not. */
  get stopped(): StopReason | undefined {
    return this.signal.aborted ? (this.signal.reason as StopReason) : undefined;
  }

  /** True while the client reads more slowly than the stream is written. */
  get blocked(): boolean {
    return this.blockedSinceMs !== undefined;
  }

  /** True when nothing more can be written. */
  get closed(): boolean {
    return this.ended || this.res.destroyed;
  }

  /** Starts the response. Status and headers are sent with the first write, or with `flush`. */
  open(headers: Readonly<Record<string, string>>): void {
    if (this.closed) return;
    this.res.writeHead(200, {
      ...headers,
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    this.opened = true;
  }

  /** Sends status and headers if that has not happened yet. */
  flush(): void {
    if (this.closed) return;
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
    const ready = this.res.write(text);
    if (!ready) this.blockedSinceMs ??= now;
    return ready;
  }

  /** Resolves when the client has caught up or has disconnected. */
  async drained(): Promise<void> {
    if (this.blockedSinceMs === undefined || this.closed || this.signal.aborted) return;
    await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
  }

  /** Ends the response. If it was never opened, it stays usable for another answer, such as a refusal. */
  end(): void {
    if (this.ended) return;
    this.ended = true;
    if (this.opened && !this.res.destroyed) this.res.end();
  }

  /** Stops the stream early: aborts `signal`. */
  stop(reason: StopReason): void {
    if (this.signal.aborted) return;
    this.stopping.abort(reason);
    if (reason === 'client_stalled') this.res.destroy();
    this.wake?.();
  }

  /** Called periodically: sends a comment during silence, and stops a stream whose client reads nothing. */
  sweep(nowMs: number, limits: { keepAliveMs: number; staleMs: number }): void {
    if (this.closed || !this.opened) return;
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

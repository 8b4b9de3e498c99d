import type { ServerResponse } from 'node:http';
import type { Clock } from '../../model/clock.ts';

/** Why a stream was ended before its answer was whole, other than by a failure of the model's. */
export type StopReason =
  /** The client closed the connection. */
  | 'client_gone'
  /** The client stopped reading. */
  | 'client_stalled'
  /** The answer is larger than the service lets through. */
  | 'too_large'
  /** Something in the service failed. */
  | 'internal_error'
  /** The service is shutting down. */
  | 'shutdown';

/**
 * A response that is sent piece by piece: bytes go out as they are written, a reader that is too slow is waited for,
 * one that has gone is noticed, and silence is filled with comments so that no proxy on the way gives up.
 */
export class EventStream {
  /** Aborted, with the `StopReason`, when there is no use in going on. */
  readonly signal: AbortSignal;
  readonly openedAtMs: number;
  private readonly stopping = new AbortController();
  private readonly res: ServerResponse;
  private readonly clock: Clock;
  private lastWriteAtMs: number;
  private blockedSinceMs: number | undefined;
  private wake: (() => void) | undefined;
  private opened = false;
  private over = false;

  constructor(res: ServerResponse, clock: Clock) {
    this.res = res;
    this.clock = clock;
    this.signal = this.stopping.signal;
    this.openedAtMs = clock.now();
    this.lastWriteAtMs = this.openedAtMs;
    // A write that meets a closed socket is reported here as well as by `close`; without a listener it would throw.
    res.on('error', () => {});
    res.on('close', () => {
      if (!this.over) this.stop('client_gone');
    });
    res.on('drain', () => {
      this.blockedSinceMs = undefined;
      this.wake?.();
    });
    if (res.destroyed || res.socket?.destroyed) this.stop('client_gone');
  }

  /** Why the stream was stopped; undefined while it was not. */
  get stopped(): StopReason | undefined {
    return this.signal.aborted ? (this.signal.reason as StopReason) : undefined;
  }

  /** True while the reader is behind. */
  get blocked(): boolean {
    return this.blockedSinceMs !== undefined;
  }

  /** True when nothing can be written any more. */
  get closed(): boolean {
    return this.over || this.res.destroyed;
  }

  /** Begins the response. Status and headers leave with the first write, or with `flush`. */
  open(headers: Readonly<Record<string, string>>): void {
    if (this.closed) return;
    this.res.writeHead(200, {
      ...headers,
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    this.opened = true;
  }

  /** Sends status and headers if they are still waiting for a body. */
  flush(): void {
    if (this.closed) return;
    this.res.flushHeaders();
  }

  /**
   * HOT PATH. Returns false when the reader is behind and `drained` should be awaited. What is written without a pause
   * leaves in one packet: Node holds it back until the turn of the event loop is over, which saves most of the cost
   * of an answer's beginning and end.
   */
  write(text: string): boolean {
    if (this.closed) return true;
    const now = this.clock.now();
    this.lastWriteAtMs = now;
    const ready = this.res.write(text);
    if (!ready) this.blockedSinceMs ??= now;
    return ready;
  }

  /** Resolves when the reader has caught up, or is gone. */
  async drained(): Promise<void> {
    if (this.blockedSinceMs === undefined || this.closed || this.signal.aborted) return;
    await new Promise<void>((resolve) => (this.wake = resolve));
    this.wake = undefined;
  }

  /** Ends the response. One that was never opened is left to whoever sends something else on it. */
  end(): void {
    if (this.over) return;
    this.over = true;
    if (this.opened && !this.res.destroyed) this.res.end();
  }

  /** Gives up: whoever works for this stream is told by `signal`. */
  stop(reason: StopReason): void {
    if (this.signal.aborted) return;
    this.stopping.abort(reason);
    if (reason === 'client_stalled') this.res.destroy();
    this.wake?.();
  }

  /** To be called now and then: fills silence, and gives up on a reader that has been stuck for too long. */
  sweep(nowMs: number, limits: { keepAliveMs: number; staleMs: number }): void {
    if (this.closed || !this.opened) return;
    if (this.blockedSinceMs !== undefined) {
      if (nowMs - this.blockedSinceMs >= limits.staleMs) this.stop('client_stalled');
    } else if (nowMs - this.lastWriteAtMs >= limits.keepAliveMs) {
      this.keepAlive();
    }
  }

  /** Sends a comment, and with it the headers where they are still waiting. */
  keepAlive(): void {
    this.write(': keep-alive\n\n');
  }
}

import { DEFAULT_LIMITS, type Limits } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import { DeadlineTimer, LINGER_MS, limitOf } from './deadline.ts';
import { decodeQueue, type PendingReads, ReadBuffer } from './decode-queue.ts';
import { type ExchangeOptions, type FlowControl, requestFacts } from './exchange-options.ts';
import { tappedSink } from './exchange-tap.ts';
import { ObservationBuilder } from './observation-builder.ts';
import { type Ending, WindowOver } from './outcome/evidence.ts';
import { faultOf } from './outcome/outcome.ts';
import { pacedSink } from './paced-sink.ts';
import { ListenerError, ResponseBody } from './response-body.ts';
import {
  type Connection,
  type ConnectionSink,
  HeadersTooLarge,
  type ResponseHeaders,
} from './transport/connection.ts';

/**
 * Sends one request over `connection` and observes it to its end. A failure is an outcome, also a failure of this program
 * while it reads the response: other exchanges continue. Rejects only with what a listener throws. The connection is
 * destroyed unless the response was read to its end.
 */
export function exchange(connection: Connection, options: ExchangeOptions): Promise<Observation> {
  return new Promise((resolve, reject) => new Exchange(connection, options, resolve, reject).start());
}

/** How much of a response may wait to be decoded, in bytes. More is decoded while it is read, as it is late anyway. */
const MAX_UNDECODED_BYTES = 16_384;

/** Some libraries never read the end of the body: the observation is made after this time instead. */
const PASSIVE_LINGER_MS = 100;

class Exchange implements ConnectionSink, PendingReads, FlowControl {
  private connection: Connection;
  private readonly options: ExchangeOptions;
  private readonly resolve: (observation: Observation) => void;
  private readonly reject: (error: unknown) => void;
  private readonly limits: Limits;
  private readonly builder: ObservationBuilder;
  private readonly deadline: DeadlineTimer;
  private readonly body: ResponseBody;
  private readonly sink: ConnectionSink;
  private readonly undecoded = new ReadBuffer();
  private readonly decodesAtOnce: boolean;
  private isQueued = false;
  private isDecoding = false;
  private isOver = false;
  private wasResent = false;

  constructor(
    connection: Connection,
    options: ExchangeOptions,
    resolve: (observation: Observation) => void,
    reject: (error: unknown) => void,
  ) {
    this.connection = connection;
    this.options = options;
    this.resolve = resolve;
    this.reject = reject;
    this.limits = options.limits ?? DEFAULT_LIMITS;
    const { clock, timeouts, cutAfterMs, scheduledAt, originAt, redactor, stamp } = options;
    const { keepText, keepChunks, passive = false, startedAt = clock.now() } = options;
    const { readBytesPerSecond, tap } = options;
    const sink = readBytesPerSecond === undefined ? this : pacedSink(this, this, clock, readBytesPerSecond);
    this.sink = tap === undefined ? sink : tappedSink(sink, tap);
    // The timer may be late, and data that came in time not read yet: the sockets are read before a limit is enforced.
    this.deadline = new DeadlineTimer(
      clock,
      { ...timeouts, cutAfterMs, lingerMs: passive ? PASSIVE_LINGER_MS : LINGER_MS },
      startedAt,
      () => decodeQueue.afterReads(this.enforceLimits),
    );
    this.builder = new ObservationBuilder({
      request: requestFacts(options),
      scheduledAt,
      startedAt,
      originAt,
      keepText,
      keepChunks,
      redactor,
      stamp,
    });
    this.body = new ResponseBody({ ...options, limits: this.limits }, this.builder, (decode, atMs) => {
      if (this.isOver) return;
      this.guarded(decode);
      this.afterDecoding(atMs);
    });
    const hasListener = options.onEvents !== undefined || options.onBytes !== undefined;
    this.decodesAtOnce = (options.decode ?? (hasListener ? 'at-once' : 'later')) === 'at-once';
  }

  start(): void {
    const { signal, request } = this.options;
    if (signal?.aborted) {
      this.finish(this.deadline.progress.startedAt, cancelled(signal));
      return;
    }
    signal?.addEventListener('abort', this.onAbort, { once: true });
    this.deadline.watch();
    this.options.onFlow?.(this);
    this.guarded(() => this.connection.send(request, this.sink));
  }

  onSocket: ConnectionSink['onSocket'] = (info, phases) =>
    this.guarded(() => this.builder.onSocket(info, phases));

  onSent(atMs: number): void {
    this.deadline.progress.sentAt = atMs;
    this.watch();
    this.builder.onSent(atMs);
  }

  onHeaders(atMs: number, status: number, headers: ResponseHeaders): void {
    const succeeded = status >= 200 && status < 300;
    this.guarded(() => {
      this.builder.onHeaders(atMs, status, headers);
      this.body.open(succeeded, headers);
    });
    if (this.options.stream || !succeeded) return;
    // A body that announces too large a size is refused before it is read.
    const { bodyBytes: limitBytes } = this.limits;
    const receivedBytes = Number(headers['content-length']);
    if (receivedBytes > limitBytes) {
      const ending: Ending = { kind: 'too_large', limit: 'body', limitBytes, receivedBytes };
      decodeQueue.afterReads(() => this.finish(atMs, ending));
    }
  }

  pause(): void {
    if (!this.isOver && this.deadline.pause()) this.connection.pause();
  }

  resume(): void {
    if (!this.deadline.resume()) return;
    this.builder.pausedMs = this.deadline.progress.pausedMs;
    this.connection.resume();
    this.watch();
  }

  // HOT PATH: the connection took the stamp; decoding can wait until the other sockets have their stamps.
  onRead(atMs: number, chunk: Uint8Array, socketRead: number): void {
    if (this.isOver) return;
    const { progress } = this.deadline;
    progress.lastReadAt = atMs;
    if (progress.firstByteAt === undefined) {
      progress.firstByteAt = atMs;
      this.watch();
    }
    this.undecoded.add(atMs, chunk, socketRead);
    if (this.undecoded.byteLength > MAX_UNDECODED_BYTES) this.decodeAll();
    else if (!this.isQueued) {
      this.isQueued = true;
      if (this.decodesAtOnce) decodeQueue.afterReads(this.decodeAll);
      else decodeQueue.decodeLater(this);
    }
  }

  onEnd(atMs: number): void {
    decodeQueue.afterReads(() => this.finishInflated(atMs, { kind: 'eof' }));
  }

  onError(atMs: number, error: Error, unanswered = false): void {
    const { reconnect } = this.options;
    decodeQueue.afterReads(() => {
      if (unanswered && !this.wasResent && reconnect !== undefined) this.resend(atMs, reconnect);
      else this.finishInflated(atMs, this.endingOf(error));
    });
  }

  private endingOf(error: Error): Ending {
    return error instanceof HeadersTooLarge
      ? {
          kind: 'too_large',
          limit: 'headers',
          limitBytes: this.limits.headerBytes,
          receivedBytes: error.bytes,
        }
      : { kind: 'error', error };
  }

  /** Closing an idle connection is not a failure of the service, even if the request was already on its way. */
  private resend(atMs: number, reconnect: (connection: Connection) => Connection): void {
    if (this.isOver) return;
    this.wasResent = true;
    this.deadline.progress.sentAt = undefined;
    this.deadline.progress.resentAt = atMs;
    this.builder.onResend();
    this.guarded(() => {
      this.connection = reconnect(this.connection);
      this.watch();
      this.connection.send(this.options.request, this.sink);
    });
  }

  decode(reads: number): number {
    // A listener may end the request: events after the one that it is handling are not reported.
    if (this.isDecoding) return 0;
    this.isDecoding = true;
    let decoded = 0;
    try {
      decoded = this.undecoded.take(reads, this.decodeRead);
    } catch (error) {
      this.fail(error);
    } finally {
      this.isDecoding = false;
    }
    this.isQueued = this.undecoded.reads > 0;
    return decoded;
  }

  private readonly decodeAll = () => {
    this.decode(Number.POSITIVE_INFINITY);
  };

  private readonly decodeRead = (atMs: number, chunk: Uint8Array, socketRead: number): void => {
    if (this.isOver) return;
    const read = this.builder.onRead(atMs, chunk, socketRead);
    this.body.push(chunk, atMs, read);
    this.afterDecoding(atMs);
  };

  private afterDecoding(atMs: number): void {
    const { progress } = this.deadline;
    if (this.body.exceeded !== undefined) {
      this.finish(atMs, { kind: 'too_large', ...this.body.exceeded });
    } else if (progress.terminatedAt === undefined && this.hasTerminated()) {
      progress.terminatedAt = atMs;
      this.watch();
    }
  }

  /** Nothing is left to wait for but the end of the body. Libraries stop reading at a failure too. */
  private hasTerminated(): boolean {
    return this.options.passive ? this.builder.isDecided : this.builder.isComplete;
  }

  /** The body has ended: finishes the request once all of it is decoded. */
  private finishInflated(atMs: number, ending: Ending): void {
    this.decodeAll();
    if (!this.isOver) this.body.whenInflated(() => this.finish(atMs, ending));
  }

  private finish(atMs: number, ending: Ending): void {
    if (this.isOver) return;
    this.decodeAll();
    if (this.isOver) return;
    // If a listener ended the request in the middle of a read, what the reader still holds is not reported.
    if (!this.isDecoding) {
      const eofAt = ending.kind === 'eof' ? atMs : undefined;
      this.guarded(() => this.body.end(this.deadline.progress.lastReadAt ?? atMs, eofAt));
    }
    const { exceeded } = this.body;
    this.close(atMs, exceeded === undefined ? ending : { kind: 'too_large', ...exceeded });
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** An exception while this response was read: from a listener, or from a part of this program. */
  private fail(error: unknown): void {
    if (this.isOver) return;
    if (error instanceof ListenerError) this.reject(error.cause);
    this.close(this.options.clock.now(), { kind: 'fault', error });
  }

  private close(atMs: number, ending: Ending): void {
    if (this.isOver) return;
    this.resume();
    this.isOver = true;
    this.options.tap?.onOver(atMs, ending);
    this.body.close();
    this.deadline.stop();
    this.options.signal?.removeEventListener('abort', this.onAbort);
    if (ending.kind !== 'eof') this.connection.destroy();
    let observation: Observation;
    try {
      observation = this.builder.finish(atMs, ending);
    } catch {
      this.connection.destroy();
      observation = this.builder.bare(atMs, faultOf('no observation could be made'));
    }
    this.resolve(observation);
  }

  private readonly onAbort = () => {
    const { clock, signal, passive } = this.options;
    this.decodeAll();
    const wasRead = passive && this.builder.isSettled;
    this.finish(clock.now(), wasRead ? { kind: 'eof' } : cancelled(signal));
  };

  private watch(): void {
    if (!this.isOver) this.deadline.watch();
  }

  private readonly enforceLimits = (): void => {
    // The end of the answer may be among what was read.
    this.decodeAll();
    if (this.isOver) return;
    const { clock, timeouts, cutAfterMs } = this.options;
    // Read here: no mark may be later than the end.
    const now = clock.now();
    const phase = this.deadline.expired(now);
    if (phase === undefined) return;
    if (phase === 'linger') {
      this.connection.destroy();
      this.finish(now, { kind: 'eof' });
    } else if (phase === 'cut') {
      this.finish(now, { kind: 'planned_cut', afterMs: cutAfterMs ?? 0 });
    } else {
      this.finish(now, { kind: 'timeout', phase, limitMs: limitOf(phase, timeouts) });
    }
  };
}

function cancelled(signal: AbortSignal | undefined): Ending {
  const reason: unknown = signal?.reason;
  if (reason instanceof WindowOver) return { kind: 'window_over', graceMs: reason.graceMs };
  return typeof reason === 'string' ? { kind: 'cancelled', reason } : { kind: 'cancelled' };
}

import { DEFAULT_LIMITS, type Limits } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import { type BodyReader, guardListeners, ListenerError, streamReader, wholeReader } from './body-reader.ts';
import { limitOf, nextDeadline, pauseAt, type RequestProgress, resumeAt } from './deadline.ts';
import { decodeQueue, type PendingReads } from './decode-queue.ts';
import { askedOf, type ExchangeOptions, type FlowControl } from './exchange-options.ts';
import { Inflater, isDecoded, type OnInflated } from './inflater.ts';
import { ObservationBuilder } from './observation-builder.ts';
import type { Ending, LimitExceeded } from './outcome/evidence.ts';
import { faultOf } from './outcome/outcome.ts';
import { ReadBuffer } from './read-buffer.ts';
import {
  type Connection,
  type ConnectionSink,
  HeadersTooLarge,
  type ResponseHeaders,
} from './transport/connection.ts';

/**
 * Sends one request over `connection` and watches it to its end. A failure is an outcome, also a failure of this program
 * while it reads the response: other exchanges go on. Rejects only with what a listener has thrown. The connection is
 * destroyed unless the response was read to its end.
 */
export function exchange(connection: Connection, options: ExchangeOptions): Promise<Observation> {
  return new Promise((resolve, reject) => new Exchange(connection, options, resolve, reject).start());
}

/** What a response may leave undecoded, in bytes. More is decoded while it is read: then it is late in any case. */
const MAX_UNDECODED = 16_384;

class Exchange implements ConnectionSink, PendingReads, FlowControl {
  private connection: Connection;
  private readonly options: ExchangeOptions;
  private readonly resolve: (observation: Observation) => void;
  private readonly reject: (error: unknown) => void;
  private readonly limits: Limits;
  private readonly fold: ObservationBuilder;
  private readonly progress: RequestProgress;
  private readonly reader: BodyReader;
  private readonly backlog = new ReadBuffer();
  private readonly awaited: boolean;
  private queued = false;
  private decoding = false;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Number.POSITIVE_INFINITY;
  private over = false;
  private resent = false;
  private succeeded = false;
  private excess: LimitExceeded | undefined;
  private ignoredBytes = 0;
  private inflater: Inflater | undefined;

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
    const startedAt = options.clock.now();
    this.progress = { startedAt };
    this.fold = new ObservationBuilder({
      asked: askedOf(options),
      scheduledAt: options.scheduledAt,
      startedAt,
      originAt: options.originAt,
      keepText: options.keepText,
      redactor: options.redactor,
    });
    const reader = options.stream ? streamReader : wholeReader;
    this.reader = reader(options.dialect, this.fold, guardListeners(options), {
      limits: this.limits,
      onExcess: (excess) => (this.excess ??= excess),
    });
    const heard = options.onEvents !== undefined || options.onBytes !== undefined;
    this.awaited = (options.decode ?? (heard ? 'at-once' : 'later')) === 'at-once';
  }

  start(): void {
    const { signal, request } = this.options;
    if (signal?.aborted) {
      this.finish(this.progress.startedAt, cancelled(signal));
      return;
    }
    signal?.addEventListener('abort', this.onAbort, { once: true });
    this.watch();
    this.options.onFlow?.(this);
    this.guarded(() => this.connection.send(request, this));
  }

  onSocket: ConnectionSink['onSocket'] = (info, phases) =>
    this.guarded(() => this.fold.onSocket(info, phases));

  onSent(atMs: number): void {
    this.progress.sentAt = atMs;
    this.watch();
    this.fold.onSent(atMs);
  }

  onHeaders(atMs: number, status: number, headers: ResponseHeaders): void {
    this.succeeded = status >= 200 && status < 300;
    this.guarded(() => this.fold.onHeaders(atMs, status, headers));
    if (this.succeeded) this.openInflater(headers['content-encoding']);
    if (this.options.stream || !this.succeeded) return;
    // Refused before it is read, where its size is announced.
    const { bodyBytes: limitBytes } = this.limits;
    const receivedBytes = Number(headers['content-length']);
    if (receivedBytes > limitBytes) {
      decodeQueue.soon(() =>
        this.finish(atMs, { kind: 'too_large', limit: 'body', limitBytes, receivedBytes }),
      );
    }
  }

  pause(): void {
    if (!this.over && pauseAt(this.progress, this.options.clock.now())) this.connection.pause();
  }

  resume(): void {
    if (!resumeAt(this.progress, this.options.clock)) return;
    this.fold.pausedMs = this.progress.pausedMs;
    this.connection.resume();
    this.watch();
  }

  // HOT PATH: the stamp was taken by the connection; what the bytes mean can wait until the other sockets have theirs.
  onRead(atMs: number, chunk: Uint8Array, socketRead: number): void {
    if (this.over) return;
    this.progress.lastReadAt = atMs;
    if (this.progress.firstByteAt === undefined) {
      this.progress.firstByteAt = atMs;
      this.watch();
    }
    this.backlog.add(atMs, chunk, socketRead);
    if (this.backlog.byteLength > MAX_UNDECODED) this.decodeAll();
    else if (!this.queued) {
      this.queued = true;
      if (this.awaited) decodeQueue.soon(this.decodeAll);
      else decodeQueue.later(this);
    }
  }

  onEnd(atMs: number): void {
    decodeQueue.soon(() => this.finishInflated(atMs, { kind: 'eof' }));
  }

  onError(atMs: number, error: Error, unanswered = false): void {
    const again = unanswered && !this.resent && this.options.reconnect !== undefined;
    decodeQueue.soon(() => (again ? this.resend(atMs) : this.finishInflated(atMs, this.endingOf(error))));
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

  /** Closing an idle connection is no failure of the service, also where the request was on its way already. */
  private resend(atMs: number): void {
    if (this.over) return;
    this.resent = true;
    this.progress.sentAt = undefined;
    this.progress.resentAt = atMs;
    this.fold.onResend();
    this.guarded(() => {
      this.connection = this.options.reconnect!(this.connection);
      this.watch();
      this.connection.send(this.options.request, this);
    });
  }

  decode(reads: number): number {
    // A listener may end the request: what was read after the event that it is being told of is not told any more.
    if (this.decoding) return 0;
    this.decoding = true;
    let decoded = 0;
    try {
      decoded = this.backlog.take(reads, this.decodeRead);
    } catch (error) {
      this.fail(error);
    } finally {
      this.decoding = false;
    }
    this.queued = this.backlog.reads > 0;
    return decoded;
  }

  private readonly decodeAll = () => {
    this.decode(Number.POSITIVE_INFINITY);
  };

  private readonly decodeRead = (atMs: number, chunk: Uint8Array, socketRead: number): void => {
    if (this.over) return;
    const read = this.fold.onRead(atMs, chunk, socketRead);
    if (!this.succeeded) this.ignore(chunk);
    else if (this.inflater !== undefined) this.inflater.push(chunk, atMs, read);
    else this.readBody(chunk, atMs, read);
    if (this.excess !== undefined) this.finish(atMs, { kind: 'too_large', ...this.excess });
  };

  private readonly readBody = (chunk: Uint8Array, atMs: number, read: number): void => {
    if (this.over) return;
    this.reader.push(chunk, atMs, read);
    if (this.excess === undefined && this.fold.isComplete && this.progress.terminatedAt === undefined) {
      this.progress.terminatedAt = atMs;
      this.watch();
    }
  };

  /** The body of a refusal, of which only the beginning explains anything. It need not end. */
  private ignore(chunk: Uint8Array): void {
    const { bodyBytes: limitBytes } = this.limits;
    this.ignoredBytes += chunk.byteLength;
    if (this.ignoredBytes > limitBytes) {
      this.excess = { limit: 'body', limitBytes, receivedBytes: this.ignoredBytes };
    }
  }

  // A browser asks for compression and gets its events out of it: so does who asks for it here.
  private openInflater(encoding: string | string[] | undefined): void {
    const name = Array.isArray(encoding) ? encoding.join(',') : encoding;
    if (!isDecoded(name, this.options.request.headers['accept-encoding'])) return;
    const { fold } = this;
    fold.onInflate();
    const inflated: OnInflated = (bytes, atMs, read) => {
      if (this.over) return;
      this.guarded(() => {
        fold.onInflated(bytes);
        this.readBody(bytes, atMs, read);
      });
      if (this.excess !== undefined) this.finish(atMs, { kind: 'too_large', ...this.excess });
    };
    this.inflater = new Inflater(name!, inflated, (message) => {
      const at = this.progress.lastReadAt ?? this.progress.startedAt;
      if (!this.over) fold.onEvents([{ type: 'error', message, malformed: true }], at, 0);
    });
  }

  /** The end of the body, when all that it holds has been told. */
  private finishInflated(atMs: number, ending: Ending): void {
    this.decodeAll();
    if (this.inflater === undefined || this.over) this.finish(atMs, ending);
    else this.inflater.end(() => this.finish(atMs, ending));
  }

  private finish(atMs: number, ending: Ending): void {
    if (this.over) return;
    this.decodeAll();
    if (this.over) return;
    // Ended by a listener, in the middle of a read: what the reader holds is not told any more.
    if (this.succeeded && !this.decoding) {
      const eofAt = ending.kind === 'eof' ? atMs : undefined;
      this.guarded(() => this.reader.end(this.progress.lastReadAt ?? atMs, eofAt));
    }
    this.close(atMs, this.excess === undefined ? ending : { kind: 'too_large', ...this.excess });
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Something threw while this response was read: a listener, or a part of this program. */
  private fail(error: unknown): void {
    if (this.over) return;
    if (error instanceof ListenerError) this.reject(error.cause);
    this.close(this.options.clock.now(), { kind: 'fault', error });
  }

  private close(atMs: number, ending: Ending): void {
    if (this.over) return;
    this.resume();
    this.over = true;
    this.inflater?.close();
    clearTimeout(this.timer);
    this.options.signal?.removeEventListener('abort', this.onAbort);
    if (ending.kind !== 'eof') this.connection.destroy();
    let observation: Observation;
    try {
      observation = this.fold.finish(atMs, ending);
    } catch {
      this.connection.destroy();
      observation = this.fold.bare(atMs, faultOf('no observation could be made'));
    }
    this.resolve(observation);
  }

  private readonly onAbort = () => this.finish(this.options.clock.now(), cancelled(this.options.signal));

  /**
   * Waits for the limit that runs out next. Called when the request enters its next phase: reads only move a limit
   * further away, which the timer finds out when it fires.
   */
  private watch(): void {
    if (this.over) return;
    const { clock, timeouts } = this.options;
    const { atMs } = nextDeadline(this.progress, timeouts);
    if (atMs >= this.timerAt) return;
    clearTimeout(this.timer);
    this.timerAt = atMs;
    this.timer = setTimeout(() => this.onTimer(), Math.max(0, Math.ceil(atMs - clock.now())));
  }

  private onTimer(): void {
    this.timerAt = Number.POSITIVE_INFINITY;
    // The timer may be late, and what came in time not read yet: the sockets are read before the verdict.
    decodeQueue.soon(this.judge);
  }

  private readonly judge = (): void => {
    // The end of the answer may be among what was read.
    this.decodeAll();
    if (this.over) return;
    const { clock, timeouts } = this.options;
    // Read here: no mark may be later than the end.
    const now = clock.now();
    const { phase, atMs } = nextDeadline(this.progress, timeouts);
    if (atMs > now) {
      this.watch();
    } else if (phase === 'linger') {
      this.connection.destroy();
      this.finish(now, { kind: 'eof' });
    } else {
      this.finish(now, { kind: 'timeout', phase, limitMs: limitOf(phase, timeouts) });
    }
  };
}

function cancelled(signal: AbortSignal | undefined): Ending {
  const reason: unknown = signal?.reason;
  return typeof reason === 'string' ? { kind: 'cancelled', reason } : { kind: 'cancelled' };
}

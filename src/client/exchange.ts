import type { Clock } from '../model/clock.ts';
import type { Timeouts } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import type { Redactor } from '../model/redactor.ts';
import type { WireFormat } from '../wire/format.ts';
import { Backlog } from './backlog.ts';
import { type BodyListeners, type BodyReader, streamReader, wholeReader } from './body-reader.ts';
import type { Connection, ConnectionSink, ResponseHeaders, SocketRequest } from './connection.ts';
import { nextDeadline, type Progress } from './deadline.ts';
import { decodeQueue, type Undecoded } from './decode-queue.ts';
import type { Asked, Ending } from './evidence.ts';
import { Fold } from './fold.ts';
import { type Inflated, Inflater, isDecoded } from './inflater.ts';
import type { RequestAbout } from './refusal.ts';

/** All that one exchange needs to know. Times are on the machine's clock. */
export interface ExchangeOptions extends BodyListeners {
  format: WireFormat;
  request: SocketRequest;
  /** What explains the answer beside the request itself. */
  about?: RequestAbout & Pick<Asked, 'textPath'>;
  /** False for one whole answer. */
  stream: boolean;
  timeouts: Timeouts;
  clock: Clock;
  /** What the marks, and the listeners' times, count from. */
  originAt: number;
  scheduledAt: number;
  keepText: boolean;
  redactor: Redactor;
  signal?: AbortSignal;
  /**
   * Gives a new connection in place of one that was open before the request and closed without a byte of the response.
   * The request is then sent again, once. Absent: it fails.
   */
  reconnect?: (connection: Connection) => Connection;
  /**
   * When the events are decoded: `at-once`, in the turn of the event loop in which they were read, or `later`, within some
   * 100 ms or with the end of the response, which disturbs the stamps of other requests less. Default: `at-once` where
   * someone listens.
   */
  decode?: 'at-once' | 'later';
}

/**
 * Sends one request over `connection` and watches it to its end. Never rejects: a failure is an outcome. The
 * connection is destroyed unless the response was read to its end.
 */
export function exchange(connection: Connection, options: ExchangeOptions): Promise<Observation> {
  return new Promise((resolve) => new Exchange(connection, options, resolve).start());
}

/** What a response may leave undecoded, in bytes. More is decoded while it is read: then it is late in any case. */
const MOST_UNDECODED = 16_384;

class Exchange implements ConnectionSink, Undecoded {
  private connection: Connection;
  private readonly options: ExchangeOptions;
  private readonly resolve: (observation: Observation) => void;
  private readonly fold: Fold;
  private readonly progress: Progress;
  private readonly reader: BodyReader;
  private readonly backlog = new Backlog();
  private readonly awaited: boolean;
  private queued = false;
  private decoding = false;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Number.POSITIVE_INFINITY;
  private over = false;
  private resent = false;
  private succeeded = false;
  private inflater: Inflater | undefined;

  constructor(connection: Connection, options: ExchangeOptions, resolve: (observation: Observation) => void) {
    this.connection = connection;
    this.options = options;
    this.resolve = resolve;
    const startedAt = options.clock.now();
    this.progress = { startedAt };
    this.fold = new Fold({
      asked: askedOf(options),
      scheduledAt: options.scheduledAt,
      startedAt,
      originAt: options.originAt,
      keepText: options.keepText,
      redactor: options.redactor,
    });
    const reader = options.stream ? streamReader : wholeReader;
    this.reader = reader(options.format, this.fold, options);
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
    this.connection.send(request, this);
  }

  onSocket: ConnectionSink['onSocket'] = (info, phases) => this.fold.onSocket(info, phases);

  onSent(atMs: number): void {
    this.progress.sentAt = atMs;
    this.watch();
    this.fold.onSent(atMs);
  }

  onHeaders(atMs: number, status: number, headers: ResponseHeaders): void {
    this.succeeded = status >= 200 && status < 300;
    this.fold.onHeaders(atMs, status, headers);
    if (this.succeeded) this.openInflater(headers['content-encoding']);
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
    if (this.backlog.byteLength > MOST_UNDECODED) this.decodeAll();
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
    decodeQueue.soon(() => (again ? this.resend(atMs) : this.finishInflated(atMs, { kind: 'error', error })));
  }

  /** Closing an idle connection is no failure of the service, also where the request was on its way already. */
  private resend(atMs: number): void {
    if (this.over) return;
    this.resent = true;
    this.progress.sentAt = undefined;
    this.progress.resentAt = atMs;
    this.fold.onResend();
    this.connection = this.options.reconnect!(this.connection);
    this.watch();
    this.connection.send(this.options.request, this);
  }

  decode(reads: number): number {
    // A listener may end the request: what was read after the event that it is being told of is not told any more.
    if (this.decoding) return 0;
    this.decoding = true;
    const decoded = this.backlog.take(reads, this.decodeRead);
    this.decoding = false;
    this.queued = this.backlog.reads > 0;
    return decoded;
  }

  private readonly decodeAll = () => {
    this.decode(Number.POSITIVE_INFINITY);
  };

  private readonly decodeRead = (atMs: number, chunk: Uint8Array, socketRead: number): void => {
    if (this.over) return;
    const read = this.fold.onRead(atMs, chunk, socketRead);
    if (this.inflater !== undefined) this.inflater.push(chunk, atMs, read);
    else if (this.succeeded) this.readBody(chunk, atMs, read);
  };

  private readonly readBody = (chunk: Uint8Array, atMs: number, read: number): void => {
    if (this.over) return;
    this.reader.push(chunk, atMs, read);
    if (this.fold.isComplete && this.progress.terminatedAt === undefined) {
      this.progress.terminatedAt = atMs;
      this.watch();
    }
  };

  // A browser asks for compression and gets its events out of it: so does who asks for it here.
  private openInflater(encoding: string | string[] | undefined): void {
    const name = Array.isArray(encoding) ? encoding.join(',') : encoding;
    if (!isDecoded(name, this.options.request.headers['accept-encoding'])) return;
    const { fold } = this;
    fold.onInflate();
    const inflated: Inflated = (bytes, atMs, read) => {
      if (this.over) return;
      fold.onInflated(bytes);
      this.readBody(bytes, atMs, read);
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
    if (this.succeeded && !this.decoding)
      this.reader.end(this.progress.lastReadAt ?? atMs, ending.kind === 'eof' ? atMs : undefined);
    this.over = true;
    this.inflater?.close();
    clearTimeout(this.timer);
    this.options.signal?.removeEventListener('abort', this.onAbort);
    if (ending.kind !== 'eof') this.connection.destroy();
    this.resolve(this.fold.finish(atMs, ending));
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

function askedOf({ format, request, stream, about }: ExchangeOptions): Asked {
  const { name: dialect, framing } = format;
  const { method, body } = request;
  return { mode: stream ? 'streaming' : 'non-streaming', dialect, framing, method, body, ...about };
}

function cancelled(signal: AbortSignal | undefined): Ending {
  const reason: unknown = signal?.reason;
  return typeof reason === 'string' ? { kind: 'cancelled', reason } : { kind: 'cancelled' };
}

function limitOf(phase: 'connect' | 'first_byte' | 'idle' | 'total', timeouts: Timeouts): number {
  switch (phase) {
    case 'connect':
      return timeouts.connectMs;
    case 'first_byte':
      return timeouts.firstByteMs;
    case 'idle':
      return timeouts.idleMs;
    case 'total':
      return timeouts.totalMs;
    default:
      return phase satisfies never;
  }
}

import type { Clock } from '../model/clock.ts';
import type { StreamEvent } from '../model/events.ts';
import type { Timeouts } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import type { Redact } from '../model/secrets.ts';
import type { Decoder, WireFormat } from '../wire/format.ts';
import { FRAMINGS, type FrameParser } from '../wire/framing.ts';
import type { Connection, ConnectionSink, ResponseHeaders, SocketRequest } from './connection.ts';
import { nextDeadline, type Progress } from './deadline.ts';
import { afterReads } from './decode-queue.ts';
import { Fold } from './fold.ts';
import type { Ending } from './outcome.ts';

/** All that one exchange needs to know. Times are on the machine's clock. */
export interface ExchangeOptions {
  format: WireFormat;
  request: SocketRequest;
  /** False for one whole answer. */
  stream: boolean;
  timeouts: Timeouts;
  clock: Clock;
  /** What the marks count from. */
  originAt: number;
  scheduledAt: number;
  keepText: boolean;
  redact: Redact;
  signal?: AbortSignal;
  /** Called with the events of each frame, after they were counted. `atMs` counts from `originAt`. */
  onEvents?: (events: readonly StreamEvent[], atMs: number, read: number) => void;
}

/**
 * Sends one request over `connection` and watches it to its end. Never rejects: a failure is an outcome. The
 * connection is destroyed unless the response was read to its end.
 */
export function exchange(connection: Connection, options: ExchangeOptions): Promise<Observation> {
  return new Promise((resolve) => new Exchange(connection, options, resolve).start());
}

class Exchange implements ConnectionSink {
  private readonly connection: Connection;
  private readonly options: ExchangeOptions;
  private readonly resolve: (observation: Observation) => void;
  private readonly fold: Fold;
  private readonly progress: Progress;
  private readonly reader: BodyReader;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Number.POSITIVE_INFINITY;
  private over = false;
  private succeeded = false;

  constructor(connection: Connection, options: ExchangeOptions, resolve: (observation: Observation) => void) {
    this.connection = connection;
    this.options = options;
    this.resolve = resolve;
    const startedAt = options.clock.now();
    this.progress = { startedAt };
    this.fold = new Fold({
      mode: options.stream ? 'streaming' : 'non-streaming',
      scheduledAt: options.scheduledAt,
      startedAt,
      originAt: options.originAt,
      keepText: options.keepText,
      redact: options.redact,
    });
    this.reader = options.stream ? this.streamReader() : this.wholeReader();
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
  }

  // HOT PATH: the stamp was taken by the connection; what the bytes mean can wait until the other sockets have theirs.
  onRead(atMs: number, chunk: Uint8Array): void {
    this.progress.lastReadAt = atMs;
    if (this.progress.firstByteAt === undefined) {
      this.progress.firstByteAt = atMs;
      this.watch();
    }
    afterReads(() => this.decode(atMs, chunk));
  }

  onEnd(atMs: number): void {
    afterReads(() => this.finish(atMs, { kind: 'eof' }));
  }

  onError(atMs: number, error: Error): void {
    afterReads(() => this.finish(atMs, { kind: 'error', error }));
  }

  private decode(atMs: number, chunk: Uint8Array): void {
    if (this.over) return;
    const read = this.fold.onRead(atMs, chunk);
    if (this.succeeded) this.reader.push(chunk, atMs, read);
    if (this.fold.isComplete && this.progress.terminatedAt === undefined) {
      this.progress.terminatedAt = atMs;
      this.watch();
    }
  }

  private finish(atMs: number, ending: Ending): void {
    if (this.over) return;
    if (this.succeeded)
      this.reader.end(this.progress.lastReadAt ?? atMs, ending.kind === 'eof' ? atMs : undefined);
    this.over = true;
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
    const { clock, timeouts } = this.options;
    const { atMs } = nextDeadline(this.progress, timeouts);
    if (atMs >= this.timerAt) return;
    clearTimeout(this.timer);
    this.timerAt = atMs;
    this.timer = setTimeout(() => this.onTimer(), Math.max(0, Math.ceil(atMs - clock.now())));
  }

  private onTimer(): void {
    this.timerAt = Number.POSITIVE_INFINITY;
    const { clock, timeouts } = this.options;
    const now = clock.now();
    const { phase, atMs } = nextDeadline(this.progress, timeouts);
    if (atMs > now) {
      this.watch();
    } else if (phase === 'linger') {
      this.connection.destroy();
      this.finish(now, { kind: 'eof' });
    } else {
      // What was read before the limit ran out is decoded before the verdict.
      afterReads(() => this.finish(now, { kind: 'timeout', phase, limitMs: limitOf(phase, timeouts) }));
    }
  }

  private streamReader(): BodyReader {
    const { format, onEvents, originAt } = this.options;
    const { fold } = this;
    const decoder: Decoder = format.decoder();
    let atMs = 0;
    let read = 0;
    const parser: FrameParser = FRAMINGS[format.framing].parser({
      frame(frame) {
        const events = decoder.decode(frame);
        fold.onFrame(events, atMs, read);
        onEvents?.(events, atMs - originAt, read);
      },
      comment: () => fold.onComment(),
    });
    return {
      push(chunk, at, number) {
        atMs = at;
        read = number;
        parser.push(chunk);
      },
      end(lastReadAt, eofAt) {
        atMs = lastReadAt;
        parser.end();
        for (const event of decoder.end()) {
          // A body that was cut has no proper end: what only EOF would complete stays incomplete.
          const at = event.type === 'complete' ? eofAt : lastReadAt;
          if (at === undefined) continue;
          fold.onEvents([event], at, read);
          onEvents?.([event], at - originAt, read);
        }
      },
    };
  }

  private wholeReader(): BodyReader {
    const { format, onEvents, originAt } = this.options;
    const { fold } = this;
    const chunks: Uint8Array[] = [];
    let read = 0;
    return {
      push(chunk, _at, number) {
        chunks.push(chunk);
        read = number;
      },
      end(at, eofAt) {
        if (eofAt === undefined || chunks.length === 0) return;
        const events = [...format.decodeWhole(Buffer.concat(chunks).toString('utf8'))];
        // A whole document has said all it has to say, with or without a finish reason.
        if (!events.some((event) => event.type === 'complete' || event.type === 'error')) {
          events.push({ type: 'complete', finish: 'other' });
        }
        // One whole answer is one frame: its first token arrives with its last.
        fold.onFrame(events, at, read);
        onEvents?.(events, at - originAt, read);
      },
    };
  }
}

/** Reads a body: as frames while they come, or as one document at the end. */
interface BodyReader {
  push(chunk: Uint8Array, atMs: number, read: number): void;
  /** `eofAt` is when the server ended the body; undefined when it was cut. */
  end(lastReadAt: number, eofAt: number | undefined): void;
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

import type { Clock } from '../model/clock.ts';
import type { FlowControl } from './exchange-options.ts';
import type { ConnectionSink } from './transport/connection.ts';

/** The pauses of a reader with a constant rate. Times in ms. */
export class ReadPace {
  private readonly bytesPerMs: number;
  private dueAt = 0;

  constructor(bytesPerSecond: number) {
    this.bytesPerMs = bytesPerSecond / 1000;
  }

  /** Bytes were read at `now`. Returns how long to read nothing, so that the rate holds. */
  after(bytes: number, now: number): number {
    this.dueAt = Math.max(this.dueAt, now) + bytes / this.bytesPerMs;
    return this.dueAt - now;
  }
}

/**
 * A sink that reads at a constant rate: after each read it pauses the connection, so that the kernel's buffers fill and the
 * server has to wait.
 */
export function pacedSink(
  sink: ConnectionSink,
  flow: FlowControl,
  clock: Clock,
  bytesPerSecond: number,
): ConnectionSink {
  const pace = new ReadPace(bytesPerSecond);
  let timer: NodeJS.Timeout | undefined;
  return {
    onSocket: (info, phases) => sink.onSocket(info, phases),
    onSent: (atMs) => sink.onSent(atMs),
    onHeaders: (atMs, status, headers) => sink.onHeaders(atMs, status, headers),
    onRead(atMs, chunk, socketRead) {
      sink.onRead(atMs, chunk, socketRead);
      const pauseMs = pace.after(chunk.byteLength, clock.now());
      flow.pause();
      clearTimeout(timer);
      timer = setTimeout(() => flow.resume(), pauseMs);
    },
    onEnd(atMs) {
      clearTimeout(timer);
      sink.onEnd(atMs);
    },
    onError(atMs, error, unanswered) {
      clearTimeout(timer);
      sink.onError(atMs, error, unanswered);
    },
  };
}

/** Pieces of this length are read at a time, in ms of the rate. */
const PIECE_MS = 50;
const LEAST_BYTES = 256;
const MOST_BYTES = 65_536;

/** The size of a slow reader's reads, in bytes: small enough that it reads steadily, not in bursts. */
export function pieceBytes(bytesPerSecond: number): number {
  return Math.round(Math.min(MOST_BYTES, Math.max(LEAST_BYTES, (bytesPerSecond * PIECE_MS) / 1000)));
}

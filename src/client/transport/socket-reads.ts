import type { Socket } from 'node:net';
import type { Clock } from '../../model/clock.ts';

/** The part of a handle of Node's that counts the bytes it has read. */
interface ReadCounter {
  readonly bytesRead: number;
}

/**
 * The reads of one socket. Everything that is parsed out of one read of the socket shares its stamp and its number,
 * whatever lies between: chunks of HTTP/1.1, TLS records, HTTP/2 frames of several streams.
 */
export class SocketReads {
  /** When the last read was made, on the machine's clock, in ms. */
  atMs = 0;
  /** The number of the last read, from 1. 0: nothing has been read. */
  number = 0;
  /** When the other side ended the connection, or it broke. */
  endedAtMs: number | undefined;
  /** The other side has ended it in good order. */
  atEof = false;
  /** What broke it. */
  error: Error | undefined;
  private readonly clock: Clock;
  private readonly counter: ReadCounter | undefined;
  private readonly single: boolean;
  private bytesRead = 0;
  private inTurn = false;

  /** `single`: the caller of `arrived` calls it once for each read, so that there is nothing to find out. */
  constructor(clock: Clock, socket: Socket, { single }: { single: boolean }) {
    this.clock = clock;
    this.single = single;
    this.counter = single ? undefined : readCounterOf(socket);
    const onEnd = () => {
      this.endedAtMs ??= clock.now();
    };
    // Before the listeners of undici and of node:http2, which make outcomes of these.
    socket
      .prependOnceListener('end', () => {
        this.atEof = true;
        onEnd();
      })
      .prependOnceListener('close', onEnd)
      .prependOnceListener('error', (error: Error) => {
        this.error = error;
        onEnd();
      });
  }

  /** Call this first thing when data of the socket arrives. It takes a stamp where a new read has brought it. HOT PATH. */
  arrived(): void {
    if (!this.single && !this.isNewRead()) return;
    this.atMs = this.clock.now();
    this.number++;
  }

  private isNewRead(): boolean {
    if (this.counter !== undefined) {
      const { bytesRead } = this.counter;
      const isNew = bytesRead !== this.bytesRead;
      this.bytesRead = bytesRead;
      return isNew;
    }
    // Without the counter, what arrives in one turn of the event loop counts as one read.
    if (this.inTurn) return false;
    this.inTurn = true;
    setImmediate(() => {
      this.inTurn = false;
    });
    return true;
  }
}

/**
 * The counter of the TCP (or pipe) handle below TLS: Node counts in it before anything is decrypted, and once for each
 * read of the socket. Not documented, but the same in Node 20, 22 and 24; undefined where it is missing.
 */
function readCounterOf(socket: Socket): ReadCounter | undefined {
  type Handle = Partial<ReadCounter> & { _parent?: Handle | null };
  let handle = (socket as unknown as { _handle?: Handle | null })._handle;
  while (handle?._parent != null) handle = handle._parent;
  return typeof handle?.bytesRead === 'number' ? (handle as ReadCounter) : undefined;
}

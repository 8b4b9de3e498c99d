import type { Socket } from 'node:net';
import type { Clock } from '../../model/clock.ts';

/** The byte counter of a Node handle. */
interface ReadCounter {
  readonly bytesRead: number;
}

/**
 * The reads of one socket. Everything that is parsed from one socket read shares its stamp and its number: chunks of HTTP/1.1,
 * TLS records, HTTP/2 frames of several streams.
 */
export class SocketReads {
  /** Time of the last read, on the machine's clock, in ms. */
  atMs = 0;
  /** Number of the last read, from 1; 0 before the first. */
  number = 0;
  /** When the server closed the connection, or it failed. */
  endedAtMs: number | undefined;
  /** True if the server closed the connection gracefully. */
  atEof = false;
  /** The error of the connection. */
  error: Error | undefined;
  private readonly clock: Clock;
  private readonly counter: ReadCounter | undefined;
  private readonly single: boolean;
  private bytesRead = 0;
  private inTurn = false;

  /** `single`: `arrived` is called exactly once for each read, so reads need not be distinguished. */
  constructor(clock: Clock, socket: Socket, { single }: { single: boolean }) {
    this.clock = clock;
    this.single = single;
    this.counter = single ? undefined : readCounterOf(socket);
    const onEnd = () => {
      this.endedAtMs ??= clock.now();
    };
    // Before the listeners of undici and node:http2, which turn these events into outcomes.
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

  /** Call this first when data of the socket arrives. Takes a stamp if the data came with a new read. HOT PATH. */
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
    // Without the counter, all data of one turn of the event loop counts as one read.
    if (this.inTurn) return false;
    this.inTurn = true;
    setImmediate(() => {
      this.inTurn = false;
    });
    return true;
  }
}

/**
 * The counter of the TCP (or pipe) handle below TLS: Node updates it once per socket read, before decryption. Undocumented, but
 * the same in Node 20, 22 and 24; undefined if it is missing.
 */
function readCounterOf(socket: Socket): ReadCounter | undefined {
  type Handle = Partial<ReadCounter> & { _parent?: Handle | null };
  let handle = (socket as unknown as { _handle?: Handle | null })._handle;
  while (handle?._parent != null) handle = handle._parent;
  return typeof handle?.bytesRead === 'number' ? (handle as ReadCounter) : undefined;
}

import type { Socket } from 'node:net';
import type { Clock } from '../../model/clock.ts';
import type { ConnectPhases } from './connection.ts';
import type { OpenSocket } from './dialer.ts';
import { EagerSocket } from './eager-socket.ts';
import { InterimResponses } from './interim-responses.ts';
import { SocketReads } from './socket-reads.ts';

/**
 * A socket in use by HTTP/1.1. It handles each read before undici does: it takes the stamp, and removes interim responses.
 */
export class LiveSocket {
  readonly socket: Socket;
  readonly phases: ConnectPhases;
  readonly reads: SocketReads;
  /** When the last response ended; undefined before the first one. */
  answeredAtMs: number | undefined;
  private held = false;
  /** When the last write began, if no request has begun since. */
  private writingAtMs: number | undefined;
  private requests: number;
  private readsBefore = 0;
  /** Set while the response to a request has not started. */
  private interim: InterimResponses | undefined;

  /** `openedAhead`: the socket was opened before a request needed it. */
  constructor({ socket, phases }: OpenSocket, clock: Clock, { openedAhead }: { openedAhead: boolean }) {
    this.socket = socket;
    this.phases = phases;
    this.requests = openedAhead ? 1 : 0;
    const eager = socket instanceof EagerSocket;
    this.reads = new SocketReads(clock, socket, { single: eager });
    if (eager) {
      socket.onRead = this.onRead;
      socket.onWrite = () => {
        this.writingAtMs = clock.now();
      };
    } else {
      // TLS data is pushed in the same call in which it was read and decrypted.
      const push = socket.push.bind(socket);
      socket.push = (chunk: Buffer | null, encoding) => {
        const rest = chunk === null ? chunk : this.onRead(chunk);
        return (rest === undefined ? true : push(rest, encoding)) && !this.held;
      };
      const read = socket._read.bind(socket);
      socket._read = (size) => {
        if (!this.held) read(size);
      };
    }
  }

  /** True if the socket was open before its current request. */
  get isReused(): boolean {
    return this.requests > 1;
  }

  /** True if the current request was sent on an open socket, and no byte has arrived since. */
  get isUnanswered(): boolean {
    return this.isReused && this.reads.number === this.readsBefore;
  }

  /**
   * Call this when a request was sent, at `nowMs`. Returns when its last write began: on a busy machine the system runs the server
   * during the write, so that a stamp taken afterwards may be later than the response.
   */
  begin(nowMs: number): number {
    const { writingAtMs = nowMs } = this;
    this.writingAtMs = undefined;
    this.requests++;
    this.readsBefore = this.reads.number;
    this.interim = new InterimResponses();
    return writingAtMs;
  }

  /**
   * Stops reading from the kernel until `release`, so that the server has to stop sending. This is done below undici's parser,
   * which, while paused, throws from an event handler if the connection is reset.
   */
  hold(): void {
    this.setHeld(true);
  }

  release(): void {
    if (!this.held) return;
    this.setHeld(false);
    if (!this.socket.destroyed) this.socket._read(0);
  }

  private setHeld(held: boolean): void {
    this.held = held;
    if (this.socket instanceof EagerSocket) this.socket.held = held;
  }

  /** Sets whether undici gets borrowed memory: it keeps chunks of a head until it is complete, but passes a body on at once. */
  lend(lends: boolean): void {
    if (this.socket instanceof EagerSocket) this.socket.lends = lends;
  }

  /** The system's error, where undici reports only its effect on the parser. */
  causeOf(error: Error): Error {
    const cause = this.reads.error ?? error;
    if (cause.name !== 'HTTPParserError' || !this.reads.atEof) return cause;
    return Object.assign(new Error('other side closed', { cause: error }), { code: 'UND_ERR_SOCKET' });
  }

  private readonly onRead = (chunk: Buffer): Buffer | undefined => {
    this.reads.arrived();
    if (this.interim === undefined) return chunk;
    const rest = this.interim.strip(chunk);
    if (rest !== undefined) this.interim = undefined;
    return rest;
  };
}

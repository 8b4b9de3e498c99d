import type { Connection, ConnectionSink, SocketRequest } from '../../src/client/transport/connection.ts';
import { monotonicClock } from '../../src/model/clock.ts';

/** A connection without a socket: a test says what comes over it. */
export class ScriptedConnection implements Connection {
  destroyed = false;
  /** What was asked for, in order. */
  readonly flow: ('pause' | 'resume')[] = [];
  private sink: ConnectionSink | undefined;
  private reads = 0;

  get usable(): boolean {
    return !this.destroyed;
  }

  send(_request: SocketRequest, sink: ConnectionSink): void {
    this.sink = sink;
    sink.onSocket({ reused: false }, undefined);
    sink.onSent(monotonicClock.now());
  }

  /** The head, and the body in one read. */
  answer(status: number, body: Uint8Array): void {
    this.head(status);
    this.read(body);
    this.sink!.onEnd(monotonicClock.now());
  }

  head(status: number): void {
    this.sink!.onHeaders(monotonicClock.now(), status, { 'content-type': 'text/event-stream' });
  }

  read(bytes: Uint8Array): void {
    this.sink!.onRead(monotonicClock.now(), bytes, ++this.reads);
  }

  pause(): void {
    this.flow.push('pause');
  }

  resume(): void {
    this.flow.push('resume');
  }

  destroy(): void {
    this.destroyed = true;
  }
}

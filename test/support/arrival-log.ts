import { fork } from 'node:child_process';
import { join } from 'node:path';

/** What the server saw. */
export interface ArrivalLog {
  /** When each request had arrived, in ms on the server's own clock. */
  arrivals: number[];
  /** Endless streams that are open now, and the most at once. */
  open: number;
  most: number;
}

/** A server in a process of its own that keeps the times of its requests: see `arrival-log.mjs`. */
export interface ArrivalServer {
  url: string;
  log(): Promise<ArrivalLog>;
  close(): void;
}

/** Starts one. `kind`: what its streams are like. */
export async function arrivalServer(kind: 'short' | 'endless'): Promise<ArrivalServer> {
  const child = fork(join(import.meta.dirname, 'arrival-log.mjs'), [kind]);
  const answer = <T>() =>
    new Promise<T>((resolve) => child.once('message', (message) => resolve(message as T)));
  const { port } = await answer<{ port: number }>();
  return {
    url: `http://127.0.0.1:${port}/v1`,
    log() {
      const seen = answer<ArrivalLog>();
      child.send('log');
      return seen;
    },
    close: () => child.disconnect(),
  };
}

import type { Socket } from 'node:net';
import type { ClientOptions } from '../../src/client/client-options.ts';
import type { Mode, OutcomeKind, TimeoutPhase } from '../../src/model/record.ts';

/** The other side of a connection: what a server does with it. */
export interface Peer {
  socket: Socket;
  /** Resolves when the connection is closed. */
  closed: Promise<void>;
  /** Writes bytes; over TLS they are encrypted. */
  write(bytes: string | Buffer): void;
}

/** Bytes to write, or something else to do. */
export type Step = string | Buffer | ((peer: Peer) => unknown);

/** Ends the connection in good order (FIN). */
export const close: Step = ({ socket }) => socket.end();

/**
 * Breaks the connection (RST), once what was written has been read: libuv tells data and a reset that it finds together as
 * the end of the data.
 */
export const reset: Step = async ({ socket }) => {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  socket.resetAndDestroy();
};

/** Waits, in ms. */
export const wait =
  (ms: number): Step =>
  () =>
    new Promise((resolve) => setTimeout(resolve, ms));

/** Repeats steps until the connection is closed. */
export const forever =
  (...steps: readonly Step[]): Step =>
  async (peer) => {
    let open = true;
    void peer.closed.then(() => {
      open = false;
    });
    while (open) await perform(peer, steps);
  };

/** Does one step after another. Without `close` or `reset` at the end, the connection stays open and silent. */
export async function perform(peer: Peer, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    if (typeof step === 'function') await step(peer);
    else if (!peer.socket.destroyed) peer.write(step);
  }
}

/** How the server listens. */
export type Listening =
  /** HTTP/1.1 without TLS. */
  | 'plain'
  /** TLS with a valid certificate, once the fault is over; `certificate` says with which before that. */
  | 'tls'
  /** HTTP/2 without TLS. The steps get the frames to write from `test/support/http2-frames.ts`. */
  | 'h2'
  /** The port is closed until the fault is over. */
  | 'refused'
  /** A proxy that makes tunnels; the steps answer CONNECT. The good answer comes over TLS through the tunnel. */
  | 'tunnel';

/** One thing that a server or the network can do wrong, or rarely does, and what the client must say of it. */
export interface Fault {
  /** Unique. */
  name: string;
  /** What the server does, for docs/faults.md. */
  server: string;
  /** Default: `openai-chat`. */
  dialect?: string;
  /** Default: streaming. */
  mode?: Mode;
  /** Default: `plain`. */
  listening?: Listening;
  /** With `tls`: the file in test/faults/tls that the first connection gets. */
  certificate?: string;
  /** Done when the first connection is accepted, in place of answering it. */
  onConnect?: readonly Step[];
  /** The answer to the first request. All others are answered well. */
  answer?: readonly Step[];
  /** Options of the client, beside the address and the dialect. The origin is the server's. */
  client?: (server: { port: number }) => Partial<ClientOptions>;
  /** The request is cancelled with its first event. */
  cancel?: true;
  /** The next request waits so long, in ms: what the server sends meanwhile finds the connection idle. Default: 0. */
  pauseMs?: number;
  /** Connections are opened before the request. */
  warm?: true;
  expect: Expectation;
}

/** What must be seen. Texts are parts of what is said. */
export interface Expectation {
  kind: OutcomeKind;
  message?: string;
  hint?: string;
  phase?: TimeoutPhase;
  /** The answer's text as far as it came, where that matters. */
  text?: string;
  /** True where the message holds words of Node or OpenSSL that differ between versions. */
  system?: true;
}

/** A group of faults. */
export interface FaultGroup {
  title: string;
  faults: readonly Fault[];
}

/** A row of a table: the fault that answers the first request with `answer`. */
export function row(
  name: string,
  server: string,
  answer: readonly Step[],
  expect: Expectation,
  more: Partial<Fault> = {},
): Fault {
  return { name, server, answer, expect, ...more };
}

/** An answer that is taken as it should be. */
export const ok: Expectation = { kind: 'ok' };

/** An outcome with a part of its message, and of its hint where it has one. */
export function fails(kind: OutcomeKind, message: string, hint?: string): Expectation {
  return { kind, message, hint };
}

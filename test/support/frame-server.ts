import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { BatchingSocket } from './batching-socket.ts';
import { SERVER_TLS } from './chat-server.ts';
import { requestReader, SETTINGS, SETTINGS_ACK } from './http2-frames.ts';

/** A connection to a server that writes by hand. */
export interface RawConnection {
  /** The pieces leave in one write; over TLS, each is a record of its own. */
  write(...pieces: (string | Buffer)[]): Promise<void>;
  /** The TCP connection itself. */
  socket: Socket;
  /** From 1, in the order of their coming. */
  number: number;
}

/** What a server by hand does. */
export interface RawOptions {
  secure: boolean;
  http: 1 | 2;
  /** Called for each request; for HTTP/2 with its stream. */
  answer(connection: RawConnection, stream: number): unknown;
}

/** A server that writes bytes by hand, over TLS too, and sees nothing in a request but its end. */
export async function frameServer({ secure, http, answer }: RawOptions) {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    const batching = secure ? new BatchingSocket(socket) : undefined;
    const top: Duplex =
      batching === undefined
        ? socket
        : new TLSSocket(batching as never, {
            isServer: true,
            ...SERVER_TLS,
            ALPNProtocols: [http === 2 ? 'h2' : 'http/1.1'],
          });
    top.on('error', () => {});
    const connection: RawConnection = {
      async write(...pieces) {
        if (batching === undefined) socket.write(Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
        else await batching.batch(top, pieces);
      },
      socket,
      number: ++accepted,
    };
    if (http === 2) {
      top.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
      top.on(
        'data',
        requestReader((stream) => void answer(connection, stream)),
      );
    } else {
      let text = '';
      top.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        const head = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
        if (head === -1 || text.length < head + 4 + length) return;
        text = '';
        answer(connection, 0);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: secure ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    accepted: () => accepted,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

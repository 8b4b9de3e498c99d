import { createServer, type Socket } from 'node:net';
import { afterEach } from 'vitest';

/** A server whose bytes are written by hand: a witness that shares no code with ours. */
export interface RawServer {
  url: string;
  port: number;
  /** The requests as they came, headers and body. */
  requests: string[];
  /** Connections accepted so far. */
  connections(): number;
  /** Closes the open connections, and goes on listening. */
  dropConnections(): void;
  close(): Promise<void>;
}

/** Answers each request (complete by its content-length) by calling `answer` with the socket and the request's text. */
export async function rawServer(answer: (socket: Socket, request: string) => void): Promise<RawServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      for (;;) {
        const headEnd = text.indexOf('\r\n\r\n');
        if (headEnd === -1) return;
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, headEnd))?.[1] ?? 0);
        const body = Buffer.from(text.slice(headEnd + 4));
        if (body.length < length) return;
        const request = text.slice(0, headEnd + 4) + body.subarray(0, length).toString('utf8');
        text = body.subarray(length).toString('utf8');
        requests.push(request);
        answer(socket, request);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    connections: () => connections,
    dropConnections: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A function that starts raw servers. They are closed after each test of the calling file. */
export function rawServers(): typeof rawServer {
  const servers: RawServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  return async (answer) => {
    const server = await rawServer(answer);
    servers.push(server);
    return server;
  };
}

/** The head of a streaming response, body in chunked encoding. */
export const SSE_HEAD =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';

/** One piece of a chunked body. */
export function chunked(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** The end of a chunked body. */
export const CHUNKED_END = '0\r\n\r\n';

/** The chunked body of a complete answer: "Hello" in two chunks. */
export const CHAT_BODY =
  [chatChunk({ content: 'Hel' }), chatChunk({ content: 'lo' }), chatChunk({}, 'stop'), 'data: [DONE]\n\n']
    .map(chunked)
    .join('') + CHUNKED_END;

/** An OpenAI chat chunk with this delta, as one SSE event. */
export function chatChunk(delta: unknown, finish: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'c1', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

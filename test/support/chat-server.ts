import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createH2cServer, createSecureServer, type ServerHttp2Session } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { chatChunk } from './raw-server.ts';

const FOLDER = join(import.meta.dirname, 'tls');

/** The file of the authority that signed the test servers' certificate. */
export const CA_FILE = join(FOLDER, 'ca.pem');
/** The authority as PEM. */
export const CA = readFileSync(CA_FILE, 'utf8');
/** Key and certificate of the test servers. */
export const SERVER_TLS = {
  key: readFileSync(join(FOLDER, 'server.key'), 'utf8'),
  cert: readFileSync(join(FOLDER, 'server.pem'), 'utf8'),
};

/** How a test server listens and answers. */
export interface ChatServerOptions {
  http?: 1 | 2;
  secure?: boolean;
  /** Path of a unix socket. Default: a free port of 127.0.0.1. */
  unix?: string;
  host?: string;
  /** HTTP/2: the service's own limit. */
  maxConcurrentStreams?: number;
  /** Answers a request. Default: a short stream at once. */
  answer?: (response: Response, request: { path: string; headers: NodeJS.Dict<string | string[]> }) => void;
}

/** What Node's response objects of both versions have in common. */
export interface Response {
  write(text: string): unknown;
  end(text?: string): unknown;
  destroy(error?: Error): unknown;
  on(event: 'close', listener: () => void): unknown;
}

/** A server of OpenAI chat streams by Node's own modules. */
export interface ChatServer {
  /** `https://localhost:PORT` or `http://127.0.0.1:PORT`. */
  url: string;
  port: number;
  /** Connections accepted so far, and those that are open now. */
  accepted(): number;
  open(): number;
  requests: { path: string; headers: NodeJS.Dict<string | string[]> }[];
  /** Breaks every connection. */
  drop(): void;
  /** HTTP/2: the sessions, in order of their coming. */
  sessions: ServerHttp2Session[];
  close(): Promise<void>;
}

/** A stream of two content events. */
export const ANSWER = [
  chatChunk({ role: 'assistant', content: '' }),
  chatChunk({ content: 'Hel' }),
  chatChunk({ content: 'lo' }),
  chatChunk({}, 'stop'),
  'data: [DONE]\n\n',
].join('');

export async function chatServer(options: ChatServerOptions = {}): Promise<ChatServer> {
  const { http = 1, secure = false, answer = (response: Response) => response.end(ANSWER) } = options;
  const sockets = new Set<Socket>();
  const requests: ChatServer['requests'] = [];
  const sessions: ServerHttp2Session[] = [];
  let accepted = 0;
  const server = serverOf(http, secure, options.maxConcurrentStreams);
  server.on('connection', (socket: Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.on('session', (session: ServerHttp2Session) => sessions.push(session.on('error', () => {})));
  server.on('request', (request, response) => {
    request.on('error', () => {}).resume();
    response.on('error', () => {});
    response.stream?.on('error', () => {});
    request.on('end', () => {
      const seen = { path: request.url as string, headers: request.headers };
      requests.push(seen);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      answer(response, seen);
    });
  });
  await new Promise<void>((resolve) => {
    if (options.unix !== undefined) server.listen(options.unix, resolve);
    else server.listen(0, options.host ?? '127.0.0.1', resolve);
  });
  const port = options.unix === undefined ? (server.address() as AddressInfo).port : 0;
  return {
    url: secure ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    port,
    accepted: () => accepted,
    open: () => sockets.size,
    requests,
    sessions,
    drop: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        for (const session of sessions) session.destroy();
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function serverOf(http: 1 | 2, secure: boolean, maxConcurrentStreams?: number): Server {
  const settings = maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams };
  if (http === 2)
    return secure ? createSecureServer({ ...SERVER_TLS, settings }) : createH2cServer({ settings });
  return secure ? createHttpsServer(SERVER_TLS) : createServer();
}

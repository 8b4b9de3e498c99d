import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { SERVER_TLS } from '../support/chat-server.ts';
import { data, headers, requestReader, SETTINGS, SETTINGS_ACK } from '../support/http2-frames.ts';
import { type Family, family } from './families.ts';
import { type Fault, type Peer, perform } from './fault.ts';
import { chunk, head, LAST, response } from './http.ts';

/** A server with one fault. */
export interface FaultServer {
  /** With `localhost` for TLS. */
  origin: string;
  port: number;
  /** Requests seen so far. */
  requests(): number;
  /** Ends the faults that last until they are ended: a closed port. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** Key and certificate in one file of test/faults/tls. */
function keyPair(name: string): { key: string; cert: string } {
  const pem = readFileSync(join(import.meta.dirname, 'tls', name), 'utf8');
  return { key: pem, cert: pem };
}

/** The good answer: "Hello world" in the dialect, streaming or whole. */
function goodAnswer(
  { contentType, open, content, finish, terminator, whole }: Family,
  streams: boolean,
): Buffer {
  if (!streams) return response('200 OK', whole, whole.startsWith('{') ? 'application/json' : 'text/plain');
  const pieces = [open, ...content, finish, terminator].filter((piece) => piece.length > 0);
  return Buffer.concat([
    Buffer.from(head(contentType)),
    ...pieces.map((piece) => chunk(piece)),
    Buffer.from(LAST),
  ]);
}

/** Serves the fault once, to the first connection or the first request, and good answers from then on. */
export async function faultServer(fault: Fault): Promise<FaultServer> {
  const { listening = 'plain', dialect = 'openai-chat', mode = 'streaming' } = fault;
  const bytes = family(dialect);
  const streams = mode === 'streaming' || bytes.whole === '';
  const good = goodAnswer(bytes, streams);
  const body = [bytes.open, ...bytes.content, bytes.finish, bytes.terminator].join('');
  const sockets = new Set<Socket>();
  let connections = 0;
  let requests = 0;

  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    const first = connections++ === 0;
    if (first && fault.onConnect !== undefined) {
      socket.resume();
      void perform(plainPeer(socket), fault.onConnect);
      return;
    }
    switch (listening) {
      case 'h2':
        return serveHttp2(socket);
      case 'tls':
        return serveHttp(secured(socket, first ? fault.certificate : undefined), socket);
      case 'tunnel':
        return serveTunnel(socket);
      case 'plain':
      case 'refused':
        return serveHttp(socket, socket);
      default:
        listening satisfies never;
    }
  });

  const isFaulty = () => requests++ === 0 && fault.answer !== undefined;

  function serveHttp(top: Duplex, socket: Socket): void {
    const peer: Peer = { ...plainPeer(socket), write: (piece) => void top.write(piece) };
    let text = '';
    top.on('data', (piece: Buffer) => {
      text += piece.toString('latin1');
      for (;;) {
        const end = text.indexOf('\r\n\r\n');
        const length = Number(/content-length: (\d+)/i.exec(text.slice(0, Math.max(0, end)))?.[1] ?? 0);
        if (end === -1 || text.length < end + 4 + length) return;
        text = text.slice(end + 4 + length);
        if (isFaulty()) void perform(peer, fault.answer!);
        else peer.write(good);
      }
    });
  }

  function serveTunnel(socket: Socket): void {
    let text = '';
    const onData = (piece: Buffer) => {
      text += piece.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      if (isFaulty()) return void perform(plainPeer(socket), fault.answer!);
      socket.off('data', onData);
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      serveHttp(secured(socket), socket);
    };
    socket.on('data', onData);
  }

  function serveHttp2(socket: Socket): void {
    const peer = plainPeer(socket);
    socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
    const onRequest = (stream: number) => {
      if (isFaulty()) void perform(peer, fault.answer!);
      else socket.write(Buffer.concat([headers(stream), data(stream, body, { end: true })]));
    };
    socket.on('data', requestReader(onRequest));
  }

  const listen = (at: number) => new Promise<void>((resolve) => server.listen(at, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as { port: number };
  const stop = () => new Promise<void>((resolve) => server.close(() => resolve()));
  if (listening === 'refused') await stop();
  return {
    origin: listening === 'tls' ? `https://localhost:${port}` : `http://127.0.0.1:${port}`,
    port,
    requests: () => requests,
    heal: async () => {
      if (!server.listening) await listen(port);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      if (server.listening) await stop();
    },
  };
}

function secured(socket: Socket, certificate?: string): Duplex {
  const pair = certificate === undefined ? SERVER_TLS : keyPair(certificate);
  return new TLSSocket(socket, { isServer: true, ...pair, ALPNProtocols: ['http/1.1'] }).on(
    'error',
    () => {},
  );
}

function plainPeer(socket: Socket): Peer {
  return {
    socket,
    closed: new Promise((resolve) => socket.once('close', () => resolve())),
    write: (bytes) => void socket.write(bytes),
  };
}

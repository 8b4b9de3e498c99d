import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { describeError } from '../logger.ts';
import { getRequestListener, type Logger } from '../packages.ts';
import type { Settings } from '../service-options.ts';
import { HttpError } from './http-error.ts';

// Longer than the usual 60 s of load balancers: they must be the first to close an idle connection.
const IDLE_CONNECTION_MS = 75_000;
const MAX_HEADER_BYTES = 16 * 1024;

/** The HTTP server of the service. Every protocol error of a connection is answered in JSON and closes that connection. */
export function createHttpServer(
  fetch: Parameters<typeof getRequestListener>[0],
  settings: Pick<Settings, 'requestTimeoutMs' | 'staleMs'>,
  log: Logger,
): Server {
  const { requestTimeoutMs, staleMs } = settings;
  const server = createServer(
    {
      noDelay: true,
      keepAlive: true,
      keepAliveTimeout: IDLE_CONNECTION_MS,
      // Node would answer without a body. The request listener refuses it in JSON.
      requireHostHeader: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: requestTimeoutMs,
      // For bodies that no endpoint reads. `readBody` has its own limit.
      requestTimeout: 2 * requestTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(5_000, requestTimeoutMs / 4)),
    },
    getRequestListener(fetch, {
      // The globals of a program that embeds the service stay as they are.
      overrideGlobalObjects: false,
      errorHandler(error) {
        log.info({ error: describeError(error) }, 'request refused');
        return refusal(new HttpError(400, 'bad_request', 'the request line or the Host header is not valid'));
      },
    }),
  );
  server.prependListener('request', (_req, res) => destroyWhenStalled(res, staleMs));
  // An `expect` header other than `100-continue`.
  server.on('checkExpectation', (_req, res) => {
    const { status, body } = new HttpError(
      417,
      'bad_request',
      'the only supported expectation is 100-continue',
    );
    const text = JSON.stringify(body);
    res.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      connection: 'close',
    });
    res.end(text);
  });
  server.on('clientError', (error, socket) => refuseBytes(error, socket as Socket));
  for (const event of ['upgrade', 'connect'] as const) {
    server.on(event, (_req, socket: Socket) => {
      socket.on('error', () => {});
      sendRaw(socket, new HttpError(405, 'method_not_allowed', 'this service does not support tunnels'));
    });
  }
  return server;
}

/** Cuts a response that has been ended, but that its client does not read for `staleMs`. */
function destroyWhenStalled(res: ServerResponse, staleMs: number): void {
  res.once('prefinish', () => {
    if (res.writableFinished) return;
    const timer = setTimeout(() => res.destroy(), staleMs).unref();
    res.once('close', () => clearTimeout(timer));
    res.once('finish', () => clearTimeout(timer));
  });
}

function refusal({ status, body }: HttpError): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', connection: 'close' },
  });
}

/** Answers bytes that are not a valid or not a complete request. */
function refuseBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      sendRaw(
        socket,
        new HttpError(431, 'headers_too_large', `the headers are larger than ${MAX_HEADER_BYTES} bytes`),
      );
      break;
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      sendRaw(socket, new HttpError(408, 'request_timeout', 'the request was not complete in time'));
      break;
    case 'ECONNRESET':
      socket.destroy();
      break;
    default:
      sendRaw(socket, new HttpError(400, 'bad_request', 'invalid HTTP/1.1 request'));
  }
}

const REASONS: Readonly<Partial<Record<number, string>>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Writes a refusal to a connection without a response object, and closes the connection. */
function sendRaw(socket: Socket, { status, body }: HttpError): void {
  // A refusal must not be written into the middle of an answer.
  const busy = (socket as Socket & { _httpMessage?: ServerResponse })._httpMessage?.headersSent === true;
  if (!socket.writable || busy) {
    socket.destroy();
    return;
  }
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
}

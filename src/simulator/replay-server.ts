import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Cassette, endpointOf, type RecordedExchange } from '../cassettes/cassette.ts';
import { type Clock, monotonicClock } from '../model/clock.ts';
import { listen } from '../model/listen.ts';
import { playExchange } from './play-exchange.ts';
import { createScheduler, type Scheduler } from './schedule.ts';

/** Settings of a replay server. */
export interface ReplayOptions {
  /** How many times as fast as recorded. Default 1. */
  speed?: number;
  /** Default: the machine's monotonic clock. */
  clock?: Clock;
  /** Nothing else runs on this thread, so it may be blocked for up to 0.25 ms at a time, for exact send times. Default false. */
  ownThread?: boolean;
  /** Called with each request, and whether the cassette has it. */
  onRequest?(request: string, known: boolean): void;
}

/** Serves the responses of a cassette. */
export interface ReplayServer {
  /** What it serves, as `METHOD PATH`, each once. */
  readonly endpoints: readonly string[];
  /** Starts listening. `port` 0 takes any free one. Rejects with a `UserError` when the port is taken. */
  listen(port: number, host?: string): Promise<{ url: string; port: number }>;
  /** Closes all connections, open responses included. */
  close(): Promise<void>;
}

// Longer than any pause of a client, so that no idle connection is closed while it starts to use it.
const KEEP_ALIVE_MS = 600_000;
const MAX_BODY_BYTES = 64 * 2 ** 20;

/**
 * A server that answers as a cassette has recorded: status, headers, body bytes and pauses, and the loss of the connection.
 * Several responses to one endpoint are served in turn; those to the same model, mode and query are preferred.
 */
export function createReplayServer(cassette: Cassette, options: ReplayOptions = {}): ReplayServer {
  const { speed = 1, clock = monotonicClock, ownThread = false, onRequest } = options;
  const scheduler = createScheduler({ clock, ownThread });
  const shelf = new ResponseShelf(cassette.exchanges);
  const server = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS }, (req, res) => {
    readBody(req, (body) => {
      const receivedAtMs = clock.now();
      const request = `${req.method} ${(req.url ?? '/').split('?', 1)[0]}`;
      const exchange = shelf.take(request, req.url ?? '/', body);
      onRequest?.(request, exchange !== undefined);
      if (exchange === undefined) refuse(res, request, shelf.endpoints);
      else playExchange(exchange, { res, receivedAtMs, speed, clock, scheduler });
    });
  });
  server.headersTimeout = 0;
  server.requestTimeout = 0;
  return { endpoints: shelf.endpoints, ...lifecycle(server, scheduler) };
}

function lifecycle(server: Server, scheduler: Scheduler): Pick<ReplayServer, 'listen' | 'close'> {
  return {
    async listen(port, host = '127.0.0.1') {
      const { url, port: boundPort } = await listen(server, port, host);
      // A connection that could not be accepted, such as for EMFILE: the client sees it fail, the server goes on.
      server.on('error', () => {});
      return { url, port: boundPort };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          scheduler.close();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** The recorded responses, by endpoint. */
class ResponseShelf {
  readonly endpoints: readonly string[];
  private readonly exchanges: readonly RecordedExchange[];
  /** How often each exchange was served. */
  private readonly served = new Map<RecordedExchange, number>();

  constructor(exchanges: readonly RecordedExchange[]) {
    this.exchanges = exchanges;
    this.endpoints = [...new Set(exchanges.map(endpointOf))];
  }

  /** The response to a request: of those that fit best, the one that was served least. */
  take(endpoint: string, url: string, body: string): RecordedExchange | undefined {
    const asked = traits(url, body);
    const fitting = this.exchanges
      .filter((exchange) => endpointOf(exchange) === endpoint)
      .map((exchange) => {
        const { path, body: recorded = '' } = exchange.request;
        const theirs = traits(path, recorded);
        const fit = asked.filter((trait, index) => trait === theirs[index]).length;
        return { exchange, fit, served: this.served.get(exchange) ?? 0 };
      })
      .sort((a, b) => b.fit - a.fit || a.served - b.served);
    const found = fitting[0]?.exchange;
    if (found !== undefined) this.served.set(found, (this.served.get(found) ?? 0) + 1);
    return found;
  }
}

/** What distinguishes requests to one endpoint: its query, and the mode and the model in its body. */
function traits(url: string, body: string): unknown[] {
  const query = url.split('?').slice(1).join('?');
  const fields: Record<string, unknown> = {};
  try {
    Object.assign(fields, JSON.parse(body));
  } catch {
    // Not JSON: the body distinguishes nothing.
  }
  return [query, fields.stream, fields.model];
}

function refuse(res: ServerResponse, request: string, endpoints: readonly string[]): void {
  const text = `this cassette has no ${request}\nit has: ${endpoints.join(', ')}\n`;
  res.writeHead(404, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': String(Buffer.byteLength(text)),
  });
  res.end(text);
}

/** Calls back with the body as text; with an empty one if it is too large. */
function readBody(req: IncomingMessage, done: (body: string) => void): void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  req.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= MAX_BODY_BYTES) pieces.push(piece);
    else pieces = [];
  });
  req.on('end', () => done(Buffer.concat(pieces).toString('utf8')));
}

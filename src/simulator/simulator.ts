import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Clock, monotonicClock } from '../model/clock.ts';
import type { StreamEventType } from '../model/events.ts';
import { fingerprint } from '../model/keyed-random.ts';
import { listen } from '../model/listen.ts';
import type { ChatRequest } from '../model/request.ts';
import type { Dialect } from '../wire/dialect.ts';
import { playScript } from './answer.ts';
import { type Profile, type ProfileInput, type ProfileTable, profileFor, profileTable } from './profile.ts';
import { allDialects, type Route, refuse, route } from './route.ts';
import { createScheduler, type Scheduler } from './schedule.ts';
import { makeScript, promptWithNonce, promptWithoutNonce, type Refusal } from './script.ts';
import { Slots } from './slots.ts';
import { type TruthEntry, TruthLog, TruthRecorder } from './truth.ts';

/** Characters per cache block: about 16 tokens, a common block size of inference servers. */
export const BLOCK_CHARS = 64;

/** Cached blocks. Beyond this the oldest are removed. */
const MAX_BLOCKS = 100_000;

/** A simulated prefix cache: a block is a hit only if all blocks before it are. */
export class PrefixCache {
  private readonly blocks = new Set<string>();

  /** The share of a prompt that is cached for this model, from its start. Afterwards all of the prompt is cached. */
  lookUp(model: string, prompt: string): number {
    let key = model;
    let known = 0;
    let unbroken = true;
    for (let end = BLOCK_CHARS; end <= prompt.length; end += BLOCK_CHARS) {
      key = fingerprint(`${key}\n${prompt.slice(end - BLOCK_CHARS, end)}`);
      unbroken &&= this.blocks.has(key);
      if (unbroken) known = end;
      else this.keep(key);
    }
    return prompt.length === 0 ? 0 : known / prompt.length;
  }

  private keep(key: string): void {
    this.blocks.add(key);
    if (this.blocks.size <= MAX_BLOCKS) return;
    const [oldest = ''] = this.blocks;
    this.blocks.delete(oldest);
  }
}

/** Settings of a simulator. */
export interface SimulatorOptions {
  /** The same seed gives the same answers, delays and failures. Default 1. */
  seed?: number;
  /** Profiles by model name, added to the built-in ones. */
  profiles?: Readonly<Record<string, ProfileInput>>;
  /** Default: the machine's monotonic clock. */
  clock?: Clock;
  /** Requests kept in the truth log. Beyond this the oldest are removed. Default 10,000. */
  logSize?: number;
  /** Maximum bytes per write, to test clients with split frames. Default 0: one frame per write. */
  splitBytes?: number;
  /**
   * Nothing else runs on this thread, so it may be blocked for up to 0.25 ms at a time, for exact send times. Default false:
   * chunks are sent up to about 1.5 ms late.
   */
  ownThread?: boolean;
}

/** Counters of a simulator. */
export interface SimulatorStats {
  /** Requests answered by a script, open ones included. */
  requests: number;
  /** Requests that do not belong to any dialect. */
  refused: number;
  /** Open answers, now and at most. */
  active: number;
  peakActive: number;
  /** Connections accepted. */
  connections: number;
}

/** A simulated provider: supports every dialect, follows a seeded script, and records what it sent and when. */
export interface Simulator {
  /** Starts listening. `port` 0, the default, takes any free one. Throws a `UserError` when the port is taken. */
  listen(port?: number, host?: string): Promise<{ url: string; port: number }>;
  /** Closes all connections, open answers included. */
  close(): Promise<void>;
  /** The requests that have ended, in order of their end. A new array at each access. */
  readonly log: readonly TruthEntry[];
  readonly stats: Readonly<SimulatorStats>;
}

const BODY_LIMIT_BYTES = 10 * 1024 * 1024;
const DEFAULT_LOG_SIZE = 10_000;
// Longer than any pause in a run, so that no idle connection is closed while a client starts to use it.
const KEEP_ALIVE_MS = 600_000;

/** Creates a simulator. It does not listen yet. */
export function createSimulator(options: SimulatorOptions = {}): Simulator {
  return new HttpSimulator(options);
}

class HttpSimulator implements Simulator {
  readonly stats: SimulatorStats = { requests: 0, refused: 0, active: 0, peakActive: 0, connections: 0 };
  private readonly seed: number;
  private readonly clock: Clock;
  private readonly splitBytes: number;
  private readonly profiles: ProfileTable;
  private readonly dialects = allDialects();
  private readonly scheduler: Scheduler;
  private readonly truth: TruthLog;
  /** How often each prompt was requested. */
  private readonly ordinals = new Map<string, number>();
  private readonly cache = new PrefixCache();
  /** By model, for profiles that limit the answers at once. */
  private readonly slots = new Map<string, Slots>();
  private readonly server: Server;

  constructor(options: SimulatorOptions) {
    const { seed = 1, clock = monotonicClock, splitBytes = 0, ownThread = false } = options;
    this.seed = seed;
    this.clock = clock;
    this.splitBytes = splitBytes;
    this.profiles = profileTable(options.profiles);
    this.scheduler = createScheduler({ clock, ownThread });
    this.truth = new TruthLog(options.logSize ?? DEFAULT_LOG_SIZE);
    this.server = createServer({ noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS }, (req, res) => {
      readBody(req, (body) => this.received(req, res, body));
    });
    // No limits: a client may open connections long before its first request.
    this.server.headersTimeout = 0;
    this.server.requestTimeout = 0;
    this.server.on('connection', () => this.stats.connections++);
  }

  async listen(port = 0, host = '127.0.0.1'): Promise<{ url: string; port: number }> {
    const { url, port: boundPort } = await listen(this.server, port, host);
    // A connection that could not be accepted, such as for EMFILE: the client sees it fail, the server goes on.
    this.server.on('error', () => {});
    return { url, port: boundPort };
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => {
        this.scheduler.close();
        resolve();
      });
      this.server.closeAllConnections();
    });
  }

  get log(): readonly TruthEntry[] {
    return this.truth.entries();
  }

  private received(req: IncomingMessage, res: ServerResponse, body: string | undefined): void {
    const receivedAtMs = this.clock.now();
    // Not with `new URL`, which throws for some paths that a client can send (`//`).
    const [path = '/', query = ''] = (req.url ?? '/').split('?', 2);
    const method = req.method ?? 'GET';
    const incoming = { method, path, query: new URLSearchParams(query), body: body ?? '' };
    const found =
      body === undefined
        ? refuse(
            413,
            'the body is larger than 10 MB',
            this.dialects.find((dialect) => dialect.ownsPath(path)),
          )
        : route(incoming, this.dialects);
    // Answering takes longer than reading: first timestamp all requests that have arrived.
    setImmediate(() => this.answer(found, res, receivedAtMs));
  }

  private answer(found: Route, res: ServerResponse, receivedAtMs: number): void {
    if (res.destroyed) return;
    switch (found.kind) {
      case 'chat':
        this.chat(found.dialect, found.request, res, receivedAtMs);
        break;
      case 'health':
        reply(res, 200, 'application/json', JSON.stringify({ status: 'ok', ...this.stats }));
        break;
      case 'models':
        reply(res, 200, 'application/json', modelList(Object.keys(this.profiles)));
        break;
      case 'truth': {
        const lines = this.truth.entries().map((entry) => `${JSON.stringify(entry)}\n`);
        reply(res, 200, 'application/x-ndjson', lines.join(''));
        break;
      }
      case 'refuse':
        this.stats.refused++;
        if (found.allow !== undefined) res.setHeader('allow', found.allow);
        reply(res, found.status, found.body.contentType, found.body.body);
        break;
      default: {
        const impossible: never = found;
        throw new Error(`unknown route: ${JSON.stringify(impossible)}`);
      }
    }
  }

  private chat(dialect: Dialect, request: ChatRequest, res: ServerResponse, receivedAtMs: number): void {
    const { stats, clock, scheduler, splitBytes } = this;
    const requestId = `sim-${++stats.requests}`;
    stats.peakActive = Math.max(stats.peakActive, ++stats.active);
    const { model = 'default', stream } = request;
    const profile = supportedProfile(profileFor(request.model, this.profiles), dialect.carries);
    const share =
      profile.cachedTtft === undefined ? undefined : this.cache.lookUp(model, promptWithNonce(request));
    const script = makeScript(request, profile, this.seed, this.ordinal(request), share);
    const recorder = new TruthRecorder({
      requestId,
      model,
      dialect: dialect.name,
      mode: stream ? 'streaming' : 'whole',
      receivedAtMs,
      cache: share === undefined ? undefined : share > 0.5 ? 'hit' : 'miss',
    });
    const createdSeconds = Math.floor(clock.wallTime().getTime() / 1000);
    const headers = { 'x-request-id': requestId };
    const end = () => {
      stats.active--;
      this.truth.add(recorder);
    };
    const play = (startsAtMs: number, onEnd: () => void, refusal?: Refusal) =>
      playScript({
        res,
        script: refusal === undefined ? script : { ...script, refusal, ending: 'http_error' },
        dialect,
        context: { id: requestId, model, createdSeconds, request },
        stream,
        receivedAtMs: startsAtMs,
        headers,
        headersWithFirstToken: profile.headersWithFirstToken ?? false,
        together: profile.mode === 'coarse',
        splitBytes,
        recorder,
        scheduler,
        clock,
        onEnd,
      });
    const slots = this.slotsOf(model, profile);
    if (slots === undefined) {
      play(receivedAtMs, end);
      return;
    }
    const entry = slots.enter(() => {
      // The times of the script count from when the request has a slot.
      const startsAtMs = entry.hasWaited ? clock.now() : receivedAtMs;
      play(startsAtMs, () => {
        end();
        slots.leave();
      });
    });
    if (entry.isRefused) {
      play(receivedAtMs, end, { status: 429, message: 'the queue of the simulated model is full', dueMs: 0 });
      return;
    }
    res.on('close', () => {
      if (!entry.cancel()) return;
      recorder.ended('client_gone', clock.now(), 0);
      end();
    });
  }

  private slotsOf(model: string, { slots, queue }: Profile): Slots | undefined {
    if (slots === undefined) return undefined;
    let found = this.slots.get(model);
    if (found === undefined) {
      found = new Slots(slots, queue);
      this.slots.set(model, found);
    }
    return found;
  }

  // Streams and whole answers are counted separately, so that the first of each has the same text.
  private ordinal(request: ChatRequest): number {
    const key = fingerprint(
      JSON.stringify([request.model ?? '', request.stream, promptWithoutNonce(request)]),
    );
    const count = this.ordinals.get(key) ?? 0;
    this.ordinals.set(key, count + 1);
    return count;
  }
}

/** The profile without features that the dialect cannot express. */
function supportedProfile(profile: Profile, carries: ReadonlySet<StreamEventType>): Profile {
  const { error, tools = false } = profile;
  return {
    ...profile,
    tools: tools && carries.has('tool_call'),
    ...(error?.kind === 'inband' && !carries.has('error') ? { error: { ...error, kind: 'truncate' } } : {}),
  };
}

/** Calls back with the body as text, or with undefined if it is too large (the rest is read and discarded). */
function readBody(req: IncomingMessage, done: (body: string | undefined) => void): void {
  let pieces: Buffer[] = [];
  let bytes = 0;
  req.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes <= BODY_LIMIT_BYTES) pieces.push(piece);
    else pieces = [];
  });
  req.on('end', () => done(bytes <= BODY_LIMIT_BYTES ? Buffer.concat(pieces).toString('utf8') : undefined));
}

function reply(res: ServerResponse, status: number, contentType: string, body: string): void {
  res.writeHead(status, { 'content-type': contentType, 'content-length': String(Buffer.byteLength(body)) });
  res.end(body);
}

function modelList(names: readonly string[]): string {
  const data = names.map((id) => ({ id, object: 'model', created: 0, owned_by: 'streambench' }));
  return JSON.stringify({ object: 'list', data });
}

import { lintResponse } from '../analysis/lint.ts';
import { verdictFigures } from '../analysis/stream-figures.ts';
import { streamingVerdict } from '../analysis/streaming-verdict.ts';
import { usualStream } from '../analysis/verdict-fold.ts';
import { addressOf } from '../client/address.ts';
import { type ClientOptions, createClient, type StreamClient } from '../client/client.ts';
import { type Clock, monotonicClock } from '../model/clock.ts';
import { isContent } from '../model/events.ts';
import type { Prompt, Target } from '../model/plan.ts';
import type { Mode, Observation, RequestRecord } from '../model/record.ts';
import { createRedactor, type Redact } from '../model/secrets.ts';
import { connectionGroup, type ProbeReport, type ProbeRequest } from '../report/probe-report.ts';
import { roundRecord } from '../results/round.ts';
import { maskUrl } from '../scenario/document.ts';
import type { LoadedScenario } from '../scenario/load.ts';
import { planScenario, usesSimulator } from '../scenario/plan.ts';
import { startEmbeddedSimulator } from '../simulator/embedded.ts';
import { wireFormat } from '../wire/dialects.ts';
import type { FramingName } from '../wire/frame.ts';
import { readEnvironment } from './environment.ts';
import { warmCode } from './probe-warmup.ts';

/** How a target is probed. */
export interface ProbeOptions {
  /** Requests, one after the other: the first connects, the others find the connection open. Default 1. */
  requests?: number;
  /** A stream that goes on longer than this, from the request on, is ended; in ms. Default: never. */
  forMs?: number;
  /** Ends the request that is running; what was seen of it is reported. No other is sent. */
  signal?: AbortSignal;
  /** True when the dialect was concluded from the URL alone; the report says so. Default false. */
  guessed?: boolean;
  /** Told before each request, counted from 1. */
  onRequest?: (number: number) => void;
  /** Default: the machine's clock. */
  clock?: Clock;
}

/**
 * Sends the requests of a scenario's first target, prompt and mode, and reports what was seen of each. A failed
 * request is in the report; after one that found nobody there, no other is sent. Rejects with a `UserError` where the
 * target itself is not valid.
 */
export async function probe(loaded: LoadedScenario, options: ProbeOptions = {}): Promise<ProbeReport> {
  const { clock = monotonicClock, guessed = false } = options;
  const simulator = usesSimulator(loaded.scenario)
    ? await startEmbeddedSimulator({ seed: loaded.scenario.seed })
    : undefined;
  try {
    const plan = planScenario(loaded, simulator === undefined ? {} : { simulatorUrl: simulator.url });
    const [target, prompt, mode] = [plan.targets[0]!, plan.prompts[0]!, loaded.scenario.modes[0]!];
    const { url, method } = requestLine(target, prompt, mode);
    const probedAt = clock.wallTime().toISOString();
    const forMs = options.forMs ?? Number.POSITIVE_INFINITY;
    const timeouts = { ...plan.timeouts, totalMs: Math.max(plan.timeouts.totalMs, finite(forMs) + 1000) };
    const client = createClient({ ...clientOptions(target), timeouts, secrets: loaded.secrets, clock });
    try {
      await warmCode(target.dialect);
      const redact = createRedactor(loaded.secrets);
      const sent = await inTurn(client, { ...options, target, prompt, mode, forMs, redact });
      const requests = judged(sent, wireFormat(target.dialect).framing);
      const { streambench, node, undici } = await readEnvironment();
      return {
        schema: 'streambench/probe@1',
        probedAt,
        target: {
          method,
          url: redact(maskUrl(url)),
          provider: target.provider,
          dialect: target.dialect,
          ...defined({ model: target.model }),
          mode,
          guessed,
        },
        software: { streambench, node, undici },
        requests,
        cold: connectionGroup(requests, false),
        warm: connectionGroup(requests, true),
      };
    } finally {
      client.close();
    }
  } finally {
    await simulator?.close();
  }
}

interface Turn extends ProbeOptions {
  target: Target;
  prompt: Prompt;
  mode: Mode;
  forMs: number;
  redact: Redact;
}

async function inTurn(client: StreamClient, turn: Turn): Promise<ProbeRequest[]> {
  const requests: ProbeRequest[] = [];
  for (let seq = 0; seq < Math.max(1, turn.requests ?? 1); seq++) {
    // A stream that we ended took its connection with it. When there is none to be had, the request will say why.
    if (seq > 0) await client.warm(1).catch(() => {});
    turn.onRequest?.(seq + 1);
    const request = await one(client, turn, seq);
    requests.push(request);
    if (turn.signal?.aborted || request.record.outcome.kind === 'network') break;
  }
  return requests;
}

async function one(client: StreamClient, turn: Turn, seq: number): Promise<ProbeRequest> {
  const { target, prompt, mode, forMs } = turn;
  const stop = new AbortController();
  let stoppedBy: 'time' | 'interrupt' | undefined;
  const end = (by: 'time' | 'interrupt') => {
    stoppedBy ??= by;
    stop.abort(by === 'time' ? 'stopped: it would have gone on' : 'interrupted');
  };
  const onInterrupt = () => end('interrupt');
  turn.signal?.addEventListener('abort', onInterrupt, { once: true });
  if (turn.signal?.aborted) onInterrupt();
  const timer = Number.isFinite(forMs) ? setTimeout(end, forMs, 'time') : undefined;
  const ask = {
    messages: prompt.messages,
    ...defined({ model: target.model, maxTokens: prompt.maxTokens }),
    signal: stop.signal,
  };
  try {
    const seen =
      mode === 'streaming'
        ? await streamed(client, ask)
        : { observation: (await client.complete(ask)).observation, arrivals: [], afterTerminator: 0 };
    return toRequest(turn, seq, seen, stoppedBy);
  } finally {
    clearTimeout(timer);
    turn.signal?.removeEventListener('abort', onInterrupt);
  }
}

interface Seen {
  observation: Observation;
  arrivals: readonly [atMs: number, events: number][];
  afterTerminator: number;
}

async function streamed(client: StreamClient, ask: Parameters<StreamClient['stream']>[0]): Promise<Seen> {
  const stream = client.stream(ask);
  const arrivals: [number, number][] = [];
  let lastRead = -1;
  let afterTerminator = 0;
  for await (const event of stream) {
    if (event.type === 'unknown' && event.name === 'after-end') afterTerminator++;
    if (!isContent(event)) continue;
    // Rounded as the record's own times are.
    if (event.read !== lastRead) arrivals.push([Math.round(event.atMs * 1000) / 1000, 0]);
    arrivals.at(-1)![1]++;
    lastRead = event.read;
  }
  return { observation: await stream.result, arrivals, afterTerminator };
}

const PREVIEW_CHARS = 200;

function toRequest(
  { target, prompt, redact }: Turn,
  seq: number,
  { observation, arrivals, afterTerminator }: Seen,
  stoppedBy: 'time' | 'interrupt' | undefined,
): ProbeRequest {
  const { text = '', thinking: _, ...rest } = observation;
  const record: RequestRecord = roundRecord({
    schema: 'streambench/record@1',
    seq,
    round: 0,
    target: target.name,
    prompt: prompt.name,
    concurrency: 1,
    ...rest,
  });
  const { started, end = started } = record.marks;
  // The signal may have come when the request was over by itself.
  const stopped = stoppedBy !== undefined && record.outcome.kind === 'cancelled';
  return {
    record,
    arrivals,
    ...(afterTerminator === 0 ? {} : { afterTerminator }),
    ...(text === '' ? {} : { preview: redact(text).slice(0, PREVIEW_CHARS) }),
    ...(stopped ? { stopped: { by: stoppedBy, afterMs: end - started } } : {}),
  };
}

// All requests together say what is usual for the target; each is judged against that.
function judged(requests: readonly ProbeRequest[], framing: FramingName): ProbeRequest[] {
  const usual = usualStream(requests.map(({ record }) => verdictFigures(record)));
  return requests.map((request) => {
    const { record, afterTerminator } = request;
    if (record.mode === 'non-streaming' || record.status === undefined) return request;
    return {
      ...request,
      ...(record.contentEvents === 0 ? {} : { streaming: streamingVerdict(record, defined({ usual })) }),
      lint: lintResponse({ ...record, framing, ...defined({ eventsAfterTerminator: afterTerminator }) }),
    };
  });
}

function clientOptions(target: Target): ClientOptions {
  const { baseUrl, dialect, auth, apiKey, headers, extra, textPath, body, method, connect } = target;
  return { baseUrl, dialect, auth, apiKey, headers, extra, textPath, body, method, connect };
}

// Method and address of the request as it really goes out. Name and password of the address are left behind.
function requestLine(target: Target, { messages, maxTokens }: Prompt, mode: Mode) {
  const { baseUrl, dialect, model, textPath, body, method } = target;
  const format = wireFormat(dialect, defined({ textPath, body }));
  const wire = format.request({ messages, stream: mode === 'streaming', ...defined({ model, maxTokens }) });
  const { origin, path } = addressOf(baseUrl, format, wire.path);
  return { url: `${origin.origin}${path}`, method: method ?? wire.method };
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never;
}

function finite(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}

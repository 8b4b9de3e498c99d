import type { StreamEvent, ToolCallEvent } from '../model/events.ts';
import {
  fingerprint,
  type KeyedRandom,
  keyedRandom,
  type RandomQuantity,
  randomInt,
  sample,
} from '../model/keyed-random.ts';
import { type ChatRequest, withoutNonce } from '../model/request.ts';
import type { ErrorKind, Profile } from './profile.ts';
import { estimateTokens, words } from './words.ts';

/** Events sent together: one event, or several of a `coarse` profile. */
export interface ScriptStep {
  /** Milliseconds after the request was received. */
  dueMs: number;
  events: readonly StreamEvent[];
}

/** How a scripted answer ends. */
export type ScriptEnding = 'complete' | 'http_error' | 'inband_error' | 'truncated';

/** The whole answer to one request, with times. Independent of any clock. */
export interface Script {
  /** `start` first, `usage` and `complete` last; fewer for an answer that fails. Due times never decrease. */
  steps: readonly ScriptStep[];
  /** Milliseconds until the whole answer has been generated: when a non-streaming answer is sent. */
  madeMs: number;
  ending: ScriptEnding;
  /** The response instead of the steps, if `ending` is `http_error`. */
  refusal?: Refusal;
}

/** A script that was recorded, with the mode of its request. */
export interface RecordedScript extends Script {
  stream: boolean;
}

/** An HTTP error, sent `dueMs` after the request was received. */
export interface Refusal {
  status: number;
  message: string;
  dueMs: number;
}

type ContentEvent = Extract<StreamEvent, { type: 'message_chunk' | 'thinking' | 'tool_call' }>;

/** A chunk of the answer, and when the model has generated it. */
interface Chunk {
  event: ContentEvent;
  madeMs: number;
}

/** Answer lengths by the length of the prompt in characters. */
const BY_PROMPT: readonly { below: number; tokens: RandomQuantity }[] = [
  { below: 20, tokens: { shape: 'normal', mean: 24, sd: 5, min: 10 } },
  { below: 200, tokens: { shape: 'normal', mean: 90, sd: 18, min: 30 } },
];
const FOR_LONG_PROMPTS: RandomQuantity = { shape: 'normal', mean: 220, sd: 40, min: 80 };

const TOOL = {
  name: 'lookup',
  arguments: ['{"', 'query', '":"', 'stream', 'ing', '","', 'limit', '":', '3', '}'],
};

const DEFAULT_REPLAY_GAP_MS = 20;
const DEFAULT_LUMP_CHUNKS = 16;

/** The text that an answer depends on: all messages with roles, without nonce, so that answers are the same in every run. */
export function promptWithoutNonce(request: ChatRequest): string {
  return request.messages.map(({ role, content }) => `${role}: ${withoutNonce(content)}`).join('\n');
}

/** The whole text of a request, as seen by a prefix cache. */
export function promptWithNonce(request: ChatRequest): string {
  return request.messages.map(({ role, content }) => `${role}: ${content}`).join('\n');
}

/**
 * The script of one answer. It depends on the prompt, the model, the seed, `ordinal` (how often this prompt was requested
 * before) and `cachedShare` (the share of the prompt that is cached), but not on other prompts. Text, timing and failure use
 * separate random sequences, so that changing a profile's timing does not change its texts. Streaming and non-streaming
 * requests have the same script. A profile with recorded answers sends these in turn, whatever the prompt.
 */
export function makeScript(
  request: ChatRequest,
  profile: Profile,
  seed: number,
  ordinal: number,
  cachedShare = 0,
): Script {
  if (profile.recorded?.length) return recorded(profile.recorded, request.stream, ordinal);
  const prompt = promptWithoutNonce(request);
  const key = JSON.stringify([seed, request.model ?? '', ordinal, fingerprint(prompt)]);
  const failure = drawFailure(profile, keyedRandom(`${key}failure`));
  const timing = keyedRandom(`${key}timing`);
  const missMs = sample(profile.ttft, timing);
  const { cachedTtft } = profile;
  const ttftMs =
    cachedTtft === undefined ? missMs : missMs * (1 - cachedShare) + sample(cachedTtft, timing) * cachedShare;
  const inputTokens = estimateTokens(promptWithNonce(request));
  if (failure === 'http_429' || failure === 'http_500') return refuse(failure, ttftMs);

  const wanted = drawTokens(request, profile, prompt, key);
  const limit = Math.max(1, request.maxTokens ?? Number.POSITIVE_INFINITY);
  const tokens = wanted.slice(0, limit);
  const chunks: Chunk[] = [];
  let madeMs = ttftMs;
  for (const event of group(tokens, profile.chunkTokens)) {
    if (chunks.length > 0) madeMs += sample(profile.gap, timing);
    chunks.push({ event, madeMs });
  }

  const kept = failure === undefined ? chunks.length : cutAfter(chunks.length, keyedRandom(`${key}cut`));
  const content = deliver(chunks, madeMs, profile, timing).slice(0, kept);
  const reasoningTokens = tokens.filter((token) => token.type === 'thinking').length;
  const tail: StreamEvent[] =
    failure === 'inband'
      ? [{ type: 'error', code: 'server_error', message: 'the simulated model failed while answering' }]
      : failure === 'truncate'
        ? []
        : [
            {
              type: 'usage',
              inputTokens,
              outputTokens: tokens.length,
              ...(cachedTtft === undefined
                ? {}
                : { cachedInputTokens: Math.floor(inputTokens * cachedShare) }),
              ...(reasoningTokens > 0 ? { reasoningTokens } : {}),
            },
            {
              type: 'complete',
              finish: tokens.length < wanted.length ? 'length' : profile.tools ? 'tool_calls' : 'stop',
            },
          ];
  const start: StreamEvent = {
    type: 'start',
    model: request.model,
  };
  const sent =
    profile.mode === 'coarse' ? lumps(content, profile.lumpChunks ?? DEFAULT_LUMP_CHUNKS) : content;
  const [first, last] = [sent[0], sent.at(-1)];
  if (first === undefined || last === undefined) throw new Error('an answer has at least one chunk');
  const steps = [
    { dueMs: first.dueMs, events: [start] },
    ...sent,
    ...tail.map((event) => ({ dueMs: last.dueMs, events: [event] })),
  ];
  const ending = failure === undefined ? 'complete' : failure === 'inband' ? 'inband_error' : 'truncated';
  return { steps, madeMs, ending };
}

function recorded(scripts: readonly RecordedScript[], stream: boolean, ordinal: number): Script {
  const same = scripts.filter((script) => script.stream === stream);
  const fitting = same.length > 0 ? same : scripts;
  // `!`: there is at least one script.
  return fitting[ordinal % fitting.length]!;
}

/** All events of a script, in order. */
export function scriptEvents(script: Script): StreamEvent[] {
  return script.steps.flatMap(({ events }) => events);
}

function drawFailure({ error }: Profile, random: KeyedRandom): ErrorKind | undefined {
  return error !== undefined && random() < error.rate ? error.kind : undefined;
}

function refuse(kind: 'http_429' | 'http_500', ttftMs: number): Script {
  const refusal =
    kind === 'http_429'
      ? ({ status: 429, message: 'the simulated rate limit was reached', dueMs: 0 } as const)
      : ({ status: 500, message: 'the simulated model failed', dueMs: ttftMs } as const);
  return { steps: [], madeMs: refusal.dueMs, ending: 'http_error', refusal };
}

function drawTokens(request: ChatRequest, profile: Profile, prompt: string, key: string): ContentEvent[] {
  const last = request.messages.findLast(({ role }) => role === 'user')?.content;
  const asked = last === undefined ? prompt : withoutNonce(last);
  const length =
    profile.tokens === 'by-prompt'
      ? (BY_PROMPT.find(({ below }) => asked.length < below)?.tokens ?? FOR_LONG_PROMPTS)
      : profile.tokens;
  const answerTokens = Math.max(1, Math.round(sample(length, keyedRandom(`${key}length`))));
  // Reasoning takes at most half of the limit, so that there is an answer.
  const thinkingTokens = Math.min(
    profile.thinking ?? 0,
    Math.floor((request.maxTokens ?? Number.POSITIVE_INFINITY) / 2),
  );
  const tokens: ContentEvent[] = [];
  for (const text of words(thinkingTokens, asked, keyedRandom(`${key}thinking`))) {
    tokens.push({ type: 'thinking', text });
  }
  for (const text of words(answerTokens, asked, keyedRandom(`${key}text`))) {
    tokens.push({ type: 'message_chunk', text });
  }
  if (profile.tools) {
    tokens.push({
      type: 'tool_call',
      index: 0,
      id: `call_${fingerprint(key)}`,
      name: TOOL.name,
      arguments: '',
    });
    for (const piece of TOOL.arguments) tokens.push({ type: 'tool_call', index: 0, arguments: piece });
  }
  return tokens;
}

/** Groups consecutive tokens of one type into chunks of at most `size` tokens. */
function group(tokens: readonly ContentEvent[], size: number): ContentEvent[] {
  const chunks: ContentEvent[] = [];
  let room = 0;
  for (const token of tokens) {
    const last = chunks.at(-1);
    if (last === undefined || last.type !== token.type || room <= 0) {
      chunks.push(token);
      room = Math.max(1, size) - 1;
    } else {
      chunks[chunks.length - 1] = joined(last, token);
      room--;
    }
  }
  return chunks;
}

function joined(first: ContentEvent, second: ContentEvent): ContentEvent {
  if (first.type === 'tool_call') {
    return { ...first, arguments: first.arguments + (second as ToolCallEvent).arguments };
  }
  return { ...first, text: first.text + (second as { text: string }).text };
}

function deliver(
  chunks: readonly Chunk[],
  wholeMs: number,
  profile: Profile,
  timing: KeyedRandom,
): ScriptStep[] {
  const mode = profile.mode ?? 'real';
  const replayGapMs = profile.replayGapMs ?? DEFAULT_REPLAY_GAP_MS;
  return chunks.map(({ event, madeMs }, i) => {
    switch (mode) {
      case 'real':
      case 'coarse':
        return { dueMs: madeMs, events: [event] };
      case 'burst':
        return { dueMs: wholeMs, events: [event] };
      case 'replay':
        // Up to 4 % late, as with a real timer.
        return { dueMs: wholeMs + replayGapMs * (i + timing() * 0.04), events: [event] };
      default: {
        const impossible: never = mode;
        return impossible;
      }
    }
  });
}

/** Groups of `size` steps, each due when its last chunk has been generated. */
function lumps(content: readonly ScriptStep[], size: number): ScriptStep[] {
  const steps: ScriptStep[] = [];
  for (let i = 0; i < content.length; i += size) {
    const lump = content.slice(i, i + size);
    steps.push({
      dueMs: Math.max(...lump.map(({ dueMs }) => dueMs)),
      events: lump.flatMap(({ events }) => events),
    });
  }
  return steps;
}

/** Number of chunks that a failing answer sends: at least one, and not all if there are several. */
function cutAfter(chunks: number, random: KeyedRandom): number {
  return chunks < 2 ? chunks : 1 + randomInt(random, chunks - 1);
}

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StreamEvent, UsageEvent } from '../../src/model/events.ts';
import type { Dialect } from '../../src/wire/dialect.ts';
import { type DialectOptions, getDialect } from '../../src/wire/dialects/index.ts';
import { readErrorBody } from '../../src/wire/errors.ts';
import { FRAMINGS } from '../../src/wire/framing/framings.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { CORPUS, HAS_CORPUS } from './corpus.ts';
import { cut, decodeReads } from './streams.ts';

// Recorded streams of some thirty providers, each with what is known of it: a second witness beside the encoders.

interface Truth {
  file: string;
  provider: string;
  expected: {
    format: string;
    text_chars: number;
    text_sha256: string;
    reasoning_chars: number;
    reasoning_sha256: string;
    tools: { name: string | null; id: string | null; args: string | null; args_sha256: string | null }[];
    finish_reason: string | null;
    usage: { input?: number; output?: number; reasoning?: number; cached_input?: number };
    error: { message?: string } | string | null;
    done_marker: boolean;
    kinds?: Record<string, number>;
  };
}

/** The dialect that reads a recorded format; `textOnly` where a plain dialect can read the text and no more. */
const DIALECT: Record<string, { name: string; options?: DialectOptions; textOnly?: true }> = {
  'openai-chat': { name: 'openai-chat' },
  'openai-completions': { name: 'openai-completions' },
  'openai-responses': { name: 'openai-responses' },
  anthropic: { name: 'anthropic' },
  'gemini-sse': { name: 'gemini' },
  'gemini-json-array': { name: 'gemini-array' },
  'cohere-v2': { name: 'cohere' },
  'bedrock-converse': { name: 'bedrock-converse' },
  'ollama-chat': { name: 'ollama-chat' },
  'ollama-generate': { name: 'ollama-generate' },
  'ai-sdk-ui-v1': { name: 'ai-sdk-ui' },
  'ag-ui': { name: 'ag-ui' },
  replicate: { name: 'sse', textOnly: true },
  watsonx: { name: 'sse', options: { textPath: 'results.0.generated_text' }, textOnly: true },
  transcription: { name: 'sse', options: { textPath: 'delta' }, textOnly: true },
};

/** Recorded, but read by no dialect of ours. */
const NOT_READ = new Set(['bedrock-invoke', 'cohere-v1', 'gemini-interactions']);

/** Counts that the truth has as they were sent, and that are not what they seem: read from the bytes by hand. */
const CORRECTED: [RegExp, Omit<UsageEvent, 'type'>][] = [
  // {"prompt_tokens":12,"completion_tokens":1,"total_tokens":303, ... "reasoning_tokens":290}: beside, not inside.
  [
    /vai-xai-text-0\.txt/,
    { inputTokens: 12, outputTokens: 291, reasoningTokens: 290, cachedInputTokens: 11 },
  ],
  [
    /vai-xai-text-0x\.txt/,
    { inputTokens: 12, outputTokens: 342, reasoningTokens: 340, cachedInputTokens: 11 },
  ],
  // {"input_tokens":1430,"output_tokens":2697,"reasoning_tokens":2463}, which the truth leaves out.
  [
    /with-extended-thinking-cohere/,
    { inputTokens: 1430, outputTokens: 2697, reasoningTokens: 2463, cachedInputTokens: 1392 },
  ],
  // "completion_tokens":256 with "reasoning_tokens":271, and a total of 15 + 256: these cannot be true.
  [
    /bt-openrouter-v0-2\.sse/,
    {
      ...{ inputTokens: 15, outputTokens: 256, cachedInputTokens: 0 },
      refused: ['reasoning tokens 271 of 256 output tokens'],
    },
  ],
  [
    /azure-grok-4-1-fast-non-reasoning-can-use-tools-witho-3/,
    {
      ...{ inputTokens: 377, outputTokens: 69, reasoningTokens: 0 },
      refused: ['cached input tokens 515 of 377 input tokens'],
    },
  ],
];

/** Several answers of one conversation in one file, which is no body that a server sends: all but the first is after the end. */
const SEVERAL_ANSWERS = /tool-search-deferred|reasoning-encrypted-content/;

const TRUTHS: Truth[] = HAS_CORPUS
  ? readFileSync(join(CORPUS, 'truth.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
  : [];

const kindOf = (truth: Truth) => truth.expected.format.replace(/\+lines$/, '');

function dialectOf(truth: Truth): Dialect {
  const { name, options } = DIALECT[kindOf(truth)]!;
  return getDialect(name, { ...options, thinkTags: false });
}

/** The bytes as a server sent them; payloads that were kept a line each are framed anew. */
function bytesOf(truth: Truth): Uint8Array {
  const bytes = readFileSync(join(CORPUS, truth.file));
  if (!truth.expected.format.endsWith('+lines')) return bytes;
  const lines = bytes
    .toString()
    .split('\n')
    .filter((line) => line.trim() !== '');
  const dialect = dialectOf(truth);
  if (dialect.framing === 'sse') return Buffer.from(lines.map((line) => `data: ${line}\n\n`).join(''));
  return Buffer.concat(
    lines.map((line) => {
      const [event, payload] = Object.entries(JSON.parse(line))[0]!;
      return FRAMINGS['aws-event-stream'].write({ event, data: JSON.stringify(payload) }) as Uint8Array;
    }),
  );
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const length = (text: string) => [...text].length;

function check(truth: Truth, events: readonly StreamEvent[]): void {
  const { expected } = truth;
  const answer = gather(events);
  expect(length(answer.text), 'characters of text').toBe(expected.text_chars);
  expect(sha256(answer.text), 'text').toBe(expected.text_sha256);
  if (DIALECT[kindOf(truth)]!.textOnly) return;
  expect(length(answer.thinking), 'characters of reasoning').toBe(expected.reasoning_chars);
  if (expected.reasoning_chars > 0)
    expect(sha256(answer.thinking), 'reasoning').toBe(expected.reasoning_sha256);

  expect(answer.calls.map((call) => call.name ?? null)).toEqual(expected.tools.map((tool) => tool.name));
  for (const [i, tool] of expected.tools.entries()) {
    const call = answer.calls[i]!;
    if (tool.id) expect(call.id).toBe(tool.id);
    // Arguments that came as values with paths are put together by us; the truth leaves them out.
    if (expected.kinds?.partialArgs) continue;
    if (tool.args !== null && tool.args !== undefined)
      expect(sameJson(call.arguments)).toEqual(sameJson(tool.args));
  }

  const { input, output, reasoning, cached_input: cached } = expected.usage;
  const usage = answer.usage;
  // Gemini's count of the candidates leaves the thoughts out, ours has them in.
  const thoughts = kindOf(truth).startsWith('gemini') ? (reasoning ?? 0) : 0;
  if (input) expect(usage?.inputTokens, 'input tokens').toBe(input + cachedApart(truth));
  const corrected = CORRECTED.find(([pattern]) => pattern.test(truth.file))?.[1];
  if (corrected !== undefined) expect(usage).toEqual({ type: 'usage', ...corrected });
  else {
    if (output) expect(usage?.outputTokens, 'output tokens').toBe(output + thoughts);
    if (reasoning) expect(usage?.reasoningTokens, 'reasoning tokens').toBe(reasoning);
    if (cached) expect(usage?.cachedInputTokens, 'cached tokens').toBe(cached);
  }

  const completes = events.filter((event) => event.type === 'complete');
  expect(completes.length).toBeLessThanOrEqual(1);
  if (expected.error !== null) {
    const message = typeof expected.error === 'string' ? expected.error : expected.error.message;
    expect(answer.error?.message).toBe(message);
    expect(completes).toEqual([]);
    return;
  }
  expect(answer.error).toBeUndefined();
  if (expected.finish_reason && kindOf(truth) !== 'ag-ui')
    expect(answer.complete?.raw).toBe(expected.finish_reason);
  if (expected.finish_reason || expected.done_marker) {
    expect(completes).toHaveLength(1);
    expect(events.filter((event) => event.type !== 'unknown').at(-1)?.type).toBe('complete');
  } else {
    expect(completes).toEqual([]);
  }
}

function sameJson(text: string): unknown {
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    return text;
  }
}

// Numbers from a seed (mulberry32): the same cuts in every run.
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Anthropic and Bedrock count input tokens without those read from the cache and written to it; the last counts hold. */
function cachedApart(truth: Truth): number {
  if (!/^(anthropic|bedrock-converse)$/.test(kindOf(truth))) return 0;
  const text = Buffer.from(bytesOf(truth)).toString('latin1');
  const last = (name: RegExp) => Number([...text.matchAll(name)].at(-1)?.[1] ?? 0);
  return (
    last(/"cache_?[rR]ead_?[iI]nput_?[tT]okens":(\d+)/g) +
    last(/"(?:cache_creation_input_tokens|cacheWriteInputTokens)":(\d+)/g)
  );
}

describe.skipIf(!HAS_CORPUS)(`recorded streams: ${TRUTHS.length}`, () => {
  const read = TRUTHS.filter((truth) => !NOT_READ.has(kindOf(truth)));

  test('every recorded format is read, or listed as unread', () => {
    const unknown = read.filter((truth) => DIALECT[kindOf(truth)] === undefined);
    expect(unknown.map((truth) => truth.expected.format)).toEqual([]);
  });

  test.each(read.map((truth): [string, Truth] => [truth.file, truth]))('%s', (_file, truth) => {
    const dialect = dialectOf(truth);
    const bytes = bytesOf(truth);
    const whole = decodeReads(dialect, [bytes]);
    if (SEVERAL_ANSWERS.test(truth.file)) {
      expect(whole.filter((event) => event.type === 'complete')).toHaveLength(1);
      expect(whole.at(-1)).toMatchObject({ type: 'unknown', name: 'after-end' });
    } else check(truth, whole);
    const cuts: number[][] = [];
    if (bytes.length < 1500) for (let at = 1; at < bytes.length; at++) cuts.push([at]);
    const next = random(bytes.length);
    for (const count of [1, 7, 50])
      cuts.push(Array.from({ length: count }, () => Math.floor(next() * bytes.length)));
    if (bytes.length < 50_000) cuts.push(Array.from({ length: bytes.length }, (_, at) => at));
    for (const places of cuts) expect(decodeReads(dialect, cut(bytes, places))).toEqual(whole);
  });
});

describe.skipIf(!HAS_CORPUS)('recorded error bodies', () => {
  const files = HAS_CORPUS
    ? readdirSync(join(CORPUS, 'errors')).filter((file) => file.endsWith('.json'))
    : [];
  test.each(files)('%s', (file) => {
    const body = readFileSync(join(CORPUS, 'errors', file), 'utf8');
    const read = readErrorBody(body);
    expect(read?.message.length).toBeGreaterThan(5);
    expect(body.replaceAll('\\', '')).toContain(
      read!.message.replaceAll('\\', '').slice(0, 20).split(/["\n]/)[0],
    );
  });
});

/** Which dialect reads a recorded whole answer, by the words of its file name. */
const WHOLE: [RegExp, string][] = [
  [/huggingface-completions/, 'openai-completions'],
  [/-completions-/, 'openai-chat'],
  [/-responses-/, 'openai-responses'],
  [/anthropic-messages/, 'anthropic'],
  [/-converse-/, 'bedrock-converse'],
  [/cohere-chat/, 'cohere'],
  [/-generateContent-/, 'gemini'],
  [/ollama-chat/, 'ollama-chat'],
];

/** Code points of text and of reasoning, and tool calls, counted in the files by other means. */
const COUNTED: Record<string, [number, number, number]> = {
  'anthropic-messages-reasoning.json': [50, 53, 0],
  'anthropic-messages-text.json': [41, 0, 0],
  'azure-completions-text.json': [1, 0, 0],
  'azure-completions-tool.json': [0, 0, 1],
  'azure-responses-reasoning.json': [2, 0, 0],
  'bedrock-converse-reasoning.json': [3, 11, 0],
  'bedrock-converse-text.json': [14, 0, 0],
  'cerebras-completions-reasoning.json': [35, 84, 0],
  'cerebras-completions-text.json': [10, 0, 0],
  'cerebras-completions-tool.json': [0, 0, 1],
  'cohere-chat-tool.json': [0, 58, 1],
  'crusoe-completions-reasoning.json': [114, 80, 0],
  'deepseek-completions-reasoning.json': [1, 42, 0],
  'deepseek-completions-text.json': [1, 0, 0],
  'deepseek-converse-reasoning.json': [1787, 1245, 0],
  'gemini-completions-reasoning.json': [25, 0, 0],
  'gemini-generateContent-reasoning.json': [9, 306, 0],
  'gemini-generateContent-text.json': [0, 0, 0],
  'gpustack-llamabox-completions-reasoning.json': [113, 433, 0],
  'groq-completions-reasoning.json': [1, 7, 0],
  'groq-completions-tool.json': [0, 0, 1],
  'huggingface-completions-text.json': [14, 0, 0],
  'mistral-completions-reasoning.json': [15, 88, 0],
  'mistral-completions-text.json': [25, 0, 0],
  'ollama-chat-text.json': [256, 0, 0],
  'openai-responses-text.json': [15, 0, 0],
  'openrouter-completions-text.json': [32, 0, 0],
  'openrouter-responses-reasoning.json': [13, 0, 0],
  'vertex-generateContent-reasoning.json': [10, 301, 0],
};

describe.skipIf(!HAS_CORPUS)('recorded whole answers', () => {
  test.each(Object.entries(COUNTED))('%s', (file, [text, thinking, calls]) => {
    const dialect = WHOLE.find(([pattern]) => pattern.test(file))![1];
    const body = readFileSync(join(CORPUS, 'nonstream', file), 'utf8');
    const events = getDialect(dialect, { thinkTags: false }).decodeWhole(body);
    const answer = gather(events);
    expect([length(answer.text), length(answer.thinking), answer.calls.length]).toEqual([
      text,
      thinking,
      calls,
    ]);
    expect(answer.usage?.outputTokens).toBeGreaterThan(0);
    expect(events[0]?.type).toBe('start');
    expect(events.at(-1)?.type).toBe('complete');
    expect(answer.complete?.raw).toBeDefined();
  });
});

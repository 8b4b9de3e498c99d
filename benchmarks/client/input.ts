import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamEvent } from '../../src/model/events.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { FRAMINGS, type Frame } from '../../src/wire/framing/framings.ts';
import { encodeBytes, readFrames } from '../../test/wire/streams.ts';

/** One streaming answer, as the bytes of its reads. */
export interface Input {
  dialect: string;
  /** `recorded` from a provider, or `generated` by our own encoder. */
  source: 'recorded' | 'generated';
  reads: readonly Uint8Array[];
  /** Frames in it: SSE events, or lines. */
  events: number;
  bytes: number;
  /** The same payloads as SSE, for a parser that reads nothing else. */
  sseReads: readonly Uint8Array[];
}

/** The recorded formats that have a dialect of ours, by its name. */
const RECORDED: Readonly<Record<string, string>> = {
  'openai-chat': 'openai-chat',
  'openai-completions': 'openai-completions',
  'openai-responses': 'openai-responses',
  anthropic: 'anthropic',
  gemini: 'gemini-sse',
  'gemini-array': 'gemini-json-array',
  'ollama-chat': 'ollama-chat',
  'ollama-generate': 'ollama-generate',
  cohere: 'cohere-v2',
  'bedrock-converse': 'bedrock-converse',
};

/** Fewer events than this say more of the beginning of a request than of its stream. */
const MIN_EVENTS = 25;

/**
 * Streams of the named dialects, in reads of `readBytes` bytes, or of one frame for 0: the longest in the folder of
 * recorded streams, where it is there and has one, and one that our encoder writes.
 */
export function inputs(dialects: readonly string[], readBytes: number, corpus: string): Input[] {
  return dialects.flatMap((dialect) => {
    const bytes = recorded(dialect, corpus);
    return [
      ...(bytes === undefined ? [] : [inputOf(dialect, 'recorded', bytes, readBytes)]),
      inputOf(dialect, 'generated', generated(dialect), readBytes),
    ];
  });
}

function inputOf(dialect: string, source: Input['source'], bytes: Uint8Array, readBytes: number): Input {
  const format = getDialect(dialect);
  const frames = readFrames(format, [bytes]);
  const sse = frames.map((frame) => Buffer.from(FRAMINGS.sse.write(frame) as string));
  const cut = (whole: Uint8Array, one: () => Uint8Array[]) =>
    readBytes === 0 ? one() : pieces(whole, readBytes);
  const write = (frame: Frame) => Buffer.from(FRAMINGS[format.framing].write(frame));
  // The pieces of a JSON array are not whole without the brackets around them: cut by size in any case.
  const byFrame = format.framing === 'json-array' ? () => pieces(bytes, 256) : () => frames.map(write);
  return {
    dialect,
    source,
    reads: cut(bytes, byFrame),
    events: frames.length,
    bytes: bytes.length,
    sseReads: format.framing === 'sse' ? cut(bytes, byFrame) : cut(Buffer.concat(sse), () => sse),
  };
}

/** The bytes in reads of so many. */
export function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) list.push(bytes.slice(at, at + size));
  return list;
}

/** The recording with the most events that ended well. */
function recorded(dialect: string, corpus: string): Uint8Array | undefined {
  const wanted = RECORDED[dialect];
  const index = join(corpus, 'INDEX.tsv');
  if (wanted === undefined || !existsSync(index)) return undefined;
  const [head = '', ...rows] = readFileSync(index, 'utf8').trimEnd().split('\n');
  const columns = head.split('\t');
  const at = (row: readonly string[], name: string) => row[columns.indexOf(name)] ?? '';
  const [longest] = rows
    .map((row) => row.split('\t'))
    .filter((row) => at(row, 'wire_format') === wanted && at(row, 'error') === '')
    .filter((row) => at(row, 'finish_reason') !== '' && Number(at(row, 'payloads')) >= MIN_EVENTS)
    .sort((a, b) => Number(at(b, 'payloads')) - Number(at(a, 'payloads')));
  return longest === undefined ? undefined : readFileSync(join(corpus, at(longest, 'file')));
}

const WORDS = [
  'The',
  ' stream',
  ' of',
  ' tokens',
  ',',
  ' 你好',
  ' wörld',
  ' and',
  ' a "quote"',
  '.\n',
  ' 🙂',
];

/** A long answer: some reasoning, much text, a tool call in pieces, the counts, the end. */
function longAnswer(texts: number): StreamEvent[] {
  const word = (i: number) => WORDS[(i * 7) % WORDS.length]!;
  const list = (count: number, make: (i: number) => StreamEvent) =>
    Array.from({ length: count }, (_, i) => make(i));
  return [
    { type: 'start', model: 'model-1' },
    ...list(texts >> 2, (i) => ({ type: 'thinking', text: word(i) })),
    ...list(texts, (i) => ({ type: 'message_chunk', text: word(i) })),
    { type: 'tool_call', index: 0, id: 'call_1', name: 'lookup', arguments: '{"list":[' },
    ...list(20, (i) => ({ type: 'tool_call', index: 0, arguments: `${i},` }) as const),
    { type: 'tool_call', index: 0, arguments: '0]}' },
    { type: 'usage', inputTokens: 11, outputTokens: texts },
    { type: 'complete', finish: 'tool_calls' },
  ];
}

function generated(dialect: string): Uint8Array {
  const format = getDialect(dialect);
  const events = longAnswer(600).filter((event) => format.carries.has(event.type));
  return encodeBytes(format, events, {
    id: 'answer-1',
    model: 'model-1',
    createdSeconds: 1_700_000_000,
    request: { stream: true, messages: [], extra: { stream_options: { include_usage: true } } },
  });
}

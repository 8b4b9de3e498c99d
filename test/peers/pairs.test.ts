import { readdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeHandler } from '../../src/gateway/adapters.ts';
import { transcode } from '../../src/gateway/transcode.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { FRAMINGS } from '../../src/wire/framing/framings.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { CORPUS, HAS_CORPUS } from '../wire/corpus.ts';
import { decodeReads } from '../wire/streams.ts';
import { NOT_INSTALLED, peersInstalled } from './installed.ts';
import type { Heard, Sdk } from './sdk/heard.ts';

// Recorded streams of each dialect, re-encoded in each dialect that has an official client library, which must hear the same.
// A sample runs here. `npm run soak:pairs` takes every recorded stream: STREAMBENCH_PAIRS=all.

const ALL = process.env.STREAMBENCH_PAIRS === 'all';
const FIXTURES = join(import.meta.dirname, '../wire/fixtures');

const SAMPLE = [
  'ai-sdk-ui.tool.sse',
  'anthropic.thinking-and-tool.sse',
  'bedrock-converse.plain.bin',
  'gemini.thoughts-and-call.sse',
  'ollama-chat.thinking-and-tool.ndjson',
  'openai-chat.last-chunk-has-all.sse',
];

interface Source {
  file: string;
  path: string;
  from: string;
}

/** The formats of the recorded streams that are not named as their dialect. */
const FORMATS: Readonly<Record<string, string>> = {
  'gemini-sse': 'gemini',
  'gemini-json-array': 'gemini-array',
  'cohere-v2': 'cohere',
  'ai-sdk-ui-v1': 'ai-sdk-ui',
};

function sources(): Source[] {
  if (!ALL) return SAMPLE.map((file) => ({ file, path: join(FIXTURES, file), from: file.split('.')[0]! }));
  const fixtures = readdirSync(FIXTURES).map((file) => ({
    file,
    path: join(FIXTURES, file),
    from: file.split('.')[0]!,
  }));
  const [, ...rows] = HAS_CORPUS ? readFileSync(join(CORPUS, 'INDEX.tsv'), 'utf8').trim().split('\n') : [''];
  const recorded = rows.map((row) => {
    const [file = '', , format = ''] = row.split('\t');
    const name = format.replace('+lines', '');
    return { file, path: join(CORPUS, file), from: FORMATS[name] ?? name };
  });
  return [...fixtures, ...recorded].filter(({ from }) => DIALECT_NAMES.includes(from));
}

/** The library for each dialect, and what it does not pass on. */
const TARGETS: readonly [name: string, file: string, to: string, ...lacks: 'thinking'[]][] = [
  ['openaiChat', 'openai', 'openai-chat'],
  ['openaiChatStream', 'openai', 'openai-chat', 'thinking'],
  ['openaiCompletions', 'openai', 'openai-completions'],
  ['openaiResponses', 'openai', 'openai-responses'],
  ['anthropicMessages', 'anthropic', 'anthropic'],
  ['ollamaChat', 'ollama', 'ollama-chat'],
  ['ollamaGenerate', 'ollama', 'ollama-generate'],
  ['gemini', 'gemini', 'gemini'],
  ['cohere', 'cohere', 'cohere'],
  ['aiAnthropic', 'ai', 'anthropic'],
  ['aiUi', 'ai-ui', 'ai-sdk-ui'],
  ['agUi', 'ag-ui', 'ag-ui'],
];

/** What an answer comes to; undefined where it failed, or where text turned out to be reasoning after it was sent. */
function wanted(events: readonly StreamEvent[], to: string) {
  const { text, thinking, calls, usage, complete } = gather(events);
  const isRun = events.some(({ type }) => type === 'tool_result');
  const { carries } = getDialect(to);
  if (events.some(({ type }) => type === 'error' || type === 'answer_start') || complete === undefined)
    return undefined;
  if (complete.finish === 'error') return undefined;
  return {
    text,
    thinking: carries.has('thinking') ? thinking : '',
    calls: carries.has('tool_call')
      ? calls.map(({ name, arguments: args }) => ({ name, arguments: JSON.parse(args || '{}') }))
      : [],
    outputTokens: usage?.outputTokens,
    // Of a tool that the service has run, the client is not to send a result.
    endsInCalls: calls.length > 0 && carries.has('tool_call') && !isRun,
  };
}

let current: Source;
let to: string;
let server: Server;
let url: string;

beforeAll(async () => {
  const answer = () =>
    transcode(
      new Response(readFileSync(current.path), {
        headers: { 'content-type': FRAMINGS[getDialect(current.from).framing].contentType },
      }),
      { from: current.from, to, stream: true },
    );
  server = createServer(nodeHandler(answer));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

describe.skipIf(!peersInstalled()).each(TARGETS)('%s', (name, file, dialect, ...lacks) => {
  it.each(sources())('hears $from: $file', { timeout: 60_000 }, async (source) => {
    const bytes = readFileSync(source.path);
    let want: ReturnType<typeof wanted>;
    try {
      want = wanted(decodeReads(getDialect(source.from), [bytes]), dialect);
    } catch {
      // Recorded arguments that are not JSON.
      return;
    }
    if (want === undefined) return;
    current = source;
    to = dialect;
    const module: Record<string, Sdk> = await import(`./sdk/${file}.ts`);
    const heard = await module[name]!.stream({ url, model: 'm', prompt: 'hi' });
    expect(heard.text).toBe(want.text);
    if (!lacks.includes('thinking') && heard.thinking !== undefined)
      expect(heard.thinking).toBe(want.thinking);
    expect(heard.calls).toEqual(want.calls);
    if (want.outputTokens) expect(heard.outputTokens).toBe(want.outputTokens);
    expectFinish(heard, module[name]!, want.endsInCalls);
  });
});

/** After tool calls a library must hear the word after which an agent runs its tools. */
function expectFinish(heard: Heard, sdk: Sdk, hasCalls: boolean): void {
  if (hasCalls && sdk.finish.calls !== undefined) expect(heard.finish).toBe(sdk.finish.calls);
}

if (!peersInstalled()) it.skip(`client libraries of others: ${NOT_INSTALLED}`, () => {});

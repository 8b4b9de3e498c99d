import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../src/model/events.ts';
import { type DialectOptions, getDialect } from '../../src/wire/dialects/index.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { cut, decodeReads } from './streams.ts';

// Streams as bytes, a few for each dialect, with the odd things that servers do.

/** What a stream comes to; what is not named is not there. */
interface Wanted {
  text?: string;
  thinking?: string;
  /** Name and arguments. */
  calls?: [string, string][];
  /** Input, output, reasoning and cached tokens. */
  usage?: [number | undefined, number | undefined, number?, number?];
  /** The provider's word, or null for an end without one. Absent: the answer is not complete. */
  raw?: string | null;
  error?: string;
  malformed?: true;
  /** Names of events that the dialect does not know. */
  unknown?: (string | undefined)[];
  /** Name and input of the tools that the service runs itself. */
  serverCalls?: [string, string][];
  /** Sound, images and files: the kind and the data. */
  media?: [string, string][];
  /** Counts that were left out. */
  refused?: string[];
}

const DIRECTORY = join(import.meta.dirname, 'fixtures');

const OPTIONS: Record<string, [string, DialectOptions]> = {
  'sse-path': ['sse', { textPath: 'a.0.t' }],
  'ndjson-path': ['ndjson', { textPath: 'delta' }],
};

const HELLO_CUT: Wanted = { text: 'Hel' };

const WANTED: Record<string, Wanted> = {
  'openai-chat.plain.sse': { text: 'Hello 世界', usage: [7, 4, 0, 3], raw: 'stop' },
  'openai-chat.filter-results-first.sse': { text: 'ok', raw: 'stop' },
  'openai-chat.newline-before-reasoning.sse': {
    text: '\n好',
    thinking: '想一想',
    calls: [['get', '{"city":"北京"}']],
    usage: [7, 4, 2],
    raw: 'tool_calls',
  },
  'openai-chat.odd-framing.sse': { text: 'a\u2028bcd', raw: 'stop' },
  'openai-chat.bare-cr.sse': { text: 'one two', raw: 'stop' },
  'openai-chat.last-chunk-has-all.sse': {
    text: 'Bonjour',
    thinking: 'Hm',
    calls: [
      ['get', '{"x":1}'],
      ['put', '{}'],
    ],
    usage: [7, 4],
    raw: 'tool_calls',
  },
  'openai-chat.two-calls-at-index-0.sse': {
    calls: [
      ['f', '{"n":1}'],
      ['g', '{}'],
    ],
    raw: 'tool_calls',
  },
  'openai-chat.error-in-band.sse': { ...HELLO_CUT, error: 'engine died' },
  'openai-chat.error-event.sse': { ...HELLO_CUT, error: 'tool use failed' },
  'openai-chat.error-line.sse': { ...HELLO_CUT, error: 'failed to decode' },
  'openai-chat.error-object.sse': { ...HELLO_CUT, error: 'out of memory' },
  'openai-chat.error-bare-line.sse': { ...HELLO_CUT, error: 'upstream timed out' },
  'openai-chat.error-beside-choices.sse': { text: 'Hello', error: 'provider disconnected' },
  'openai-chat.cut.sse': { ...HELLO_CUT, unknown: ['incomplete'] },
  'openai-chat.no-done.sse': { text: 'Hi', raw: 'stop' },
  'openai-chat.no-finish.sse': { text: 'Hi', raw: null },
  'openai-chat.no-blank-line.sse': { text: 'Hi', raw: 'stop' },
  'openai-chat.usage-everywhere.sse': { text: 'abc', usage: [3, 3], raw: 'stop' },
  'openai-chat.two-choices.sse': { text: 'first', raw: 'stop', unknown: ['choice'] },
  'openai-chat.after-the-end.sse': { text: 'Hi', raw: 'stop', unknown: ['after-end'] },
  'openai-chat.broken-json.sse': { text: 'ab', raw: 'stop', malformed: true },
  'openai-chat.many-names-of-reasoning.sse': { text: 'd', thinking: 'abc', raw: 'stop' },
  'openai-chat.function-call.sse': { calls: [['f', '{}']], raw: 'function_call' },
  // xAI and gateways before it: the total shows that reasoning is not inside the completion tokens.
  'openai-chat.reasoning-outside.sse': { text: '101', usage: [12, 291, 290, 11], raw: 'stop' },
  'openai-chat.usage-beside-error.sse': { text: 'Hi', usage: [7, 3], error: 'upstream died' },
  'openai-chat.implausible-counts.sse': {
    text: 'Hi',
    usage: [7, undefined],
    raw: 'stop',
    refused: ['output tokens 1e+308', 'reasoning tokens -4', 'cached input tokens 9 of 7 input tokens'],
  },
  'openai-chat.audio.sse': {
    text: 'Hello',
    media: [
      ['audio', 'AAAA'],
      ['audio', 'BBBB'],
    ],
    usage: [7, 20],
    raw: 'stop',
  },
  'openai-chat.cumulative-message.sse': { text: 'Ruby is', usage: [8, 2], raw: 'stop' },
  'openai-chat.unopened-think.sse': {
    text: '\n\n42',
    thinking: 'Six times seven',
    usage: [9, 9],
    raw: 'stop',
  },
  'openai-completions.plain.sse': { text: ' a b', raw: 'length' },
  'anthropic.thinking-and-tool.sse': {
    text: 'Let me',
    thinking: 'Hm',
    calls: [['now', '']],
    usage: [13, 21, undefined, 4],
    raw: 'tool_use',
  },
  'anthropic.overloaded.sse': { ...HELLO_CUT, usage: [13, 1, undefined, 4], error: 'Overloaded' },
  'anthropic.server-tool.sse': {
    text: 'Found',
    usage: [34, 5, undefined, 4],
    raw: 'end_turn',
    serverCalls: [['web_search', '{"q":1}']],
  },
  'anthropic.thinking-tokens.sse': { text: '42', thinking: 'Hm', usage: [9, 99, 28], raw: 'end_turn' },
  'gemini.thoughts-and-call.sse': {
    text: 'Hi ',
    thinking: 'Plan',
    calls: [['get', '{"a":1}']],
    usage: [5, 5, 3],
    raw: 'STOP',
  },
  'gemini.prompt-blocked.sse': { usage: [5, undefined], raw: 'PROHIBITED_CONTENT' },
  'gemini.enum-numbers.sse': { text: 'Hi', usage: [5, 2], raw: 'MAX_TOKENS' },
  'gemini.image-and-code.sse': {
    media: [['image', 'iVBORw0K']],
    serverCalls: [['code_execution', 'print(1)']],
    usage: [5, 2],
    raw: 'STOP',
    unknown: ['codeExecutionResult'],
  },
  'gemini.cut.sse': { text: 'Hal', usage: [5, 5, 3] },
  'gemini-array.pretty.json': { text: 'A "quoted" ]} {[ text\\ end', usage: [5, 5, 3], raw: 'MAX_TOKENS' },
  'gemini-array.error.json': { error: 'The model is overloaded.' },
  'ollama-chat.thinking-and-tool.ndjson': {
    text: '天',
    thinking: 'Hm',
    calls: [
      ['get', '{"city":"Ōsaka"}'],
      ['put', '{}'],
    ],
    usage: [26, 8],
    raw: 'stop',
  },
  'ollama-chat.error.ndjson': { ...HELLO_CUT, error: 'an error was encountered while running the model' },
  'ollama-chat.cut.ndjson': { ...HELLO_CUT, unknown: ['incomplete'] },
  'ollama-generate.plain.ndjson': { text: 'Hi', usage: [undefined, 1], raw: 'length' },
  'openai-responses.call-only-when-done.sse': {
    thinking: 'Hm',
    calls: [['get', '{"a":1}']],
    usage: [4, 6, 5, 1],
    raw: 'completed',
  },
  'openai-responses.built-in-calls.sse': {
    calls: [
      ['apply_patch_call', '{"type":"update_file","path":"a.py","diff":"@@\\n-a\\n+b"}'],
      ['local_shell_call', '{"type":"exec","command":["ls","-l"],"env":{}}'],
      ['shell_call', '{"commands":["ls","pwd"]}'],
      ['apply_patch_call', '{"type":"delete_file","path":"c.py"}'],
    ],
    usage: [4, 60],
    raw: 'completed',
  },
  'openai-responses.server-calls.sse': {
    serverCalls: [
      ['code_interpreter_call', 'print(1)'],
      ['ask', '{"q":1}'],
    ],
    media: [
      ['image', 'PART'],
      ['image', 'WHOLE'],
    ],
    usage: [4, 60],
    raw: 'completed',
  },
  'openai-responses.failed.sse': { ...HELLO_CUT, error: 'You have no quota left' },
  'openai-responses.incomplete-refusal.sse': { text: 'I cannot', raw: 'incomplete:content_filter' },
  'cohere.plan-and-call.sse': {
    thinking: 'I will look',
    calls: [['get', '{"a":1}']],
    usage: [90, 12],
    raw: 'TOOL_CALL',
  },
  'cohere.reasoning.sse': { text: '42', thinking: 'Hm', usage: [14, 27, 24, 13], raw: 'COMPLETE' },
  'tgi.no-space.sse': { text: 'Hi', usage: [5, 2], raw: 'eos_token' },
  'tgi.error.sse': { text: 'Hi', error: 'Request failed during generation: CUDA out of memory' },
  'bedrock-converse.plain.bin': { text: 'Ça va', thinking: 'Hm', usage: [8, 10], raw: 'max_tokens' },
  'bedrock-converse.throttled.bin': { text: 'Ça va', thinking: 'Hm', error: 'Too many requests' },
  'bedrock-converse.error-message.bin': { text: 'Ça va', thinking: 'Hm', error: 'it broke' },
  'bedrock-converse.bad-checksum.bin': { thinking: 'Hm', malformed: true },
  'bedrock-converse.cut.bin': { thinking: 'Hm', unknown: ['incomplete'] },
  'ai-sdk-ui.error.sse': { ...HELLO_CUT, error: 'it broke' },
  'ai-sdk-ui.tool.sse': {
    text: 'Done',
    thinking: 'Hm',
    calls: [['get', '{"a":1}']],
    usage: [3, 4],
    raw: 'stop',
    unknown: ['data-weather'],
  },
  'ai-sdk-ui.version-7.sse': {
    text: 'Done',
    serverCalls: [['search', '{"a":1}']],
    media: [['image', 'data:image/png;base64,AA==']],
    usage: [30, 40, 25, 10],
    raw: 'stop',
  },
  'ag-ui.tool.sse': { text: '18 degrees', calls: [['get', '{"a":1}']], usage: [13, 9, 2], raw: null },
  'dify.chat.sse': { text: '你好', usage: [5, 2], raw: null },
  'dify.workflow.sse': { text: 'Hi', raw: 'succeeded' },
  'dify.error.sse': { ...HELLO_CUT, error: 'Your quota is used up' },
  'conversation.plain.sse': { text: 'Hi', thinking: 'Hm', calls: [['get', '{"a":1}']], raw: null },
  'agent.steps.sse': { text: 'Let me', calls: [['get', '{"a":1}']], raw: null },
  'agent.error.sse': { ...HELLO_CUT, error: 'the agent gave up' },
  'playground.think-tags.sse': { text: 'Yes', thinking: 'Hm so', raw: null },
  'playground.error.sse': { ...HELLO_CUT, error: 'the model is gone' },
  'sse.named-events.sse': { text: 'Once upon\na time', raw: null, unknown: ['ping'] },
  'sse.error-event.sse': { ...HELLO_CUT, error: 'it broke' },
  'sse-path.deltas.sse': { text: 'xy', raw: null, unknown: [undefined] },
  'ndjson-path.lines.ndjson': { text: 'xy', raw: null, unknown: [undefined] },
};

function summary(events: readonly StreamEvent[]): Wanted {
  const { text, thinking, calls, usage, complete } = gather(events);
  const errors = events.filter((event) => event.type === 'error');
  const unknown = events.filter((event) => event.type === 'unknown').map((event) => event.name);
  const failure = errors.find((event) => event.malformed !== true);
  const wanted: Wanted = {};
  if (text !== '') wanted.text = text;
  if (thinking !== '') wanted.thinking = thinking;
  if (calls.length > 0) wanted.calls = calls.map((call) => [call.name ?? '', call.arguments]);
  if (usage !== undefined) {
    const { inputTokens, outputTokens, reasoningTokens, cachedInputTokens } = usage;
    wanted.usage = [inputTokens, outputTokens, reasoningTokens, cachedInputTokens];
  }
  if (complete !== undefined) wanted.raw = complete.raw ?? null;
  if (failure !== undefined) wanted.error = failure.message;
  if (errors.some((event) => event.malformed === true)) wanted.malformed = true;
  if (unknown.length > 0) wanted.unknown = unknown;
  const media = events.flatMap((event) => (event.type === 'media' ? [event] : []));
  if (media.length > 0) wanted.media = media.map(({ kind, data }) => [kind, data]);
  const served = serverCalls(events);
  if (served.length > 0) wanted.serverCalls = served;
  if (usage?.refused !== undefined) wanted.refused = [...usage.refused];
  return wanted;
}

function serverCalls(events: readonly StreamEvent[]): [string, string][] {
  const calls: [string, string][] = [];
  for (const event of events) {
    if (event.type !== 'server_tool_call') continue;
    calls[event.index] ??= [event.name ?? '', ''];
    calls[event.index]![1] += event.arguments;
  }
  return calls;
}

test('every file has its expectation', () => {
  expect(readdirSync(DIRECTORY).sort()).toEqual(Object.keys(WANTED).sort());
});

describe.each(Object.entries(WANTED))('%s', (file, wanted) => {
  const stem = file.split('.')[0]!;
  const [name, options] = OPTIONS[stem] ?? [stem, {}];
  const dialect = getDialect(name, options);
  const bytes = readFileSync(join(DIRECTORY, file));
  const whole = decodeReads(dialect, [bytes]);

  test('decodes to the expected events', () => {
    const { usage = [], ...rest } = summary(whole);
    const { usage: counts = [], ...others } = wanted;
    expect(rest).toEqual(others);
    expect([0, 1, 2, 3].map((i) => usage[i])).toEqual([0, 1, 2, 3].map((i) => counts[i]));
  });

  test('ends once and last, and not after an error', () => {
    const told = whole.filter((event) => event.type !== 'unknown');
    const at = told.findIndex((event) => event.type === 'complete');
    if (at !== -1) expect(at).toBe(told.length - 1);
  });

  test('decodes to the same events for any split', () => {
    for (let at = 0; at <= bytes.length; at++) {
      expect(decodeReads(dialect, cut(bytes, [at])), `cut at ${at}`).toEqual(whole);
    }
  });
});

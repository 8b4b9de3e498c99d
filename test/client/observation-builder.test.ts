import { describe, expect, test } from 'vitest';
import { ObservationBuilder } from '../../src/client/observation-builder.ts';
import { metric } from '../../src/metrics/definitions.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import type { Mode, Observation, RequestRecord } from '../../src/model/record.ts';
import { createRedactor } from '../../src/model/redaction/redactor.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { readFrames } from '../wire/streams.ts';

// What is recorded of an answer, from events at given times: no clock and no socket.

/** Events with the time at which the read that brought them was stamped. */
type Timed = readonly [atMs: number, ...events: StreamEvent[]];

function observe(
  timed: readonly Timed[],
  { mode = 'streaming' as Mode, keepText = false } = {},
): Observation {
  const fold = new ObservationBuilder({
    ...{ keepText, scheduledAt: 0, startedAt: 0, originAt: 0 },
    request: { mode, dialect: 'openai-chat', framing: 'sse', method: 'POST' },
    redactor: createRedactor([{ name: '***', value: 'sk-secret' }]),
  });
  fold.onSent(0);
  fold.onHeaders(1, 200, {});
  for (const [index, [atMs, ...events]] of timed.entries()) {
    fold.onFrame(events, atMs, fold.onRead(atMs, Buffer.from('data: {}\n\n'), index + 1));
  }
  const endMs = timed.at(-1)?.[0] ?? 1;
  return fold.finish(endMs, { kind: 'eof' });
}

function valueIn(name: string, observation: Observation): unknown {
  const record = {
    ...{ schema: 'streambench/record@1', seq: 0, round: 0, target: 't', prompt: 'p', concurrency: 1 },
    ...observation,
  } as RequestRecord;
  return metric(name).values(record, { stallMs: 1000 });
}

const text = (chars: number): StreamEvent => ({ type: 'message_chunk', text: 'a'.repeat(chars) });
const thinking = (chars: number): StreamEvent => ({ type: 'thinking', text: 't'.repeat(chars) });
const usage = (outputTokens: number, reasoningTokens?: number): StreamEvent => ({
  ...{ type: 'usage', inputTokens: 5, outputTokens },
  ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
});
const DONE: StreamEvent = { type: 'complete', finish: 'stop' };

/** Pieces `everyMs` apart, of 4 characters each. */
function pieces(count: number, fromMs: number, everyMs: number, make = text): Timed[] {
  return Array.from({ length: count }, (_, i) => [fromMs + i * everyMs, make(4)] as const);
}

test('the first million gaps are kept, the others are counted', () => {
  const fold = new ObservationBuilder({
    ...{ keepText: false, scheduledAt: 0, startedAt: 0, originAt: 0 },
    request: { mode: 'streaming', dialect: 'openai-chat', framing: 'sse', method: 'POST' },
    redactor: createRedactor([]),
  });
  const events: StreamEvent[] = [{ type: 'message_chunk', text: 'a' }];
  for (let read = 0; read <= 1_000_005; read++) fold.onFrame(events, read, read);
  const seen = fold.finish(2_000_000, { kind: 'eof' });
  expect([seen.gaps.length, seen.gapsLeftOut, seen.contentEvents]).toEqual([1_000_000, 5, 1_000_006]);
});

describe('the speed that a reader sees', () => {
  test('excludes reasoning that is not sent', () => {
    const seen = observe([...pieces(50, 20_000, 20), [21_000, usage(1050, 1000), DONE]]);
    expect(seen.tokens).toEqual({
      ...{ output: 1050, source: 'usage', input: 5, reasoning: 1000, hiddenReasoning: 1000, first: 1 },
    });
    expect(valueIn('token_rate', seen)).toBeCloseTo(50, 6);
    expect(valueIn('tpot', seen)).toBeCloseTo(20, 6);
    expect(valueIn('hidden_reasoning', seen)).toBe(1000);
    // All of it, over all of the time: what the provider did.
    expect(valueIn('output_rate', seen)).toBeCloseTo(1050 / 20.98, 6);
  });

  test('includes reasoning that is sent', () => {
    const thoughts = pieces(1000, 1000, 20, thinking);
    const seen = observe([...thoughts, ...pieces(50, 21_000, 20), [22_000, usage(1050, 1000), DONE]]);
    expect(seen.tokens).toMatchObject({ hiddenReasoning: 0, first: 1 });
    expect(seen.tokens).not.toHaveProperty('visibleAfterMs');
    expect(valueIn('token_rate', seen)).toBeCloseTo(50, 6);
  });

  test('excludes the text and the time of a summary', () => {
    const summary: Timed[] = [
      [2000, thinking(60)],
      [9000, thinking(60)],
      [19_000, thinking(60)],
    ];
    const seen = observe([...summary, ...pieces(50, 20_000, 20), [21_000, usage(1050, 1000), DONE]]);
    expect(seen.tokens).toMatchObject({ hiddenReasoning: 1000, first: 1, visibleAfterMs: 18_000 });
    expect(valueIn('token_rate', seen)).toBeCloseTo(50, 6);
    expect(valueIn('ttft', seen)).toBe(2000);
    expect(valueIn('ttfa', seen)).toBe(20_000);
  });

  test('a summary and the start of the answer in one read', () => {
    const both: Timed = [20_000, thinking(60), text(4)];
    const seen = observe([both, ...pieces(49, 20_020, 20), [21_000, usage(1050, 1000), DONE]]);
    expect(seen.tokens).toMatchObject({ first: 1, visibleAfterMs: 0 });
    expect(valueIn('token_rate', seen)).toBeCloseTo(50, 6);
  });

  test('after hidden reasoning, a tool call counts as the answer', () => {
    const call = (): StreamEvent => ({ type: 'tool_call', index: 0, arguments: 'abcd' });
    const seen = observe([...pieces(50, 20_000, 20, call), [21_000, usage(1050, 1000), DONE]]);
    expect(valueIn('token_rate', seen)).toBeCloseTo(50, 6);
  });

  test('a summary with nothing after it has no speed', () => {
    const seen = observe([
      [2000, thinking(60)],
      [9000, thinking(60), usage(1000, 1000), { type: 'complete', finish: 'length' }],
    ]);
    expect(seen.tokens.hiddenReasoning).toBe(1000);
    expect(valueIn('token_rate', seen)).toBeNull();
  });

  test('hidden reasoning is unknown if the provider does not count reasoning', () => {
    const seen = observe([...pieces(50, 1000, 20), [2000, usage(50), DONE]]);
    expect(seen.tokens).not.toHaveProperty('hiddenReasoning');
    expect(valueIn('hidden_reasoning', seen)).toBeNull();
    expect(valueIn('token_rate', seen)).toBeCloseTo(50, 6);
  });

  test('without usage the events are counted', () => {
    const seen = observe([...pieces(50, 1000, 20), [2000, DONE]]);
    expect(seen.tokens).toEqual({ output: 50, source: 'chunks', first: 1 });
  });

  test('a whole answer with hidden reasoning', () => {
    const seen = observe([[9000, text(80), usage(1020, 1000), DONE]], { mode: 'non-streaming' });
    expect(seen.tokens).toMatchObject({ output: 1020, hiddenReasoning: 1000 });
    expect(valueIn('hidden_reasoning', seen)).toBe(1000);
    expect(valueIn('token_rate', seen)).toBeNull();
  });
});

test('an answer that begins inside its reasoning is corrected at the end of the reasoning', () => {
  const seen = observe(
    [
      [100, text(40)],
      [120, text(40)],
      [140, text(8), { type: 'answer_start', strip: 4 }, { type: 'message_chunk', text: 'Yes' }],
      [160, text(4), usage(30, 20), DONE],
    ],
    { keepText: true },
  );
  expect(seen.marks).toMatchObject({ firstToken: 100, firstAnswer: 140, lastToken: 160 });
  expect(seen.chars).toEqual({ answer: 7, thinking: 84 });
  expect(seen).toMatchObject({ text: 'Yesaaaa', thinking: 'a'.repeat(84), contentEvents: 4 });
  expect(seen.tokens.hiddenReasoning).toBe(0);
});

test('the end of the reasoning without any answer yet', () => {
  const seen = observe([
    [100, text(40)],
    [120, { type: 'answer_start', strip: 0 }, DONE],
  ]);
  expect(seen.marks.firstAnswer).toBeUndefined();
  expect(seen.chars).toEqual({ answer: 0, thinking: 40 });
});

test('audio, images and server tool calls are content', () => {
  const seen = observe([
    [100, { type: 'server_tool_call', index: 0, name: 'python', arguments: 'print(1)' }],
    [200, { type: 'media', kind: 'image', data: 'AAAA' }],
    [300, usage(20), DONE],
  ]);
  expect(seen.outcome).toEqual({ kind: 'ok' });
  expect(seen).toMatchObject({
    contentEvents: 2,
    marks: { firstToken: 100, firstAnswer: 200, lastToken: 200 },
  });
});

test('an answer of hidden reasoning alone has a hint', () => {
  const cut: StreamEvent = { type: 'complete', finish: 'length', raw: 'length' };
  expect(observe([[100, usage(256, 256), cut]]).outcome).toMatchObject({
    kind: 'empty',
    message: expect.stringContaining('256 reasoning tokens'),
    hint: expect.stringContaining('raise max tokens'),
  });
  expect(observe([[100, usage(256, 256), DONE]]).outcome.hint).toBeUndefined();
  expect(observe([[100, DONE]]).outcome.message).toBe('the answer ended properly (stop) but had no content');
});

test('refused counts are kept, without secrets', () => {
  const seen = observe([
    [100, text(4), { type: 'usage', inputTokens: 5, refused: ['output tokens sk-secret'] }, DONE],
  ]);
  expect(seen.tokens).toMatchObject({ source: 'chunks', refused: ['output tokens ***'] });
});

test('a stream with hidden reasoning, decoded from its bytes', () => {
  const dialect = getDialect('openai-chat');
  const chunk = (delta: object, more: object = {}) =>
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason: null }], ...more })}\n\n`;
  const counts = {
    ...{ prompt_tokens: 5, completion_tokens: 1050, total_tokens: 1055 },
    completion_tokens_details: { reasoning_tokens: 1000 },
  };
  const bytes = [
    ...Array.from({ length: 50 }, (_, i) => chunk({ content: `w${10 + i} ` })),
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], usage: counts })}\n\n`,
    'data: [DONE]\n\n',
  ];
  const decoder = dialect.decoder();
  const timed = bytes.map((piece, i): Timed => {
    const frames = readFrames(dialect, [Buffer.from(piece)]);
    return [20_000 + 20 * i, ...frames.flatMap((frame) => [...decoder.decode(frame)])];
  });
  const rate = valueIn('token_rate', observe(timed));
  expect(rate).toBeCloseTo(50, 6);
});

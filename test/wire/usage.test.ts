import { describe, expect, test } from 'vitest';
import type { UsageEvent } from '../../src/model/events.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { type StatedCounts, UsageCounts } from '../../src/wire/usage.ts';
import { decodeReads } from './streams.ts';

function event(...stated: StatedCounts[]): UsageEvent | undefined {
  const counts = new UsageCounts();
  for (const one of stated) counts.add(one);
  return counts.event();
}

describe('counts', () => {
  test('the last value of each holds', () => {
    expect(event({ inputTokens: 7, outputTokens: 1 }, { outputTokens: 4 }, { outputTokens: null })).toEqual({
      type: 'usage',
      inputTokens: 7,
      outputTokens: 4,
    });
  });

  test('zeros are not usage', () => {
    expect(event({ inputTokens: 0, outputTokens: 0 })).toBeUndefined();
    expect(event()).toBeUndefined();
  });

  test.each<[string, StatedCounts, number | undefined, number | undefined]>([
    ['inside, by the total', { reasoningTokens: 10, totalTokens: 27 }, 20, 10],
    ['outside, by the total', { reasoningTokens: 10, totalTokens: 37 }, 30, 10],
    ['outside, and more of it than output', { reasoningTokens: 290, totalTokens: 317 }, 310, 290],
    ['outside, by the dialect', { reasoningTokens: 10, reasoningOutside: true }, 30, 10],
    ['no total: inside', { reasoningTokens: 10 }, 20, 10],
    ['a total that fits neither: inside', { reasoningTokens: 10, totalTokens: 99 }, 20, 10],
    ['none', { reasoningTokens: 0, totalTokens: 27 }, 20, 0],
  ])('reasoning is %s', (_, more, output, reasoning) => {
    expect(event({ inputTokens: 7, outputTokens: 20, ...more })).toEqual({
      type: 'usage',
      inputTokens: 7,
      outputTokens: output,
      reasoningTokens: reasoning,
    });
  });

  test('reasoning outside of an output that is not stated is the output', () => {
    expect(event({ inputTokens: 7, reasoningTokens: 5, reasoningOutside: true })).toMatchObject({
      outputTokens: 5,
    });
  });

  test.each<[StatedCounts, string]>([
    [{ outputTokens: 1e308 }, 'output tokens 1e+308'],
    [{ outputTokens: -5 }, 'output tokens -5'],
    [{ outputTokens: 1.5 }, 'output tokens 1.5'],
    [{ outputTokens: 1_000_000_001 }, 'output tokens 1000000001'],
    [{ outputTokens: Number.POSITIVE_INFINITY }, 'output tokens Infinity'],
    [{ outputTokens: '12' }, 'output tokens 12'],
    [{ outputTokens: { a: [1] } }, 'output tokens {"a":[1]}'],
    [{ inputTokens: -1 }, 'input tokens -1'],
    [{ cachedInputTokens: -1 }, 'cached input tokens -1'],
    [{ totalTokens: -1 }, 'total tokens -1'],
    [{ reasoningTokens: 21 }, 'reasoning tokens 21 of 20 output tokens'],
    [{ cachedInputTokens: 8 }, 'cached input tokens 8 of 7 input tokens'],
  ])('%j is refused and reported', (stated, refused) => {
    const good = { inputTokens: 7, outputTokens: 20 };
    const [name] = Object.keys(stated) as (keyof StatedCounts)[];
    const counts = new UsageCounts();
    counts.add({ ...good, ...stated });
    const told = counts.event()!;
    expect(told.refused).toEqual([refused]);
    expect(told).not.toHaveProperty(name!);
  });

  test('a value that is refused does not replace the one before', () => {
    expect(event({ outputTokens: 4 }, { outputTokens: -1 })).toMatchObject({ outputTokens: 4 });
  });

  test('where cached input is counted apart, it may be more than the input', () => {
    expect(event({ inputTokens: 1, cachedInputTokens: 3068, cachedOutside: true })).toMatchObject({
      cachedInputTokens: 3068,
    });
  });

  test('a stream that refuses in every chunk names a few', () => {
    const many = Array.from({ length: 100 }, (_, i): StatedCounts => ({ outputTokens: -i - 1 }));
    expect(event(...many)!.refused).toHaveLength(5);
  });
});

const CUT: [string, string][] = [
  [
    'openai-chat',
    'data: {"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}\n\n' +
      'data: {"error":{"message":"died"}}\n\n',
  ],
  [
    'anthropic',
    'data: {"type":"message_start","message":{"usage":{"input_tokens":3,"output_tokens":1}}}\n\n' +
      'data: {"type":"error","error":{"type":"overloaded_error","message":"died"}}\n\n',
  ],
  [
    'openai-responses',
    'data: {"type":"response.failed","response":{"status":"failed","error":{"message":"died"},"usage":{"input_tokens":3,"output_tokens":1}}}\n\n',
  ],
  [
    'gemini',
    'data: {"candidates":[],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1}}\n\n' +
      'data: {"error":{"message":"died"}}\n\n',
  ],
  [
    'cohere',
    'data: {"type":"message-end","delta":{"error":"died","usage":{"tokens":{"input_tokens":3,"output_tokens":1}}}}\n\n',
  ],
  [
    'conversation',
    'data: {"type":"usage","input_tokens":3,"output_tokens":1}\n\ndata: {"type":"error","message":"died"}\n\n',
  ],
];

describe('the usage of a failed answer is reported before the failure', () => {
  test.each(CUT)('%s', (dialect, stream) => {
    const events = decodeReads(getDialect(dialect), [Buffer.from(stream)]);
    expect(events.slice(-2)).toMatchObject([
      { type: 'usage', inputTokens: 3, outputTokens: 1 },
      { type: 'error', message: 'died' },
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import { getDialect } from '../../src/wire/dialects/index.ts';

/** The last usage that a dialect's decoder gives for these payloads. */
function usageOf(dialect: string, payloads: readonly object[]) {
  const decoder = getDialect(dialect).decoder();
  const events = [
    ...payloads.flatMap((payload) => decoder.decode({ data: JSON.stringify(payload) })),
    ...decoder.end(),
  ];
  return events.filter((event) => event.type === 'usage').at(-1);
}

const STOP = { type: 'message_stop' };
const start = (usage: object) => ({ type: 'message_start', message: { id: 'm', model: 'm', usage } });
const delta = (usage: object) => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage });

describe('input tokens include cached tokens, for every provider', () => {
  test('Anthropic counts the three kinds separately', () => {
    const counts = { input_tokens: 3, cache_read_input_tokens: 1980, cache_creation_input_tokens: 17 };
    expect(
      usageOf('anthropic', [start({ ...counts, output_tokens: 1 }), delta({ output_tokens: 9 }), STOP]),
    ).toEqual({
      ...{ type: 'usage', inputTokens: 2000, cachedInputTokens: 1980, outputTokens: 9 },
    });
    // What a later payload repeats is not added, also where it repeats a part only.
    expect(
      usageOf('anthropic', [start(counts), delta({ input_tokens: 3, output_tokens: 9 }), STOP]),
    ).toMatchObject({ inputTokens: 2000, cachedInputTokens: 1980 });
    expect(
      usageOf('anthropic', [start({ input_tokens: 49 }), delta({ output_tokens: 5 }), STOP]),
    ).toMatchObject({
      inputTokens: 49,
    });
    const whole = JSON.stringify({
      ...start(counts).message,
      type: 'message',
      content: [],
      usage: { ...counts, output_tokens: 9 },
    });
    expect(getDialect('anthropic').decodeWhole(whole)).toContainEqual(
      expect.objectContaining({ type: 'usage', inputTokens: 2000, cachedInputTokens: 1980 }),
    );
  });

  test('Bedrock counts as Anthropic does', () => {
    const usage = {
      ...{ inputTokens: 12, cacheReadInputTokens: 1028, cacheWriteInputTokens: 10 },
      ...{ outputTokens: 250, totalTokens: 1300 },
    };
    const whole = {
      output: { message: { role: 'assistant', content: [{ text: 'x' }] } },
      stopReason: 'end_turn',
      usage,
    };
    expect(getDialect('bedrock-converse').decodeWhole(JSON.stringify(whole))).toContainEqual(
      expect.objectContaining({
        type: 'usage',
        inputTokens: 1050,
        cachedInputTokens: 1028,
        outputTokens: 250,
      }),
    );
  });

  test('OpenAI, DeepSeek, Gemini and Cohere include them', () => {
    const choice = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
    for (const cached of [
      { prompt_tokens_details: { cached_tokens: 1984 } },
      { prompt_cache_hit_tokens: 1984 },
    ]) {
      const usage = { prompt_tokens: 2000, completion_tokens: 3, ...cached };
      expect(usageOf('openai-chat', [{ ...choice, usage }])).toMatchObject({
        inputTokens: 2000,
        cachedInputTokens: 1984,
      });
    }
    const usageMetadata = { promptTokenCount: 2000, candidatesTokenCount: 3, cachedContentTokenCount: 1984 };
    expect(
      usageOf('gemini', [{ candidates: [{ finishReason: 'STOP', content: { parts: [] } }], usageMetadata }]),
    ).toMatchObject({ inputTokens: 2000, cachedInputTokens: 1984 });
  });
});

test('the encoders write the counts as their provider does', () => {
  const usage = { type: 'usage', inputTokens: 2000, cachedInputTokens: 1984, outputTokens: 3 } as const;
  const whole = (dialect: string) =>
    JSON.parse(getDialect(dialect).encodeWhole([usage], { id: 'i', model: 'm', createdSeconds: 0 }).body)
      .usage;
  expect(whole('anthropic')).toMatchObject({ input_tokens: 16, cache_read_input_tokens: 1984 });
  expect(whole('bedrock-converse')).toMatchObject({ inputTokens: 16, cacheReadInputTokens: 1984 });
});

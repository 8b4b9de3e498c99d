import { describe, expect, test } from 'vitest';
import { getDialect } from '../../../src/wire/dialects/index.ts';

function decodeAll(payloads: readonly object[]) {
  const decoder = getDialect('conversation').decoder();
  return [
    ...payloads.flatMap((payload) => decoder.decode({ data: JSON.stringify(payload) })),
    ...decoder.decode({ data: '[DONE]' }),
    ...decoder.end(),
  ];
}

// Written by hand, in the order in which two answers at once may be sent.
const BATCH = [
  { prompt_id: 'a', type: 'start', id: 'msg_1', model: 'm' },
  { prompt_id: 'b', type: 'start', id: 'msg_2', model: 'm' },
  { prompt_id: 'a', type: 'message_chunk', content: 'A1' },
  { prompt_id: 'b', type: 'message_chunk', content: 'B1' },
  { prompt_id: 'a', type: 'usage', input_tokens: 10, output_tokens: 2 },
  { prompt_id: 'a', type: 'complete', finish_reason: 'stop' },
  { prompt_id: 'b', type: 'message_chunk', content: 'B2' },
];

describe('a batch', () => {
  test('ends with its last answer, not with its first; its token counts are sums', () => {
    const events = decodeAll([
      ...BATCH,
      { prompt_id: 'b', type: 'usage', input_tokens: 20, output_tokens: 5 },
      { prompt_id: 'b', type: 'complete', finish_reason: 'stop' },
      {
        type: 'batch_complete',
        results: [
          { prompt_id: 'a', status: 'ok' },
          { prompt_id: 'b', status: 'ok' },
        ],
      },
    ]);
    expect(events.filter(({ type }) => type === 'message_chunk')).toHaveLength(3);
    expect(events.filter(({ type }) => type === 'step_complete')).toHaveLength(2);
    expect(events.slice(-2)).toEqual([
      { type: 'usage', inputTokens: 30, outputTokens: 7 },
      { type: 'complete', finish: 'stop' },
    ]);
  });

  test('fails when one of its prompts failed, after the text of the others', () => {
    const events = decodeAll([
      ...BATCH.slice(0, 6),
      { prompt_id: 'b', type: 'error', message: 'overloaded', code: 'overloaded' },
      { prompt_id: 'c', type: 'message_chunk', content: 'C1' },
      {
        type: 'batch_complete',
        results: [
          { prompt_id: 'a', status: 'ok' },
          { prompt_id: 'b', status: 'failed' },
        ],
      },
    ]);
    expect(events.filter(({ type }) => type === 'message_chunk')).toHaveLength(3);
    expect(events.at(-1)).toEqual({ type: 'error', code: 'batch_failed', message: '1 of 2 prompts failed' });
  });

  test('without its last event is truncated', () => {
    const decoder = getDialect('conversation').decoder();
    const events = BATCH.flatMap((payload) => decoder.decode({ data: JSON.stringify(payload) }));
    expect([...events, ...decoder.end()].some(({ type }) => type === 'complete')).toBe(false);
  });
});

import { describe, expect, test } from 'vitest';
import { AnswerNormalizer } from '../../src/gateway/normalizer.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';

function normal(dialect: string, events: readonly StreamEvent[]) {
  const lost: StreamEvent[] = [];
  const normalizer = new AnswerNormalizer({
    dialect: getDialect(dialect),
    id: 'a',
    onLost: (event) => lost.push(event),
  });
  const out = events.flatMap((event) => [...normalizer.push(event)]);
  return { out: [...out, ...normalizer.end()], lost };
}

const call = (index: number, args: string, name?: string): StreamEvent => ({
  type: 'tool_call',
  index,
  ...(name === undefined ? {} : { name, id: `id${index}` }),
  arguments: args,
});
const DONE: StreamEvent = { type: 'complete', finish: 'stop', raw: 'stop' };

describe('the events of an answer for another dialect', () => {
  test('begin with a start, once, where the dialect has one', () => {
    const text: StreamEvent = { type: 'message_chunk', text: 'hi' };
    expect(normal('anthropic', [text, DONE]).out.map(({ type }) => type)).toEqual([
      'start',
      'message_chunk',
      'complete',
    ]);
    expect(normal('anthropic', [{ type: 'start' }, { type: 'start' }, DONE]).out).toHaveLength(2);
    expect(normal('sse', [{ type: 'start' }, text, DONE]).out.map(({ type }) => type)).toEqual([
      'message_chunk',
      'complete',
    ]);
  });

  test('give each tool call an id on its first piece', () => {
    const piece: StreamEvent = { type: 'tool_call', index: 0, name: 'f', arguments: '{}' };
    const { out } = normal('openai-chat', [piece, call(0, ''), DONE]);
    expect(out.slice(1, 3)).toMatchObject([{ id: 'a_call_0' }, { arguments: '' }]);
    expect(out[2]).not.toHaveProperty('id');
  });

  test('keep the pieces of one call together, unless the dialect can mix them', () => {
    const mixed = [call(0, '{"a"', 'f'), call(1, '{"b"', 'g'), call(0, ':1}'), call(1, ':2}'), DONE];
    const pieces = (dialect: string) =>
      normal(dialect, mixed).out.flatMap((event) =>
        event.type === 'tool_call' ? [`${event.index} ${event.arguments}`] : [],
      );
    expect(pieces('anthropic')).toEqual(['0 {"a"', '0 :1}', '1 {"b"', '1 :2}']);
    expect(pieces('openai-chat')).toEqual(['0 {"a"', '1 {"b"', '0 :1}', '1 :2}']);
  });

  test('pass a second call on as it arrives once the first one is complete', () => {
    const lost: StreamEvent[] = [];
    const normalizer = new AnswerNormalizer({
      dialect: getDialect('anthropic'),
      id: 'a',
      onLost: (event) => lost.push(event),
    });
    normalizer.push({ type: 'start' });
    normalizer.push(call(0, '{"a":1}', 'f'));
    expect(normalizer.push(call(1, '{"b"', 'g'))).toHaveLength(1);
    expect(normalizer.push(call(1, ':2}'))).toHaveLength(1);
  });

  test('give a call without arguments an empty object', () => {
    const calls = [call(0, '', 'f'), call(1, '', 'g'), DONE];
    for (const dialect of ['anthropic', 'openai-chat']) {
      const { out } = normal(dialect, calls);
      for (const index of [0, 1])
        expect(
          out.flatMap((event) =>
            event.type === 'tool_call' && event.index === index ? [event.arguments] : [],
          ),
        ).toEqual(['', '{}']);
    }
  });

  test('report a call that goes on after its end: its arguments would be lost', () => {
    const { out } = normal('anthropic', [call(0, '{}', 'f'), call(1, '{', 'g'), call(0, 'x'), DONE]);
    expect(out.at(-1)).toMatchObject({ type: 'error', message: expect.stringContaining('tool call 0') });
  });

  test.each([
    ['anthropic', { type: 'complete', finish: 'stop', raw: 'stop' }, { type: 'complete', finish: 'stop' }],
    ['anthropic', { type: 'complete', finish: 'stop', raw: 'end_turn' }, { raw: 'end_turn' }],
    // Not pause_turn, after which a client asks again.
    ['anthropic', { type: 'complete', finish: 'other', raw: 'load' }, { finish: 'stop' }],
    [
      'anthropic',
      { type: 'complete', finish: 'error', raw: 'MALFORMED' },
      { type: 'error', code: 'MALFORMED' },
    ],
    ['openai-chat', { type: 'complete', finish: 'error', raw: 'x' }, { type: 'complete', finish: 'error' }],
  ] as const)('%s: %j ends as %j', (dialect, given, wanted) => {
    expect(normal(dialect, [given]).out.at(-1)).toMatchObject(wanted);
  });

  test('end with tool_calls after a tool call, whatever the source says', () => {
    expect(normal('anthropic', [call(0, '{}', 'f'), DONE]).out.at(-1)).toEqual({
      type: 'complete',
      finish: 'tool_calls',
    });
  });

  test('end as the source says where the service has run the tool itself', () => {
    const result: StreamEvent = { type: 'tool_result', id: 'id0', result: 7 };
    expect(normal('anthropic', [call(0, '{}', 'f'), result, DONE]).out.at(-1)).toMatchObject({
      finish: 'stop',
    });
  });

  test('end with an error where the source was cut', () => {
    const { out } = normal('openai-chat', [{ type: 'message_chunk', text: 'hal' }]);
    expect(out.at(-1)).toMatchObject({ type: 'error', code: 'truncated' });
  });

  test('report what the dialect cannot express, and what comes after the end', () => {
    const thinking: StreamEvent = { type: 'thinking', text: 'hm' };
    const late: StreamEvent = { type: 'message_chunk', text: 'late' };
    expect(normal('tgi', [thinking, call(0, '{}', 'f'), DONE, late]).lost).toEqual([
      thinking,
      call(0, '{}', 'f'),
      late,
    ]);
  });
});

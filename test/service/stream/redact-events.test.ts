import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../../src/model/events.ts';
import { createRedactor } from '../../../src/model/redaction/redactor.ts';
import { redactEvents } from '../../../src/service/stream/redact-events.ts';

const KEY = 'sk-Live+c4naRy/9Xq2"Zt7Lw5Bv';
const redactor = createRedactor([{ name: '[KEY]', value: KEY }]);

/** True when `text` holds `length` characters in a row of the key. */
function holds(text: string, length: number): boolean {
  for (let i = 0; i + length <= KEY.length; i++) if (text.includes(KEY.slice(i, i + length))) return true;
  return false;
}

describe('events', () => {
  const clean = async (events: StreamEvent[]) => {
    const out: StreamEvent[] = [];
    const source = (async function* () {
      yield* events;
    })();
    for await (const event of redactEvents(source, redactor)) out.push(event);
    return out;
  };
  const half = [KEY.slice(0, 7), KEY.slice(7)] as const;

  test('of every kind', async () => {
    const out = await clean([
      { type: 'start', id: KEY, model: KEY },
      { type: 'thinking', text: half[0] },
      { type: 'message_chunk', text: half[0] },
      { type: 'thinking', text: half[1] },
      { type: 'message_chunk', text: half[1] },
      { type: 'tool_call', index: 0, id: KEY, name: KEY, arguments: half[0] },
      { type: 'tool_call', index: 1, arguments: half[0] },
      { type: 'tool_call', index: 0, arguments: half[1] },
      { type: 'tool_call', index: 1, arguments: half[1] },
      { type: 'tool_result', id: KEY, result: { [KEY]: [KEY, 1, null] } },
      { type: 'step_complete', data: KEY },
      { type: 'memory_update', data: { facts: [KEY] } },
      { type: 'metadata', data: { deep: [[{ value: KEY }]] } },
      { type: 'usage', outputTokens: 3 },
      { type: 'unknown', name: KEY, data: JSON.stringify({ value: KEY }) },
      { type: 'complete', finish: 'stop', raw: KEY },
    ]);
    expect(holds(JSON.stringify(out), 8)).toBe(false);
    expect(out.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])).toEqual([
      'start',
      'thinking',
      'message_chunk',
      'tool_call',
      'tool_result',
      'step_complete',
      'memory_update',
      'metadata',
      'usage',
      'unknown',
      'complete',
    ]);
  });

  test('buffered text is sent before the end, and when there is no end', async () => {
    const held: StreamEvent = { type: 'message_chunk', text: 'a sk-Liv' };
    const said = (events: StreamEvent[]) =>
      events.map((event) => (event.type === 'message_chunk' ? event.text : event.type)).join('|');
    expect(said(await clean([held, { type: 'complete', finish: 'stop' }]))).toBe('a |sk-Liv|complete');
    expect(said(await clean([held, { type: 'error', message: KEY }]))).toBe('a |sk-Liv|error');
    expect(said(await clean([held]))).toBe('a |sk-Liv');
  });
});

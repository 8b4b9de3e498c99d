import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../../src/model/events.ts';
import { rechunk, TextBuffer } from '../../../src/service/stream/shape.ts';

const say = (text: string): StreamEvent => ({ type: 'message_chunk', text });
const think = (text: string): StreamEvent => ({ type: 'thinking', text });
const through = (size: number, events: readonly StreamEvent[]) => {
  const buffer = new TextBuffer(size);
  return [...events.flatMap((event) => [...buffer.push(event)]), ...buffer.end()];
};

describe('buffered text', () => {
  test('is sent when there is enough of it, and at the end', () => {
    expect(through(4, [say('ab'), say('c'), say('de'), say('f')])).toEqual([say('abcde'), say('f')]);
    expect(through(0, [say('a'), say('b')])).toEqual([say('a'), say('b')]);
  });

  test('never overtakes another event, nor reasoning the answer', () => {
    const usage: StreamEvent = { type: 'usage', outputTokens: 1 };
    expect(through(9, [think('a'), say('b'), say('c'), usage, say('d')])).toEqual([
      think('a'),
      say('bc'),
      usage,
      say('d'),
    ]);
  });
});

test('a finished text is cut between characters', () => {
  expect(rechunk([say('añ😀b'), { type: 'complete', finish: 'stop' }], 2)).toEqual([
    say('añ'),
    say('😀b'),
    { type: 'complete', finish: 'stop' },
  ]);
});

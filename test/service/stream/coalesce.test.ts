import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { StreamEvent } from '../../../src/model/events.ts';
import { coalesce } from '../../../src/service/stream/coalesce.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What comes out when, for texts that arrive at these times. A number stands for a text, a name for another event. */
async function passedOn(arrivals: readonly [atMs: number, event: StreamEvent | string][], bufferMs: number) {
  const startMs = Date.now();
  async function* events(): AsyncGenerator<StreamEvent> {
    for (const [atMs, event] of arrivals) {
      const left = atMs - (Date.now() - startMs);
      if (left > 0) await wait(left);
      yield typeof event === 'string' ? { type: 'message_chunk', text: event } : event;
    }
  }
  const out: [number, string][] = [];
  const reading = (async () => {
    for await (const event of coalesce(events(), bufferMs)) {
      out.push([Date.now() - startMs, 'text' in event ? event.text : event.type]);
    }
  })();
  await vi.runAllTimersAsync();
  await reading;
  return out;
}

describe('text that arrives within the time', () => {
  test('is joined; the first text is not delayed', async () => {
    const fast = await passedOn(
      [
        [10, 'a'],
        [20, 'b'],
        [30, 'c'],
        [45, 'd'],
        [65, 'e'],
      ],
      30,
    );
    expect(fast).toEqual([
      [10, 'a'],
      [40, 'bc'],
      [65, 'de'],
    ]);
  });

  test('is sent one by one if the model is slower than the time', async () => {
    const slow = await passedOn(
      [
        [10, 'a'],
        [60, 'b'],
        [110, 'c'],
      ],
      30,
    );
    expect(slow).toEqual([
      [10, 'a'],
      [60, 'b'],
      [110, 'c'],
    ]);
  });

  test('is sent before another event, and before reasoning', async () => {
    const mixed = await passedOn(
      [
        [0, { type: 'start' }],
        [5, 'a'],
        [6, 'b'],
        [7, { type: 'thinking', text: 'T' }],
        [8, { type: 'complete', finish: 'stop' }],
      ],
      30,
    );
    expect(mixed.map(([, text]) => text)).toEqual(['start', 'a', 'b', 'T', 'complete']);
  });

  test('is not lost when the model stops without a final event, or in silence', async () => {
    expect(
      (
        await passedOn(
          [
            [0, 'a'],
            [1, 'b'],
            [500, 'c'],
          ],
          30,
        )
      )
        .map(([, text]) => text)
        .join(''),
    ).toBe('abc');
    expect(
      await passedOn(
        [
          [0, 'a'],
          [1, 'b'],
        ],
        30,
      ),
    ).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
  });
});

test('a model that fails while text waits fails the reader, and a reader that leaves ends the model', async () => {
  let ended = false;
  async function* events(): AsyncGenerator<StreamEvent> {
    try {
      yield { type: 'message_chunk', text: 'a' };
      throw new Error('boom');
    } finally {
      ended = true;
    }
  }
  await expect(async () => {
    for await (const _ of coalesce(events(), 30));
  }).rejects.toThrow('boom');
  expect(ended).toBe(true);
  ended = false;
  for await (const _ of coalesce(events(), 30)) break;
  expect(ended).toBe(true);
});

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Clock } from '../../../src/model/clock.ts';
import type { StreamEvent } from '../../../src/model/events.ts';
import type { EventStream } from '../../../src/service/stream/event-stream.ts';
import { relay } from '../../../src/service/stream/relay.ts';
import { getDialect } from '../../../src/wire/dialects/index.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** When each text was written, in ms, for a model that sends a text of 4 characters every `modelGapMs`. */
async function writtenAt(
  modelGapMs: number,
  options: { textDeltaDelayMs?: number; textBufferSize?: number },
) {
  const startMs = Date.now();
  const clock: Clock = { now: () => Date.now() - startMs, wallTime: () => new Date() };
  const written: [number, string][] = [];
  const out = {
    signal: new AbortController().signal,
    stopped: undefined,
    flush: () => {},
    write(text: string) {
      const { content } = JSON.parse(text.slice(6)) as { content?: string };
      if (content !== undefined) written.push([clock.now(), content]);
      return true;
    },
  } as unknown as EventStream;
  async function* events(): AsyncGenerator<StreamEvent> {
    yield { type: 'start' };
    for (const text of ['aaaa', 'bbbb', 'cccc', 'dddd']) {
      await wait(modelGapMs);
      yield { type: 'message_chunk', text };
    }
    yield { type: 'complete', finish: 'stop' };
  }
  const end = relay({
    events: events(),
    out,
    encode: getDialect('agent').encoder({ id: 'x', model: 'm', createdSeconds: 0 }),
    options: {
      textBufferSize: 0,
      textBufferMs: 0,
      emitMetadata: false,
      emitMemoryUpdates: false,
      textDeltaDelayMs: 0,
      ...options,
    },
    prologue: [],
    epilogue: () => ({ type: 'metadata', data: {} }),
    debug: false,
    clock,
    receivedAtMs: 0,
    onUsage: () => {},
    onSent: () => {},
  });
  await vi.runAllTimersAsync();
  expect((await end).status).toBe('ok');
  expect(written.map(([, text]) => text).join('')).toBe('aaaabbbbccccdddd');
  return written;
}

describe('the time between two texts', () => {
  test('is that of the model without a delay', async () => {
    expect((await writtenAt(10, {})).map(([atMs]) => atMs)).toEqual([10, 20, 30, 40]);
  });

  test('is the delay for a faster model', async () => {
    const written = await writtenAt(10, { textDeltaDelayMs: 25 });
    expect(written.map(([atMs]) => atMs)).toEqual([10, 35, 60, 85]);
  });

  test('is that of a slower model: the delay is not added to it', async () => {
    const written = await writtenAt(40, { textDeltaDelayMs: 25 });
    expect(written.map(([atMs]) => atMs)).toEqual([40, 80, 120, 160]);
  });

  test('grows with the size of the text buffer', async () => {
    expect(await writtenAt(10, { textBufferSize: 8 })).toEqual([
      [20, 'aaaabbbb'],
      [40, 'ccccdddd'],
    ]);
    expect(await writtenAt(10, { textBufferSize: 8, textDeltaDelayMs: 50 })).toEqual([
      [20, 'aaaabbbb'],
      [70, 'ccccdddd'],
    ]);
  });
});

import { describe, expect, test } from 'vitest';
import { decodeResponse } from '../../src/gateway/decode-response.ts';
import { encodeResponse, encodeStream } from '../../src/gateway/encode-stream.ts';
import { UserError } from '../../src/model/errors.ts';
import type { StreamEvent } from '../../src/model/events.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { decodeReads } from '../wire/streams.ts';

const text = (value: string): StreamEvent => ({ type: 'message_chunk', text: value });
const DONE: StreamEvent = { type: 'complete', finish: 'stop' };

async function chunksOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

async function eventsOf(response: Response, dialect: string): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of decodeResponse(response, { dialect })) events.push(event);
  return events;
}

/** A source whose next event is made by the test, and which counts how often it was asked. */
function source() {
  const state = { asked: 0, returned: 0, give: (_: IteratorResult<StreamEvent, undefined>) => {} };
  const events: AsyncIterable<StreamEvent> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        state.asked++;
        return new Promise<IteratorResult<StreamEvent, undefined>>((resolve) => (state.give = resolve));
      },
      return: async () => {
        state.returned++;
        return { done: true as const, value: undefined };
      },
    }),
  };
  return { state, events };
}

/** Lets all promises that can settle do so. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a stream', () => {
  test('asks its source for nothing before it is read, and for one event a read', async () => {
    const { state, events } = source();
    const reader = encodeStream(events, { dialect: 'openai-chat' }).getReader();
    await settled();
    expect(state.asked).toBe(0);
    const first = reader.read();
    await settled();
    expect(state.asked).toBe(1);
    state.give({ done: false, value: text('one') });
    // It comes before the source has made the second event.
    expect(new TextDecoder().decode((await first).value)).toContain('"content":"one"');
    await settled();
    expect(state.asked).toBe(1);
  });

  test('that is cancelled ends its source, also while that waits', async () => {
    const { state, events } = source();
    const stop = new AbortController();
    const stream = encodeStream(events, { dialect: 'anthropic', stop });
    const reader = stream.getReader();
    const pending = reader.read();
    await settled();
    await reader.cancel();
    expect(state.returned).toBe(1);
    expect(stop.signal.aborted).toBe(true);
    state.give({ done: false, value: text('late') });
    await expect(pending).resolves.toEqual({ done: true, value: undefined });
  });

  test('that is complete lets its source end, and cancels one that goes on', async () => {
    let ended = false;
    let late = 0;
    async function* ending() {
      yield DONE;
      await settled();
      ended = true;
    }
    async function* endless() {
      for (yield DONE; ; late++) yield text('late');
    }
    await chunksOf(encodeStream(ending(), { dialect: 'anthropic' }));
    await expect.poll(() => ended).toBe(true);
    await encodeResponse(endless(), { dialect: 'anthropic', stream: false });
    await settled();
    const atEnd = late;
    expect(atEnd).toBeLessThan(20);
    await settled();
    expect(late).toBe(atEnd);
  });

  test('of a dialect with ids has the id and model of the answer', async () => {
    const events: StreamEvent[] = [{ type: 'start', id: 'r1', model: 'm1' }, text('x'), DONE];
    const first = (await chunksOf(encodeStream(events, { dialect: 'anthropic' })))[0]!;
    expect(new TextDecoder().decode(first)).toMatch(/"id":"r1".*"model":"m1"/);
    const named = (await chunksOf(encodeStream(events, { dialect: 'anthropic', model: 'mine' })))[0]!;
    expect(new TextDecoder().decode(named)).toMatch(/"id":"r1".*"model":"mine"/);
  });

  test('states its token counts, unless the request asks for none', async () => {
    const events: StreamEvent[] = [text('x'), { type: 'usage', inputTokens: 3, outputTokens: 1 }, DONE];
    const request = { messages: [], stream: true };
    const usage = async (given: object) =>
      decodeReads(
        getDialect('openai-chat'),
        await chunksOf(encodeStream(events, { dialect: 'openai-chat', ...given })),
      ).some(({ type }) => type === 'usage');
    expect(await usage({})).toBe(true);
    expect(await usage({ request })).toBe(false);
  });

  test('of an unknown dialect is refused', () => {
    expect(() => encodeStream([], { dialect: 'antropic' })).toThrow(UserError);
  });
});

const STREAMS = DIALECT_NAMES.filter((name) => name !== 'raw');

describe.each(STREAMS)('%s', (name) => {
  test('a source that throws or is cut becomes an error event, and never a regular end', async () => {
    async function* throwing() {
      yield text('half');
      throw new Error('the upstream is gone');
    }
    for (const [events, message] of [
      [throwing(), 'the upstream is gone'],
      [[text('half')], 'the answer was cut off'],
    ] as const) {
      const reads = await chunksOf(encodeStream(events, { dialect: name }));
      const decoded = decodeReads(getDialect(name), reads);
      expect(gather(decoded)).toMatchObject({
        text: 'half',
        error: { message: expect.stringContaining(message) },
      });
      expect(decoded.some(({ type }) => type === 'complete')).toBe(false);
    }
  });

  test('an error before the first event is an HTTP error in the words of the dialect', async () => {
    const limited: StreamEvent = { type: 'error', message: 'slow down', rateLimited: true };
    const response = await encodeResponse([limited, DONE], { dialect: name });
    expect(response.status).toBe(429);
    expect(await eventsOf(response, name)).toMatchObject([{ type: 'error', message: /slow down/ }]);
  });

  test('a whole answer is read back', async () => {
    const response = await encodeResponse([text('a'), text('b'), DONE], { dialect: name, stream: false });
    expect(response.status).toBe(200);
    expect(gather(getDialect(name).decodeWhole(await response.text())).text).toBe('ab');
  });
});

test('a stream without frames for errors fails', async () => {
  await expect(chunksOf(encodeStream([text('half')], { dialect: 'raw' }))).rejects.toThrow('cut off');
});

test('a response may not be held back, compressed or cached', async () => {
  const { headers } = await encodeResponse([text('x'), DONE], {
    dialect: 'anthropic',
    headers: { 'x-a': 'b' },
  });
  expect(headers.get('content-type')).toContain('text/event-stream');
  expect(headers.get('cache-control')).toBe('no-cache, no-transform');
  expect(headers.get('x-accel-buffering')).toBe('no');
  expect(headers.get('x-a')).toBe('b');
});

import { describe, expect, test } from 'vitest';
import type { StreamEvent } from '../../src/model/events.ts';
import { AnswerCache } from '../../src/service/answer-cache.ts';
import { createToken } from '../../src/service/index.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { closedAfterEach, decode, messagesOf, SECRET, startStack, textOf } from './support.ts';

const text = (value: string): StreamEvent => ({ type: 'message_chunk', text: value });
const COMPLETE: StreamEvent = { type: 'complete', finish: 'stop' };
const USAGE: StreamEvent = { type: 'usage', inputTokens: 3, outputTokens: 2 };

async function record(cache: AnswerCache, key: string, events: readonly StreamEvent[]) {
  async function* source() {
    yield* events;
  }
  const passed: StreamEvent[] = [];
  for await (const event of cache.record(key, source())) passed.push(event);
  return passed;
}

describe('AnswerCache', () => {
  test('passes the events on unchanged, and keeps the text in one event, without token counts', async () => {
    const cache = new AnswerCache({ ttlMs: 1_000, maxCharacters: 1_000 }, new FakeClock());
    const events = [{ type: 'thinking', text: 'Hm' } as const, text('Hel'), text('lo'), USAGE, COMPLETE];
    expect(await record(cache, 'k', events)).toEqual(events);
    expect(cache.get('k')).toEqual([{ type: 'thinking', text: 'Hm' }, text('Hello'), COMPLETE]);
    expect(cache.get('other')).toBeUndefined();
  });

  test('forgets an answer after its time', async () => {
    const clock = new FakeClock();
    const cache = new AnswerCache({ ttlMs: 1_000, maxCharacters: 1_000 }, clock);
    await record(cache, 'k', [text('a'), COMPLETE]);
    await clock.advance(999);
    expect(cache.get('k')).toBeDefined();
    await clock.advance(1);
    expect(cache.get('k')).toBeUndefined();
  });

  test('drops the answer that was used least recently when it is full', async () => {
    const cache = new AnswerCache({ ttlMs: 1_000, maxCharacters: 22 }, new FakeClock());
    await record(cache, 'a', [text('0123456789'), COMPLETE]);
    await record(cache, 'b', [text('0123456789'), COMPLETE]);
    cache.get('a');
    await record(cache, 'c', [text('0123456789'), COMPLETE]);
    expect(['a', 'b', 'c'].filter((key) => cache.get(key) !== undefined)).toEqual(['a', 'c']);
    // Too large for the cache: nothing else is dropped for it.
    await record(cache, 'd', [text('0'.repeat(30)), COMPLETE]);
    expect(['a', 'c', 'd'].filter((key) => cache.get(key) !== undefined)).toEqual(['a', 'c']);
  });

  test.each<[string, StreamEvent[]]>([
    ['an error', [text('a'), { type: 'error', message: 'x' }]],
    ['a cut stream', [text('a')]],
    ['a refusal by a filter', [text('a'), { type: 'complete', finish: 'content_filter' }]],
    ['a tool call', [{ type: 'tool_call', index: 0, arguments: '{}' }, COMPLETE]],
  ])('does not keep an answer with %s', async (_, events) => {
    const cache = new AnswerCache({ ttlMs: 1_000, maxCharacters: 1_000 }, new FakeClock());
    await record(cache, 'k', events);
    expect(cache.get('k')).toBeUndefined();
  });
});

const open = closedAfterEach();

describe('a service with an answer cache', () => {
  test('asks the model once for identical requests of a user; every answer is stored', async () => {
    const stack = await startStack({
      answerCacheMs: 60_000,
      prices: { quick: { inputPerMillion: 1, outputPerMillion: 1 } },
    });
    open.push(stack);
    const ask = async (body: object, init?: RequestInit) => {
      const response = await stack.post('/chat/stream', { message: 'Hello', ...body }, init);
      const { events } = decode('conversation', await response.text());
      return { cache: response.headers.get('x-answer-cache'), events };
    };
    const first = await ask({ session_id: 's1' });
    const again = await ask({ session_id: 's2' });
    expect([first.cache, again.cache]).toEqual(['miss', 'hit']);
    expect(textOf(again.events)).toBe(textOf(first.events));
    expect(again.events.filter(({ type }) => type === 'message_chunk')).toHaveLength(1);
    expect(stack.simulator.log).toHaveLength(1);
    const [, stored] = await messagesOf(stack, 's2');
    expect(stored).toMatchObject({ role: 'assistant', content: textOf(first.events), model: 'quick' });
    expect(stored).not.toHaveProperty('cost_usd');

    // Other limits, another user, and a conversation that has gone on are other questions.
    expect((await ask({ max_tokens: 3 })).cache).toBe('miss');
    const eve = await createToken(SECRET, { subject: 'eve' });
    expect((await ask({}, { headers: { authorization: `Bearer ${eve}` } })).cache).toBe('miss');
    expect((await ask({ session_id: 's1' })).cache).toBe('miss');
    const metrics = await (await stack.get('/metrics')).text();
    expect(metrics).toContain('streambench_service_cache_lookups_total{result="hit"} 1\n');
    expect(metrics).toContain('streambench_service_cache_lookups_total{result="miss"} 4\n');
  });

  test('never answers an agent from it', async () => {
    const stack = await startStack({ answerCacheMs: 60_000 });
    open.push(stack);
    for (let i = 0; i < 2; i++) {
      const response = await stack.post('/api/v1/agents/a/chat/lumosai/stream', { message: 'Hello' });
      expect(response.headers.get('x-answer-cache')).toBeNull();
      await response.text();
    }
    expect(stack.simulator.log).toHaveLength(2);
  });
});

import { describe, expect, it } from 'vitest';
import { withNonce } from '../../src/model/request.ts';
import { profileTable } from '../../src/simulator/profile.ts';
import { makeScript, promptWithoutNonce } from '../../src/simulator/script.ts';
import { BLOCK_CHARS, PrefixCache } from '../../src/simulator/simulator.ts';
import { call } from './raw-client.ts';
import { CHAT, constant, quick, start } from './start.ts';

const LONG = Array.from({ length: 100 }, (_, i) => `word${i}`).join(' ');

describe('a prefix cache', () => {
  it('hits the complete blocks of earlier prompts, up to the first difference', () => {
    const cache = new PrefixCache();
    expect(cache.lookUp('m', LONG)).toBe(0);
    const whole = Math.floor(LONG.length / BLOCK_CHARS) * BLOCK_CHARS;
    expect(cache.lookUp('m', LONG)).toBe(whole / LONG.length);
    expect(cache.lookUp('m', `${LONG} and more`)).toBeCloseTo(whole / (LONG.length + 9), 6);
    expect(cache.lookUp('m', `x${LONG}`)).toBe(0);
    expect(cache.lookUp('other', LONG)).toBe(0);
    const changed = `${LONG.slice(0, 2 * BLOCK_CHARS)}!${LONG.slice(2 * BLOCK_CHARS)}`;
    expect(cache.lookUp('m', changed)).toBe((2 * BLOCK_CHARS) / changed.length);
    expect([cache.lookUp('m', ''), cache.lookUp('m', 'short'), cache.lookUp('m', 'short')]).toEqual([
      0, 0, 0,
    ]);
  });
});

describe('a profile with a cached time', () => {
  const chat = (content: string) =>
    JSON.stringify({ model: 'c', messages: [{ role: 'user', content }], stream: true });

  it('answers a cached prompt earlier, reports the cached tokens, and logs a hit', async () => {
    const { simulator, port } = await start({
      c: { ...quick, ttft: constant(300), cachedTtft: constant(20) },
    });
    for (const content of [LONG, LONG, `n0nce123\n\n${LONG}`]) await call(port, 'POST', CHAT, chat(content));
    await expect.poll(() => simulator.log.length).toBe(3);
    expect(simulator.log.map(({ cache }) => cache)).toEqual(['miss', 'hit', 'miss']);
    const [first, second, third] = simulator.log.map(
      ({ chunks, receivedAtMs }) => chunks[0]!.dueAtMs - receivedAtMs,
    );
    expect([first, third]).toEqual([expect.closeTo(300, 3), expect.closeTo(300, 3)]);
    expect(second).toBeLessThan(60);
    const cached = simulator.log.map(({ usage }) => usage!.cachedInputTokens! / usage!.inputTokens!);
    expect([cached[0], cached[2]]).toEqual([0, 0]);
    expect(cached[1]).toBeGreaterThan(0.85);
  });

  it('is the only one that has a cache', async () => {
    const { simulator, port } = await start({ c: quick });
    for (let i = 0; i < 2; i++) await call(port, 'POST', CHAT, chat(LONG));
    await expect.poll(() => simulator.log.length).toBe(2);
    expect(simulator.log.map(({ cache, usage }) => [cache, usage!.cachedInputTokens])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });
});

it('a nonce does not change the answer: a scenario gets the same answers in every run', () => {
  const { default: profile } = profileTable();
  const scriptOf = (nonce: string) => {
    const request = { messages: withNonce([{ role: 'user', content: 'hello' }], nonce), stream: true };
    expect(promptWithoutNonce(request)).toBe('user: hello');
    const { steps, ...rest } = makeScript(request, profile!, 1, 0);
    return { ...rest, steps: steps.filter(({ events }) => events[0]!.type !== 'usage') };
  };
  expect(scriptOf('aaaa1111')).toEqual(scriptOf('zzzz9999'));
});

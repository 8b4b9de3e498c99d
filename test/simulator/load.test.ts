import { describe, expect, it } from 'vitest';
import { monotonicClock } from '../../src/model/clock.ts';
import { call, chatBody, open, requestBytes } from './raw-client.ts';
import { CHAT, constant, lastEntry, quick, start } from './start.ts';

describe('many streams at once', () => {
  it('all end completely, each with its own text', async () => {
    const { simulator, port } = await start();
    const responses = await Promise.all(
      Array.from({ length: 100 }, (_, i) => call(port, 'POST', CHAT, chatBody('m', `question ${i}`))),
    );
    expect(
      responses.every(({ status, whole, body }) => status === 200 && whole && body.endsWith('[DONE]\n\n')),
    ).toBe(true);
    await lastEntry(simulator, 100);
    expect(simulator.log.every(({ outcome }) => outcome === 'complete')).toBe(true);
    expect(new Set(simulator.log.map(({ text }) => text)).size).toBe(100);
  });

  it('are all open at once', async () => {
    // No first token for an hour: every stream is still open when the last one starts.
    const held = { ...quick, ttft: constant(3_600_000) };
    const { simulator, port } = await start({ held });
    const sockets = await Promise.all(Array.from({ length: 100 }, () => open(port)));
    for (const socket of sockets) socket.write(requestBytes('POST', CHAT, chatBody('held')));
    await expect.poll(() => simulator.stats.active, { timeout: 15_000 }).toBe(100);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => simulator.stats.active, { timeout: 15_000 }).toBe(0);
    expect(simulator.stats.peakActive).toBe(100);
  });

  it('answer a prompt that comes again with another text', async () => {
    const { simulator, port } = await start();
    for (let i = 0; i < 3; i++) await call(port, 'POST', CHAT, chatBody('instant'));
    await lastEntry(simulator, 3);
    expect(new Set(simulator.log.map(({ text }) => text)).size).toBe(3);
  });

  it('give the same answers in any order of requests', async () => {
    const texts = async (order: readonly number[]) => {
      const { simulator, port } = await start({}, { seed: 5 });
      for (const i of order) await call(port, 'POST', CHAT, chatBody('instant', `question ${i}`));
      await lastEntry(simulator, order.length);
      const { log } = simulator;
      return order.map((i, at) => [i, log[at]!.text] as const).sort(([a], [b]) => a - b);
    };
    expect(await texts([3, 1, 2])).toEqual(await texts([1, 2, 3]));
  });
});

describe('a client that reads slowly', () => {
  it('delays its stream and loses nothing', async () => {
    // Far more than the buffers of the kernel hold, so that the sender has to wait.
    const long = { ...quick, ttft: constant(0), gap: constant(0), tokens: constant(80_000) };
    const { simulator, port } = await start({ long });
    const socket = await open(port);
    socket.pause();
    socket.write(requestBytes('POST', CHAT, chatBody('long')));
    await expect.poll(() => simulator.stats.active).toBe(1);
    const resumedAtMs = monotonicClock.now();
    let tail = '';
    let bytes = 0;
    socket.on('data', (read) => {
      bytes += read.length;
      tail = (tail + read).slice(-1_000);
    });
    socket.resume();
    await expect.poll(() => tail.endsWith('0\r\n\r\n'), { timeout: 20_000 }).toBe(true);
    expect(bytes).toBeGreaterThan(10_000_000);
    expect(tail).toContain('"completion_tokens":80000');
    const entry = await lastEntry(simulator);
    expect(entry).toMatchObject({ outcome: 'complete' });
    expect(entry.endAtMs).toBeGreaterThan(resumedAtMs);
    socket.destroy();
  }, 30_000);
});

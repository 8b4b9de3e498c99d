import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Slots } from '../../src/simulator/slots.ts';
import { call } from './raw-client.ts';
import { CHAT, constant, start } from './start.ts';

describe('slots', () => {
  it('serve waiting requests in order of arrival, and refuse those beyond the queue', async () => {
    const slots = new Slots(2, 2);
    const begun: string[] = [];
    const enter = (name: string) => slots.enter(() => begun.push(name));
    const entries = ['a', 'b', 'c', 'd', 'e'].map(enter);
    await Promise.resolve();
    expect(begun).toEqual(['a', 'b']);
    expect(entries.map(({ isRefused }) => isRefused)).toEqual([false, false, false, false, true]);
    expect(entries.map(({ hasWaited }) => hasWaited)).toEqual([false, false, true, true, false]);
    slots.leave();
    await Promise.resolve();
    expect(begun).toEqual(['a', 'b', 'c']);
  });

  it('forget a request that leaves the queue', async () => {
    const slots = new Slots(1);
    const begun: string[] = [];
    const [a, b] = ['a', 'b', 'c'].map((name) => slots.enter(() => begun.push(name)));
    expect([a?.cancel(), b?.cancel(), b?.cancel()]).toEqual([false, true, false]);
    slots.leave();
    slots.leave();
    await Promise.resolve();
    expect(begun).toEqual(['a', 'c']);
  });
});

describe('a profile with slots', () => {
  const body = JSON.stringify({ model: 's', messages: [{ role: 'user', content: 'hi' }], stream: true });
  const profile = { ttft: constant(40), gap: constant(0), tokens: constant(2), slots: 2 };

  it('answers that many requests at once, and the others after them', async () => {
    const { simulator, port } = await start({ s: profile });
    await Promise.all(Array.from({ length: 6 }, () => call(port, 'POST', CHAT, body)));
    await expect.poll(() => simulator.log.length).toBe(6);
    const sent = simulator.log.map(({ chunks }) => chunks[0]!.sentAtMs).sort((a, b) => a - b);
    // A slot is free only when an answer has ended, and the next takes 40 ms: a bound that no delay of the machine can break.
    for (const [index, at] of sent.slice(2).entries()) expect(at - sent[index]!).toBeGreaterThanOrEqual(39);
  });

  it('refuses requests beyond its queue with status 429, and goes on', async () => {
    const { port } = await start({ s: { ...profile, slots: 1, queue: 1 } });
    const answers = await Promise.all(Array.from({ length: 4 }, () => call(port, 'POST', CHAT, body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 429, 429]);
    expect((await call(port, 'POST', CHAT, body)).status).toBe(200);
  });

  it('gives the slot of a client that went away to the next request', async () => {
    const { simulator, port } = await start({ s: { ...profile, ttft: constant(60), slots: 1 } });
    const head = `POST ${CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    const gone = [1, 2].map(() => connect(port, '127.0.0.1').once('error', () => {}));
    for (const socket of gone) socket.write(head + body);
    await expect.poll(() => simulator.stats.active).toBe(2);
    for (const socket of gone) socket.destroy();
    expect((await call(port, 'POST', CHAT, body)).status).toBe(200);
    await expect.poll(() => simulator.stats.active).toBe(0);
    expect(simulator.log.map(({ outcome }) => outcome).sort()).toEqual([
      'client_gone',
      'client_gone',
      'complete',
    ]);
  });
});

import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { monotonicClock } from '../../src/model/clock.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { decodeReads } from '../wire/streams.ts';
import { call, chatBody, open, requestBytes } from './raw-client.ts';
import { CHAT, constant, lastEntry, quick, start } from './start.ts';

/** The `data:` payloads of an SSE body, by hand. */
function dataLines(body: string): string[] {
  return body
    .split('\n\n')
    .filter((part) => part !== '')
    .map((part) => {
      expect(part.startsWith('data: ')).toBe(true);
      return part.slice('data: '.length);
    });
}

describe('a stream', () => {
  it('is SSE to a client that reads bytes by hand, one chunk a frame', async () => {
    const { simulator, port } = await start();
    const response = await call(port, 'POST', CHAT, chatBody('m'));
    expect(response.status).toBe(200);
    expect(response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'transfer-encoding': 'chunked',
      'x-request-id': 'sim-1',
    });
    for (const chunk of response.chunks) expect(chunk).toMatch(/^data: [^\n]+\n\n$/);
    const lines = dataLines(response.body);
    expect(lines.at(-1)).toBe('[DONE]');
    const chunks = lines.slice(0, -1).map((line) => JSON.parse(line));
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
    const entry = await lastEntry(simulator);
    expect(text).toBe(entry.text);
    expect(text.split(' ')).toHaveLength(12);
    expect(chunks.at(-1).usage).toMatchObject({ completion_tokens: 12 });
    expect(chunks.some((chunk) => chunk.choices[0]?.finish_reason === 'stop')).toBe(true);
  });

  it('takes about the time that its profile says, headers first', async () => {
    const { simulator, port } = await start({ slow: { ...quick, ttft: constant(500) } });
    const response = await call(port, 'POST', CHAT, chatBody('slow'));
    const entry = await lastEntry(simulator);
    expect(response.readsMs[0]).toBeLessThan(450);
    expect(response.readsMs.find((at) => at > 450)).toBeGreaterThan(495);
    // 11 gaps of 5 ms after the first token.
    expect(response.readsMs.at(-1)).toBeGreaterThan(550);
    expect(entry.endAtMs - entry.receivedAtMs).toBeGreaterThanOrEqual(555);
  });

  it('sends the headers late with headersWithFirstToken', async () => {
    const { port } = await start({ held: { ...quick, ttft: constant(100), headersWithFirstToken: true } });
    const response = await call(port, 'POST', CHAT, chatBody('held'));
    expect(response.readsMs[0]).toBeGreaterThan(95);
  });

  it('of a coarse profile leaves in lumps, of a burst in single frames', async () => {
    const { simulator, port } = await start({
      coarse: { ...quick, mode: 'coarse', lumpChunks: 6 },
      burst: { ...quick, mode: 'burst' },
    });
    const coarse = await call(port, 'POST', CHAT, chatBody('coarse'));
    const lumps = coarse.chunks.filter((chunk) => chunk.split('\n\n').length > 4);
    expect(lumps).toHaveLength(2);
    expect((await lastEntry(simulator)).chunks.map(({ contentEvents }) => contentEvents)).toContain(6);
    const burst = await call(port, 'POST', CHAT, chatBody('burst'));
    expect(burst.chunks.filter((chunk) => chunk.includes('"content":"')).length).toBeGreaterThanOrEqual(12);
    const { chunks } = await lastEntry(simulator, 2);
    expect(new Set(chunks.map(({ dueAtMs }) => dueAtMs)).size).toBe(1);
  });

  it('is split with splitBytes, and is the same stream', async () => {
    const whole = await start();
    const cut = await start({}, { splitBytes: 3 });
    const a = await call(whole.port, 'POST', CHAT, chatBody('m', '请介绍机器学习'));
    const b = await call(cut.port, 'POST', CHAT, chatBody('m', '请介绍机器学习'));
    const content = (body: string) =>
      gather(decodeReads(getDialect('openai-chat'), [Buffer.from(body)])).text;
    expect(content(b.body)).toBe(content(a.body));
    expect(Math.max(...b.chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(3);
  });

  it('is sent over one connection after another, and the connection stays open', async () => {
    const { simulator, port } = await start({ now: { ...quick, ttft: constant(0), gap: constant(0) } });
    const socket = await open(port);
    for (let i = 1; i <= 3; i++) {
      socket.write(requestBytes('POST', CHAT, chatBody('now')));
      let text = '';
      while (!text.endsWith('0\r\n\r\n')) text += String((await once(socket, 'data'))[0]);
      expect(text).toContain(`x-request-id: sim-${i}`);
    }
    expect(simulator.stats).toMatchObject({ requests: 3, active: 0, peakActive: 1, connections: 1 });
    socket.destroy();
  });
});

describe('a whole answer', () => {
  it('has the content of the stream, in one body with its length, after the same time', async () => {
    const { simulator, port } = await start();
    const stream = await call(port, 'POST', CHAT, chatBody('m'));
    const whole = await call(port, 'POST', CHAT, chatBody('m', undefined, { stream: false }));
    const [first, second] = (await lastEntry(simulator, 2)) && simulator.log;
    expect(whole.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': 'sim-2' });
    expect(Buffer.byteLength(whole.body)).toBe(Number(whole.headers['content-length']));
    expect(JSON.parse(whole.body).choices[0].message.content).toBe(first!.text);
    expect(JSON.parse(whole.body).usage.completion_tokens).toBe(12);
    expect(second).toMatchObject({
      mode: 'whole',
      text: first!.text,
      usage: first!.usage,
      outcome: 'complete',
    });
    expect(second!.chunks).toHaveLength(1);
    expect(second!.chunks[0]!.dueAtMs - second!.receivedAtMs).toBeCloseTo(85, 5);
    expect(stream.status).toBe(200);
  });
});

describe('the truth', () => {
  it('has every write with its due and its real time, on the clock of the machine', async () => {
    const { simulator, port } = await start();
    const before = monotonicClock.now();
    await call(port, 'POST', CHAT, chatBody('m'));
    const after = monotonicClock.now();
    const entry = await lastEntry(simulator);
    expect(entry).toMatchObject({
      requestId: 'sim-1',
      model: 'm',
      dialect: 'openai-chat',
      mode: 'streaming',
    });
    expect(entry).toMatchObject({ outcome: 'complete', status: 200 });
    const content = entry.chunks.filter(({ contentEvents }) => contentEvents > 0);
    expect(content.map(({ dueAtMs }) => Math.round(dueAtMs - entry.receivedAtMs))).toEqual(
      Array.from({ length: 12 }, (_, i) => 30 + 5 * i),
    );
    const times = [
      before,
      entry.receivedAtMs,
      ...entry.chunks.map(({ sentAtMs }) => sentAtMs),
      entry.endAtMs,
      after,
    ];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (const { dueAtMs, sentAtMs } of entry.chunks) expect(sentAtMs).toBeGreaterThanOrEqual(dueAtMs);
  });

  it('can be read over HTTP, a line a request, and keeps the newest', async () => {
    const { simulator, port } = await start({}, { logSize: 2 });
    for (let i = 0; i < 3; i++) await call(port, 'POST', CHAT, chatBody('instant'));
    await expect.poll(() => simulator.stats.active).toBe(0);
    const { body, headers } = await call(port, 'GET', '/__truth');
    expect(headers['content-type']).toBe('application/x-ndjson');
    const entries = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(entries.map(({ requestId }) => requestId)).toEqual(['sim-2', 'sim-3']);
    expect(entries).toEqual(JSON.parse(JSON.stringify(simulator.log)));
  });

  it('logs a client that disconnects, and stops the script', async () => {
    const { simulator, port } = await start({ endless: { ...quick, tokens: constant(100_000) } });
    const socket = await open(port);
    socket.write(requestBytes('POST', CHAT, chatBody('endless')));
    let text = '';
    while (!text.includes('"content":"')) text += String((await once(socket, 'data'))[0]);
    expect(simulator.stats.active).toBe(1);
    socket.destroy();
    const entry = await lastEntry(simulator);
    expect(entry).toMatchObject({ outcome: 'client_gone', aborted: true, status: 200 });
    expect(entry.chunks.length).toBeLessThan(1_000);
    expect(entry.text).not.toBe('');
    expect(simulator.stats.active).toBe(0);
  });
});

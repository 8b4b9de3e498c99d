import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { monotonicClock } from '../../src/model/clock.ts';
import { UserError } from '../../src/model/errors.ts';
import type { ProfileInput } from '../../src/simulator/profile.ts';
import { createSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/server.ts';
import { gather } from '../../src/wire/answer.ts';
import { wireFormat } from '../../src/wire/dialects.ts';
import { decodeReads } from '../wire/streams.ts';
import { call, chatBody, open, requestBytes } from './raw-client.ts';

const constant = (mean: number) => ({ shape: 'constant', mean, sd: 0 }) as const;
const quick: ProfileInput = { ttft: constant(30), gap: constant(5), tokens: constant(12) };
const CHAT = '/v1/chat/completions';

const started: Simulator[] = [];

async function start(profiles: Record<string, ProfileInput> = {}, options: SimulatorOptions = {}) {
  const simulator = createSimulator({ profiles: { default: quick, ...profiles }, ...options });
  started.push(simulator);
  const { port } = await simulator.listen();
  return { simulator, port };
}

/** The last entry, once it is there: a response can be read before its sender has noted its end. */
async function lastEntry(simulator: Simulator, count = 1) {
  await expect.poll(() => simulator.log.length).toBe(count);
  return simulator.log.at(-1)!;
}

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

afterEach(async () => {
  await Promise.all(started.splice(0).map((simulator) => simulator.close()));
});

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
    const { simulator, port } = await start({ slow: { ...quick, ttft: constant(150) } });
    const response = await call(port, 'POST', CHAT, chatBody('slow'));
    const entry = await lastEntry(simulator);
    expect(response.readsMs[0]).toBeLessThan(140);
    expect(response.readsMs.find((at) => at > response.readsMs[0]! + 1)).toBeGreaterThan(145);
    // 11 gaps of 5 ms after the first token.
    expect(response.readsMs.at(-1)).toBeGreaterThan(200);
    expect(entry.endAtMs - entry.receivedAtMs).toBeGreaterThanOrEqual(205);
  });

  it('holds the headers back where the profile says so', async () => {
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

  it('is cut to pieces where that is asked for, and is the same stream', async () => {
    const whole = await start();
    const cut = await start({}, { splitBytes: 3 });
    const a = await call(whole.port, 'POST', CHAT, chatBody('m', '请介绍机器学习'));
    const b = await call(cut.port, 'POST', CHAT, chatBody('m', '请介绍机器学习'));
    const content = (body: string) =>
      gather(decodeReads(wireFormat('openai-chat'), [Buffer.from(body)])).text;
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
  it('says what the stream says, in one body with its length, after the same time', async () => {
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

  it('notes a client that goes away, and the script stops', async () => {
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

describe('many streams at once', () => {
  it('all come to their end, each with its own text', async () => {
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
    expect(simulator.stats.peakActive).toBeGreaterThan(20);
  });

  it('answer a prompt that comes again with another text', async () => {
    const { simulator, port } = await start();
    for (let i = 0; i < 3; i++) await call(port, 'POST', CHAT, chatBody('instant'));
    await lastEntry(simulator, 3);
    expect(new Set(simulator.log.map(({ text }) => text)).size).toBe(3);
  });

  it('say the same in whichever order they are asked', async () => {
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
  it('holds its stream up and loses nothing', async () => {
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

describe('failures of a profile', () => {
  const failing = (kind: 'http_500' | 'http_429' | 'inband' | 'truncate') =>
    start({ bad: { ...quick, error: { rate: 1, kind } } });

  it('http_429 and http_500 come in the shape of the dialect', async () => {
    for (const [kind, status] of [
      ['http_429', 429],
      ['http_500', 500],
    ] as const) {
      const { simulator, port } = await failing(kind);
      const response = await call(port, 'POST', CHAT, chatBody('bad'));
      expect(response.status).toBe(status);
      expect(response.headers['retry-after']).toBe(status === 429 ? '1' : undefined);
      expect(JSON.parse(response.body).error.message).toContain('simulated');
      expect(await lastEntry(simulator)).toMatchObject({ outcome: 'http_error', status, text: '' });
    }
  });

  it('inband: a 200, some text, an error, no end', async () => {
    const { simulator, port } = await failing('inband');
    const { status, body, whole } = await call(port, 'POST', CHAT, chatBody('bad'));
    expect({ status, whole }).toEqual({ status: 200, whole: true });
    const answer = gather(decodeReads(wireFormat('openai-chat'), [Buffer.from(body)]));
    expect(answer.error?.message).toContain('simulated');
    expect(answer.complete).toBeUndefined();
    expect(await lastEntry(simulator)).toMatchObject({ outcome: 'inband_error', text: answer.text });
  });

  it('truncate: a stream ends without its end, a whole answer without its second half', async () => {
    const { simulator, port } = await failing('truncate');
    const stream = await call(port, 'POST', CHAT, chatBody('bad'));
    expect(stream.whole).toBe(true);
    expect(stream.body).toContain('"content":"');
    expect(stream.body).not.toMatch(/\[DONE\]|"finish_reason":"|usage/);
    expect(await lastEntry(simulator)).toMatchObject({ outcome: 'truncated' });
    const whole = await call(port, 'POST', CHAT, chatBody('bad', undefined, { stream: false }));
    expect(whole.whole).toBe(false);
    expect(Buffer.byteLength(whole.body)).toBe(Number(whole.headers['content-length']) >> 1);
    expect(await lastEntry(simulator, 2)).toMatchObject({ outcome: 'truncated', mode: 'whole' });
  });
});

describe('what is no request', () => {
  it('is refused and counted', async () => {
    const { simulator, port } = await start();
    expect(await call(port, 'POST', '/nowhere', {})).toMatchObject({ status: 404 });
    expect(await call(port, 'GET', '//')).toMatchObject({ status: 404 });
    expect(await call(port, 'PUT', CHAT, chatBody('m'))).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    });
    const broken = await call(port, 'POST', CHAT, '{"model": "m", ');
    expect(broken.status).toBe(400);
    expect(JSON.parse(broken.body).error.message).toContain('openai-chat');
    expect(await call(port, 'POST', CHAT, 'x'.repeat(10 * 1024 * 1024 + 1))).toMatchObject({ status: 413 });
    expect(simulator.stats).toMatchObject({ refused: 5, requests: 0 });
    expect(simulator.log).toEqual([]);
  });

  it('may break off in the middle of its body', async () => {
    const { simulator, port } = await start();
    const socket = await open(port);
    socket.write(requestBytes('POST', CHAT, chatBody('m')).slice(0, -10));
    await expect.poll(() => simulator.stats.connections).toBe(1);
    socket.destroy();
    expect(await call(port, 'GET', '/health')).toMatchObject({ status: 200 });
    expect(simulator.stats).toMatchObject({ requests: 0, active: 0 });
  });

  it('does not stop the pages from being read', async () => {
    const { port } = await start({ mine: quick });
    expect(JSON.parse((await call(port, 'GET', '/health')).body)).toMatchObject({ status: 'ok' });
    const models = JSON.parse((await call(port, 'GET', '/v1/models')).body).data.map(
      ({ id }: { id: string }) => id,
    );
    expect(models).toEqual(expect.arrayContaining(['default', 'glm-4-flash', 'instant', 'mine']));
  });
});

describe('listen', () => {
  it('names a port that is taken, and the remedy', async () => {
    const { port } = await start();
    const second = createSimulator();
    const failure = await second.listen(port).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as UserError).code).toBe('port_in_use');
    expect((failure as UserError).message).toContain(`port ${port}`);
    expect((failure as UserError).message).toContain('port 0');
  });

  it('tells an address that is not of this machine from a taken port', async () => {
    const failure = await createSimulator()
      .listen(0, '192.0.2.1')
      .catch((error: unknown) => error);
    expect((failure as UserError).code).toBe('usage');
  });
});

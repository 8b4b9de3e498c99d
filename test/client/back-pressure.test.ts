import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import type { AnswerStream, TimedEvent } from '../../src/client/answer-stream.ts';
import { createClient } from '../../src/client/client.ts';
import type { ClientOptions } from '../../src/client/client-options.ts';
import { CA, chatServer, type Response } from '../support/chat-server.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, SSE_HEAD } from '../support/raw-server.ts';

// A consumer that is behind slows the server down, a measured request and a stream that nobody iterates do not.

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

/** What a server can write to: a raw socket, or a response of node:http2. */
interface Out {
  write(text: string): boolean;
  on(event: 'drain' | 'close', listener: () => void): unknown;
}

/** A server that writes numbered events as fast as they are taken. */
class Source {
  /** Events written. */
  sent = 0;
  closed = false;
  /** The most events to write; the answer then ends. */
  private readonly most: number;

  constructor(most = Number.POSITIVE_INFINITY) {
    this.most = most;
  }

  start(out: Out, frame: (text: string) => string, end: () => void): void {
    out.on('close', () => (this.closed = true));
    const more = () => {
      while (!this.closed && this.sent < this.most) {
        if (!out.write(frame(chatChunk({ content: `${this.sent++} ${'x'.repeat(1_000)}` })))) return;
      }
      if (this.sent >= this.most) end();
    };
    out.on('drain', more);
    more();
  }

  /** Waits until the server can write no more: nothing was written in many turns of the loop that it shares with the client. */
  async stalls(forTurns = 60): Promise<void> {
    for (let before = -1, turns = 0; turns < forTurns; turns = before === this.sent ? turns + 1 : 0) {
      if (this.sent * 1_100 > 64_000_000) throw new Error('the server was never held back');
      before = this.sent;
      await wait(2);
    }
  }
}

const END = `${chatChunk({}, 'stop')}data: [DONE]\n\n`;

type Transport = 'http' | 'https' | 'h2';

async function serve(transport: Transport, sources: Source[], options: Partial<ClientOptions> = {}) {
  let next = 0;
  const server =
    transport === 'http'
      ? await rawServer((socket) => {
          socket.write(SSE_HEAD);
          sources[next++]!.start(socket, chunked, () => socket.write(chunked(END) + CHUNKED_END));
        })
      : await chatServer({
          http: transport === 'h2' ? 2 : 1,
          secure: true,
          answer(response) {
            const out = response as Response & Out;
            sources[next++]!.start(
              out,
              (text) => text,
              () => out.end(END),
            );
          },
        });
  const client = createClient({
    baseUrl: `${server.url}/v1`,
    dialect: 'openai-chat',
    auth: 'none',
    connect: transport === 'http' ? {} : { ca: CA, http: transport === 'h2' ? 2 : 1 },
    ...options,
    limits: { aheadBytes: 100_000, ...options.limits },
  });
  open.push(client, server);
  return client;
}

const numberOf = (event: TimedEvent) =>
  event.type === 'message_chunk' ? Number.parseInt(event.text, 10) : -1;

/** Takes content events, which must be the next ones, and answers with the number after them. */
async function take(iterator: AsyncIterator<TimedEvent>, from: number, count: number): Promise<number> {
  let next = from;
  while (next < from + count) {
    const { value } = (await iterator.next()) as { value: TimedEvent };
    if (value.type === 'start') continue;
    if (numberOf(value) !== next)
      expect.fail(`event ${next} is missing: ${JSON.stringify(value).slice(0, 100)}`);
    next++;
  }
  return next;
}

const iterate = (stream: AnswerStream) => stream[Symbol.asyncIterator]();

describe.each<Transport>(['http', 'https', 'h2'])('%s', (transport) => {
  test('an endless server is paused, and continues when its events are consumed', async () => {
    const source = new Source();
    // Below the time that the consumer takes. The kernel itself may wait 200 ms before it sends to a window that opens.
    const client = await serve(transport, [source], { timeouts: { idleMs: 1_000 } });
    const stream = client.stream({ prompt: 'hi', keepText: false });
    const events = iterate(stream);
    let next = await take(events, 0, 3);
    for (let turn = 0; turn < 3; turn++) {
      await source.stalls();
      const before = source.sent;
      next = await take(events, next, 5_000);
      expect(source.sent).toBeGreaterThan(before);
      expect(process.memoryUsage().arrayBuffers).toBeLessThan(200_000_000);
    }
    await source.stalls(600);
    next = await take(events, next, 1_000);
    await source.stalls();
    stream.cancel('enough');
    const { outcome, pausedMs } = await stream.result;
    expect(outcome).toMatchObject({ kind: 'cancelled', message: 'enough' });
    expect(pausedMs).toBeGreaterThan(1_000);
    while (!source.closed) await wait(2);
  });

  test('a slow consumer gets all events in order, and the connection is reused', async () => {
    const client = await serve(transport, [new Source(4_000), new Source(3)]);
    const stream = client.stream({ prompt: 'hi' });
    let next = 0;
    for await (const event of stream) {
      if (event.type !== 'message_chunk') continue;
      expect(numberOf(event)).toBe(next++);
      if (next % 500 === 0) await wait(10);
    }
    expect(next).toBe(4_000);
    const first = await stream.result;
    expect(first.outcome.kind).toBe('ok');
    expect(first.pausedMs).toBeGreaterThan(0);
    const second = await client.stream({ prompt: 'hi' }).result;
    expect(second).toMatchObject({ outcome: { kind: 'ok' }, connection: { reused: true } });
    expect(second.pausedMs).toBeUndefined();
  });

  test('a reset while the consumer is behind is an outcome', async () => {
    const source = new Source();
    const sockets: { destroy(): void }[] = [];
    const client = await serve(transport, [source]);
    const start = source.start.bind(source);
    source.start = (out, frame, end) => {
      sockets.push(out as unknown as { destroy(): void });
      start(out, frame, end);
    };
    const stream = client.stream({ prompt: 'hi' });
    const events = iterate(stream);
    await take(events, 0, 1);
    await source.stalls();
    sockets[0]!.destroy();
    for (let done: boolean | undefined = false; !done; ) done = (await events.next()).done;
    expect((await stream.result).outcome.kind).toBe('truncated');
  });
});

test('HTTP/2: a slow consumer does not delay other streams of its session', async () => {
  const slow = new Source();
  const client = await serve('h2', [slow, ...Array.from({ length: 5 }, () => new Source(3_000))]);
  const stream = client.stream({ prompt: 'slow' });
  const events = iterate(stream);
  const next = await take(events, 0, 1);
  await slow.stalls();
  const others = await Promise.all(
    Array.from({ length: 5 }, async () => {
      let count = 0;
      for await (const event of client.stream({ prompt: 'fast' }))
        if (event.type === 'message_chunk') count++;
      return count;
    }),
  );
  expect(others).toEqual([3_000, 3_000, 3_000, 3_000, 3_000]);
  await take(events, next, 2_000);
  await events.return?.();
  expect((await stream.result).outcome.kind).toBe('cancelled');
});

describe('without iteration', () => {
  test('result resolves, whatever the size of the stream', async () => {
    const client = await serve('http', [new Source(3_000)]);
    const observation = await client.stream({ prompt: 'hi' }).result;
    expect(observation).toMatchObject({ outcome: { kind: 'ok' }, contentEvents: 3_000 });
    expect(observation.pausedMs).toBeUndefined();
  });

  test('result resolves when requested after the stream was paused; iterating then throws', async () => {
    const source = new Source(30_000);
    const client = await serve('http', [source]);
    const stream = client.stream({ prompt: 'hi' });
    await source.stalls();
    expect(source.sent).toBeLessThan(30_000);
    expect(await stream.result).toMatchObject({ outcome: { kind: 'ok' }, contentEvents: 30_000 });
    await expect(iterate(stream).next()).rejects.toThrow(/discarded.*iterate before/);
  });

  test('a stream within the limit can be iterated after result', async () => {
    const client = await serve('http', [new Source(20)]);
    const stream = client.stream({ prompt: 'hi' });
    await stream.result;
    let count = 0;
    for await (const event of stream) if (event.type === 'message_chunk') count++;
    expect(count).toBe(20);
  });

  test('a measured request is never paused', async () => {
    const client = await serve('http', [new Source(5_000)]);
    const originAt = performance.now();
    const observation = await client.measure({
      request: { messages: [{ role: 'user', content: 'hi' }], stream: true },
      scheduledAt: originAt,
      originAt,
      keepText: true,
    });
    expect(observation).toMatchObject({ outcome: { kind: 'ok' }, contentEvents: 5_000 });
    expect(observation.pausedMs).toBeUndefined();
  });
});

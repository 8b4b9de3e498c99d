import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { pieceBytes, ReadPace } from '../../src/client/paced-sink.ts';
import type { RequestBehaviour } from '../../src/model/behaviour.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import { CHUNKED_END, chatChunk, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

// Witness: a raw socket server, which sees when its client goes and how much it takes.

const serve = rawServers();
const open: { close(): void }[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item.close();
});

function measured(url: string, behaviour: RequestBehaviour | undefined, signal?: AbortSignal) {
  const connect =
    behaviour?.kind === 'slow' ? { readBytes: pieceBytes(behaviour.bytesPerSecond) } : undefined;
  const client = createClient({ baseUrl: `${url}/v1`, dialect: 'openai-chat', model: 'm', connect });
  open.push(client);
  const now = monotonicClock.now();
  return client.measure({
    request: { messages: [{ role: 'user', content: 'hi' }], stream: true },
    ...{ scheduledAt: now, originAt: now, keepText: false, behaviour, signal },
  });
}

/** A server that streams without end, and counts what it wrote and the connections that were closed by the client. */
async function endless(everyMs: number) {
  const seen = { written: 0, closed: 0 };
  const server = await serve((socket) => {
    socket.write(SSE_HEAD);
    const timer = setInterval(() => {
      seen.written++;
      socket.write(chunked(chatChunk({ content: 'x' })));
    }, everyMs);
    socket.on('close', () => {
      seen.closed++;
      clearInterval(timer);
    });
  });
  return { url: server.url, seen };
}

describe('a planned cancel', () => {
  test('closes the connection after n content events, and is an outcome of its own', async () => {
    const { url, seen } = await endless(5);
    const observation = await measured(url, { kind: 'cancel', after: { tokens: 7 } });
    expect(observation.outcome).toEqual({ kind: 'cancelled', message: 'as planned, after 7 tokens' });
    expect(observation.contentEvents).toBe(7);
    expect(observation.marks.firstToken).toBeDefined();
    await expect.poll(() => seen.closed).toBe(1);
  });

  test('after a time also ends a request that has no answer yet', async () => {
    const { url } = await serve(() => {});
    const observation = await measured(url, { kind: 'cancel', after: { ms: 30 } });
    expect(observation.outcome).toEqual({ kind: 'cancelled', message: 'as planned, after 30 ms' });
  });

  test('does nothing to a stream that ends before', async () => {
    const { url } = await serve((socket) => {
      const body = [chatChunk({ content: 'Hi' }), chatChunk({}, 'stop'), 'data: [DONE]\n\n'];
      socket.end(`${SSE_HEAD}${body.map(chunked).join('')}${CHUNKED_END}`);
    });
    const observation = await measured(url, { kind: 'cancel', after: { tokens: 2 } });
    expect(observation.outcome).toEqual({ kind: 'ok' });
  });

  test('a run that is killed gives its own reason', async () => {
    const { url } = await endless(5);
    const kill = new AbortController();
    const done = measured(url, { kind: 'cancel', after: { ms: 60_000 } }, kill.signal);
    await wait(20);
    kill.abort('interrupted');
    expect((await done).outcome).toEqual({ kind: 'cancelled', message: 'interrupted' });
  });
});

describe('a slow reader', () => {
  test('pauses after each read for as long as its bytes take at its rate', () => {
    const pace = new ReadPace(1_000);
    expect(pace.after(100, 0)).toBe(100);
    expect(pace.after(50, 100)).toBe(50);
    // Two reads before the pause began.
    expect(pace.after(200, 150)).toBe(200);
    expect(pace.after(100, 150)).toBe(300);
    // An idle time is not made up for.
    expect(pace.after(10, 5_000)).toBe(10);
  });

  test('takes small pieces, at most 64 KiB', () => {
    expect([2_000, 20_000, 100_000_000].map(pieceBytes)).toEqual([256, 1_000, 65_536]);
  });

  test('makes the server wait: what it has not read stays in the server', async () => {
    const piece = chunked(chatChunk({ content: 'x'.repeat(16_000) }));
    const pieces = 600;
    let beganAt = 0;
    let handedOverAt = 0;
    const { url } = await serve((socket) => {
      beganAt = monotonicClock.now();
      socket.write(SSE_HEAD);
      let left = pieces;
      const more = () => {
        while (left-- > 0) {
          if (socket.write(piece)) continue;
          socket.once('drain', more);
          return;
        }
        socket.write(
          `${chunked(chatChunk({}, 'stop'))}${chunked('data: [DONE]\n\n')}${CHUNKED_END}`,
          () => (handedOverAt = monotonicClock.now()),
        );
      };
      more();
    });
    const bytesPerSecond = 16_000_000;
    const observation = await measured(url, { kind: 'slow', bytesPerSecond });
    expect(observation.outcome).toEqual({ kind: 'ok' });
    expect(observation.contentEvents).toBe(pieces);
    const { firstByte = 0, end = 0 } = observation.marks;
    // The last piece is read without a pause after it.
    const leastMs = (1_000 * (observation.bytes - 65_536)) / bytesPerSecond;
    expect(end - firstByte).toBeGreaterThanOrEqual(leastMs - 1);
    expect(observation.pausedMs).toBeGreaterThan(leastMs / 2);
    // The kernel takes a few MB of the 9.7 MB; for the rest the server had to wait.
    expect(handedOverAt - beganAt).toBeGreaterThan(leastMs / 4);
  });

  test('reads steadily at a low rate, and no time limit runs meanwhile', async () => {
    const { url } = await serve((socket) => {
      const body = Array.from({ length: 40 }, () => chatChunk({ content: 'x' }));
      socket.write(
        `${SSE_HEAD}${[...body, chatChunk({}, 'stop'), 'data: [DONE]\n\n'].map(chunked).join('')}${CHUNKED_END}`,
      );
    });
    const observation = await measured(url, { kind: 'slow', bytesPerSecond: 20_000 });
    expect(observation.outcome).toEqual({ kind: 'ok' });
    // 1,000 bytes at a time: about 5 kB arrive in at least 5 reads.
    expect(observation.reads).toBeGreaterThanOrEqual(Math.floor(observation.bytes / 1_000));
    expect(Math.max(...observation.gaps)).toBeLessThan(1_000);
  });
});

import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/client.ts';
import { EventIdTally } from '../../src/client/event-ids.ts';
import { arrivalsOf } from '../../src/model/chunks.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import { chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

// Witness: a raw server that breaks its connections, and keeps the bytes of each request.

const serve = rawServers();
const open: { close(): void }[] = [];
afterEach(() => {
  for (const item of open.splice(0)) item.close();
});

function resumed(url: string, policy: { max?: number; waitMs?: number } = {}, signal?: AbortSignal) {
  const client = createClient({ baseUrl: `${url}/feed`, dialect: 'sse', method: 'GET' });
  open.push(client);
  const now = monotonicClock.now();
  return client.measure({
    request: { messages: [], stream: true },
    resume: { max: 3, waitMs: 0, ...policy },
    ...{ scheduledAt: now, originAt: now, keepText: true, keepChunks: true, signal },
  });
}

const event = (id: number) => chunked(`id: ${id}\ndata: e${id};\n\n`);

/** Events from one id to another, in one connection. */
function send(socket: Socket, from: number, to: number, how: 'cut' | 'end') {
  socket.write(SSE_HEAD);
  for (let id = from; id <= to; id++) socket.write(event(id));
  // A chunked body without its last chunk was cut.
  socket.end(how === 'end' ? '0\r\n\r\n' : '');
}

const lastId = (request: string) => /^last-event-id: (.*)$/im.exec(request)?.[1]?.trim();

describe('a broken event stream', () => {
  test('is continued after the last event, and joined to one', async () => {
    const server = await serve((socket, request) => {
      const after = Number(lastId(request) ?? 0);
      send(socket, after + 1, after + 4, after < 8 ? 'cut' : 'end');
    });
    const { outcome, text, ...rest } = await resumed(server.url);
    expect(outcome).toEqual({ kind: 'ok' });
    expect(text).toBe(Array.from({ length: 12 }, (_, i) => `e${i + 1};`).join(''));
    expect(server.requests.map(lastId)).toEqual([undefined, '4', '8']);
    expect(rest.eventIds).toEqual({ count: 12, last: '12', lost: 0, doubled: 0 });
    expect(rest.contentEvents).toBe(12);
    const arrivals = arrivalsOf(rest)!;
    expect(arrivals).toHaveLength(12);
    expect(arrivals.at(-1)).toBeCloseTo(rest.marks.lastToken! - rest.marks.sent!, 2);
    expect(rest.resumptions?.map(({ lastEventId }) => lastEventId)).toEqual(['4', '8']);
    // The outage is a gap like any other, and each is named.
    for (const { outageMs, lostMs, sentMs } of rest.resumptions ?? []) {
      expect(rest.gaps).toContain(outageMs);
      expect(sentMs).toBeGreaterThanOrEqual(lostMs);
    }
  });

  test('a server that skips events, or repeats them, is found out', async () => {
    const server = await serve((socket, request) => {
      const after = lastId(request);
      if (after === undefined) send(socket, 1, 4, 'cut');
      else if (after === '4') send(socket, 8, 9, 'cut');
      else send(socket, 8, 11, 'end');
    });
    const { outcome, eventIds } = await resumed(server.url);
    expect(outcome).toEqual({ kind: 'ok' });
    expect(eventIds).toEqual({ count: 10, last: '11', lost: 3, doubled: 2 });
  });

  test('waits as long as its retry field says', async () => {
    const server = await serve((socket, request) => {
      if (lastId(request) !== undefined) return send(socket, 2, 2, 'end');
      socket.write(`${SSE_HEAD}${chunked('retry: 40\n\n')}${event(1)}`);
      socket.end();
    });
    const { resumptions = [] } = await resumed(server.url, { waitMs: 60_000 });
    expect(resumptions).toHaveLength(1);
    expect((resumptions[0]?.sentMs ?? 0) - (resumptions[0]?.lostMs ?? 0)).toBeGreaterThanOrEqual(39);
  });

  test('stays broken after the last attempt', async () => {
    const server = await serve((socket, request) => {
      const after = Number(lastId(request) ?? 0);
      send(socket, after + 1, after + 1, 'cut');
    });
    const { outcome, resumptions, partial } = await resumed(server.url, { max: 2 });
    expect([outcome.kind, resumptions?.length, partial]).toEqual(['truncated', 2, true]);
    expect(server.requests).toHaveLength(3);
  });

  test('is given up where the server does not know it any more', async () => {
    const server = await serve((socket, request) => {
      if (lastId(request) === undefined) return send(socket, 1, 2, 'cut');
      socket.end('HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n');
    });
    const { outcome } = await resumed(server.url);
    expect(outcome.kind).toBe('truncated');
    expect(outcome.message).toContain('not continued: HTTP 410');
    expect(server.requests).toHaveLength(2);
  });

  test('without ids is not continued', async () => {
    const server = await serve((socket) => {
      socket.write(`${SSE_HEAD}${chunked('data: a\n\n')}`);
      socket.end();
    });
    const { outcome, resumptions, eventIds } = await resumed(server.url);
    expect([outcome.kind, resumptions, eventIds]).toEqual(['truncated', undefined, undefined]);
    expect(server.requests).toHaveLength(1);
  });

  test('is not continued when the run is stopped', async () => {
    const stop = new AbortController();
    const server = await serve((socket) => send(socket, 1, 2, 'cut'));
    const done = resumed(server.url, { waitMs: 60_000 }, stop.signal);
    await expect.poll(() => server.requests.length).toBe(1);
    setTimeout(() => stop.abort('interrupted'), 20);
    expect((await done).outcome.kind).toBe('truncated');
    expect(server.requests).toHaveLength(1);
  });
});

describe('event ids', () => {
  const tally = (...connections: (string | number)[][]) => {
    const ids = new EventIdTally();
    for (const [index, connection] of connections.entries()) {
      if (index > 0) ids.reconnected();
      for (const id of connection) ids.add(String(id));
    }
    return ids.result();
  };

  test('numbers after a prefix are compared', () => {
    expect(tally(['msg_7f.1', 'msg_7f.2'], ['msg_7f.4'])).toMatchObject({ lost: 1, doubled: 0 });
  });

  test('ids that do not count up are not said to be lost', () => {
    expect(tally([1_700_000_000_123, 1_700_000_000_456], [1_700_000_000_999])).toMatchObject({
      lost: undefined,
      doubled: 0,
    });
    expect(tally(['a', 'b'], ['b', 'c'])).toMatchObject({ lost: undefined, doubled: 1 });
  });

  test('an empty id resets the position', () => {
    const ids = new EventIdTally();
    for (const id of ['1', '2', '']) ids.add(id);
    expect(ids.last).toBeUndefined();
  });
});

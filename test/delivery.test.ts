import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TimedEvent } from '../src/client/answer-stream.ts';
import { createClient, type StreamClient } from '../src/client/client.ts';
import { isContent } from '../src/model/events.ts';
import type { ConnectOptions } from '../src/model/plan.ts';
import type { Observation } from '../src/model/record.ts';
import { CA, type ChatServerOptions, chatServer } from './support/chat-server.ts';
import { proxyServer } from './support/proxy-server.ts';
import { chatChunk } from './support/raw-server.ts';

// What the server writes is seen when it is written, whatever is on the way. No clock decides here: the server writes its
// next event only when the client has seen the one before, so that a buffer anywhere would bring both to a standstill.

const folder = mkdtempSync(join(tmpdir(), 'sb-'));
const open: { close(): unknown }[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const item of open.splice(0)) await item.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Resolves in turn: the server waits for the client here. */
class Baton {
  private pass = () => {};
  private handed = Promise.resolve();

  take(): Promise<void> {
    return this.handed;
  }

  expect(): void {
    this.handed = new Promise((resolve) => {
      this.pass = resolve;
    });
  }

  give(): void {
    this.pass();
  }
}

let baton = new Baton();
beforeEach(() => {
  baton = new Baton();
});

/** Sends the writes one by one, each when the one before has been seen. */
function answering(writes: readonly string[]): NonNullable<ChatServerOptions['answer']> {
  return async (response) => {
    for (const write of writes) {
      baton.expect();
      response.write(write);
      await baton.take();
    }
    response.end(`${chatChunk({}, 'stop')}data: [DONE]\n\n`);
  };
}

const ways: [string, ChatServerOptions, ConnectOptions, 'proxy'?][] = [
  ['HTTP/1.1', {}, {}],
  ['a unix socket', { unix: join(folder, 's.sock') }, { unix: join(folder, 's.sock') }],
  ['TLS', { secure: true }, { ca: CA }],
  ['HTTP/2', { http: 2 }, { http: 2 }],
  ['HTTP/2 and TLS', { http: 2, secure: true }, { http: 2, ca: CA }],
  ['a proxy', {}, {}, 'proxy'],
  ['a tunnel and TLS', { secure: true }, { ca: CA }, 'proxy'],
  ['a tunnel, HTTP/2 and TLS', { http: 2, secure: true }, { http: 2, ca: CA }, 'proxy'],
];

async function clientFor(
  server: ChatServerOptions,
  connect: ConnectOptions,
  by: 'proxy' | undefined,
): Promise<StreamClient> {
  const chat = await chatServer(server);
  const proxy = by === undefined ? undefined : await proxyServer();
  const client = createClient({
    provider: 'openai',
    baseUrl: `${chat.url}/v1`,
    model: 'm',
    connect: { ...connect, ...(proxy === undefined ? {} : { proxy: proxy.url }) },
  });
  open.push(client, ...(proxy === undefined ? [] : [proxy]), chat);
  return client;
}

/** Reads a stream and hands the baton on with each read. */
async function readAll(
  client: StreamClient,
  onRead = () => {},
): Promise<{ events: TimedEvent[]; seen: Observation }> {
  const stream = client.stream({ prompt: 'x' });
  const events: TimedEvent[] = [];
  let read = -1;
  for await (const event of stream) {
    if (!isContent(event)) continue;
    events.push(event);
    if (event.read === read) continue;
    read = event.read;
    onRead();
    // After the events of the same read.
    setImmediate(() => baton.give());
  }
  return { events, seen: await stream.result };
}

const word = (text: string) => chatChunk({ content: text });

describe.each(ways)('over %s', (_name, server, connect, by) => {
  test('small writes are delivered at once', async () => {
    const writes = Array.from({ length: 20 }, (_, i) => word(`w${i} `));
    const client = await clientFor({ ...server, answer: answering(writes) }, connect, by);
    const { events, seen } = await readAll(client);
    expect(seen.outcome).toEqual({ kind: 'ok' });
    expect(events).toHaveLength(20);
    expect(new Set(events.map((event) => event.read)).size).toBe(20);
    expect(seen).toMatchObject({ contentEvents: 20, coalesced: 0 });
    expect(seen.gaps).toHaveLength(19);
    expect(seen.reads).toBeGreaterThanOrEqual(20);
  });

  test('events of one read are counted as such, and have one time and no gap', async () => {
    const writes = [word('a'), word('b') + word('c') + word('d'), word('e')];
    const client = await clientFor({ ...server, answer: answering(writes) }, connect, by);
    const { events, seen } = await readAll(client);
    expect(seen.outcome).toEqual({ kind: 'ok' });
    expect(seen).toMatchObject({ contentEvents: 5, coalesced: 2 });
    expect(seen.gaps).toHaveLength(2);
    const [, b, c, d] = events;
    expect([c!.read, d!.read]).toEqual([b!.read, b!.read]);
    expect([c!.atMs, d!.atMs]).toEqual([b!.atMs, b!.atMs]);
  });

  test('a jump of the wall clock changes no mark', async () => {
    const writes = Array.from({ length: 4 }, (_, i) => word(`w${i} `));
    const client = await clientFor({ ...server, answer: answering(writes) }, connect, by);
    const before = performance.now();
    let hours = 5;
    vi.useFakeTimers({ toFake: ['Date'] });
    const { seen } = await readAll(client, () => {
      hours = -hours * 3;
      vi.setSystemTime(Date.now() + hours * 3_600_000);
    });
    const took = performance.now() - before;
    const { scheduled, started, sent, headers, firstToken, lastToken, end } = seen.marks;
    const marks = [scheduled, started, sent!, headers!, firstToken!, lastToken!, end!];
    expect(marks).toEqual(marks.toSorted((a, b) => a - b));
    expect(end! - scheduled).toBeLessThanOrEqual(took);
    expect(Math.min(...seen.gaps)).toBeGreaterThan(0);
    expect(Math.max(...seen.gaps)).toBeLessThanOrEqual(took);
  });
});

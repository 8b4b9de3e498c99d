import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type ProbeOptions, probe } from '../../../src/bench/probe/probe.ts';
import { type CommandLineScenario, loadFromFlags } from '../../../src/scenario/from-flags.ts';
import type { Override } from '../../../src/scenario/overrides.ts';
import { createSimulator } from '../../../src/simulator/index.ts';
import {
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServer,
  SSE_HEAD,
} from '../../support/raw-server.ts';

const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of cleanup.splice(0)) await close();
});

async function serve(answer: (socket: Socket, request: string) => void): Promise<RawServer> {
  const server = await rawServer(answer);
  cleanup.push(() => server.close());
  return server;
}

function probeOf(flags: CommandLineScenario, options: ProbeOptions = {}, overrides: Override[] = []) {
  return probe(loadFromFlags(flags, { env: {}, overrides }), options);
}

const GET: Override[] = [{ path: 'targets.0.method', value: 'GET', from: 'URL' }];

/** Sends an event, then another, and so on, each when the one before has left. */
function pieces(socket: Socket, texts: readonly string[]): void {
  const [text, ...rest] = texts;
  if (text === undefined) return;
  socket.write(chunked(text), () => setTimeout(pieces, 15, socket, rest));
}

describe('against a server of hand-written bytes', () => {
  test('a stream in answer to stream: false is no whole answer, and nothing is compared with it', async () => {
    const bodies: boolean[] = [];
    const server = await serve((socket, request) => {
      bodies.push(JSON.parse(request.split('\r\n\r\n')[1]!).stream);
      const events = [chatChunk({ content: 'Hel' }), chatChunk({}, 'stop'), 'data: [DONE]\n\n'];
      socket.write(SSE_HEAD + events.map(chunked).join('') + CHUNKED_END);
    });
    const { requests, whole } = await probeOf({
      target: `${server.url}/v1`,
      dialect: 'openai-chat',
      model: 'm',
      mode: 'both',
    });
    expect(bodies).toEqual([true, false]);
    expect(requests.map(({ record }) => record.outcome.kind)).toEqual(['ok']);
    expect(whole!.totalMs).toBeNull();
    expect(whole!.requests[0]!.record).toMatchObject({
      outcome: {
        kind: 'not_a_stream',
        message: expect.stringContaining('the server ignored stream: false'),
      },
      contentEvents: 0,
    });
  });

  test('an endpoint that is no language model is asked with a GET, and its events are told with their times', async () => {
    const server = await serve((socket) => {
      socket.write(SSE_HEAD);
      pieces(socket, [
        'data: one\n\n',
        ': still here\n\n',
        'data: two\n\ndata: three\n\n',
        'event: done\ndata:\n\n',
      ]);
    });
    const { target, requests } = await probeOf(
      { target: `${server.url}/ticker?x=1`, dialect: 'sse' },
      { forMs: 5000 },
      GET,
    );
    expect(server.requests[0]).toMatch(/^GET \/ticker\?x=1 HTTP\/1\.1\r\n/);
    expect(server.requests[0]).toContain('accept: text/event-stream');
    expect(target).toMatchObject({ url: `${server.url}/ticker?x=1`, method: 'GET', dialect: 'sse' });
    const { record, arrivals, stopped, preview } = requests[0]!;
    expect(record).toMatchObject({
      outcome: { kind: 'ok' },
      status: 200,
      contentEvents: 3,
      comments: 1,
      coalesced: 1,
      connection: { reused: false, protocol: 'h1', remote: `127.0.0.1:${server.port}` },
    });
    expect(stopped).toBeUndefined();
    expect(preview).toBe('onetwothree');
    expect(arrivals.map(([, events]) => events)).toEqual([1, 2]);
    expect(arrivals[0]![0]).toBe(record.marks.firstToken);
    expect(arrivals[1]![0]).toBe(record.marks.lastToken);
    expect(record?.text).toBeUndefined();
  });

  test('a stream without an end is ended politely, and what was seen is reported', async () => {
    const server = await serve((socket) => {
      socket.write(SSE_HEAD);
      const timer = setInterval(() => socket.write(chunked('data: tick\n\n')), 10);
      socket.on('close', () => clearInterval(timer));
    });
    const { requests, cold, warm } = await probeOf(
      { target: `${server.url}/ticker`, dialect: 'sse' },
      { forMs: 150, requests: 2 },
      GET,
    );
    for (const { record, stopped } of requests) {
      expect(stopped).toMatchObject({ by: 'time' });
      expect(stopped!.afterMs).toBeGreaterThan(120);
      expect(record.outcome.kind).toBe('cancelled');
      expect(record.contentEvents).toBeGreaterThan(2);
    }
    // Ending a stream costs its connection: the second one is opened before the second request, not by it.
    expect(requests.map(({ record }) => record.connection?.reused)).toEqual([false, true]);
    expect([cold.n, warm.n]).toEqual([1, 1]);
    expect(warm.atMs).not.toHaveProperty('tcp');
  });

  test('an interrupt ends the request that runs, and sends no other', async () => {
    const interrupt = new AbortController();
    const server = await serve((socket) => {
      socket.write(SSE_HEAD + chunked('data: tick\n\n'), () => setTimeout(() => interrupt.abort(), 30));
    });
    const { requests } = await probeOf(
      { target: `${server.url}/ticker`, dialect: 'sse' },
      { requests: 5, signal: interrupt.signal },
      GET,
    );
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ stopped: { by: 'interrupt' }, record: { contentEvents: 1 } });
  });

  test('where nobody listens, that is found out once', async () => {
    const server = await rawServer(() => {});
    await server.close();
    const { requests } = await probeOf({ target: server.url, dialect: 'sse' }, { requests: 5 }, GET);
    expect(requests).toHaveLength(1);
    expect(requests[0]!.record.outcome).toMatchObject({ kind: 'network', code: 'ECONNREFUSED' });
    expect(requests[0]).not.toHaveProperty('lint');
  });

  test('the key is sent, and in nothing that comes out', async () => {
    const key = 'sk-very-secret-key';
    const server = await serve((socket) => {
      const head = `${SSE_HEAD.slice(0, -2)}x-request-id: for ${key}\r\n\r\n`;
      socket.write(head + chunked(chatChunk({ content: `your key is ${key}` }, 'stop')) + CHUNKED_END);
    });
    const report = await probeOf({
      target: `${server.url}/v1?key=${key}`,
      dialect: 'openai-chat',
      apiKey: key,
    });
    expect(server.requests[0]).toContain(`Bearer ${key}`);
    expect(report.requests[0]!.preview).toContain('your key is');
    expect(JSON.stringify(report)).not.toContain(key);
    expect(report.target.url).toBe(`${server.url}/v1/chat/completions?key=[secret]`);
  });

  test('the response is linted, and events after the terminator are counted', async () => {
    const server = await serve((socket) => {
      socket.write(
        SSE_HEAD +
          chunked(`${chatChunk({ content: 'x' }, 'stop')}data: [DONE]\n\ndata: {"late":1}\n\n`) +
          CHUNKED_END,
      );
    });
    const { requests } = await probeOf({ target: server.url, dialect: 'openai-chat' });
    const { lint, streaming } = requests[0]!;
    expect(lint!.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['after-terminator', 'x-accel-buffering']),
    );
    expect(streaming!.verdict).toBe('inconclusive');
  });
});

describe('against the simulator', () => {
  test('one cold request and warm ones after it, with their medians', async () => {
    const simulator = createSimulator({
      profiles: {
        brisk: { ttft: { mean: 20, sd: 0, shape: 'constant' }, gap: { mean: 2, sd: 0, shape: 'constant' } },
      },
    });
    const { url } = await simulator.listen(0, '127.0.0.1');
    cleanup.push(() => simulator.close());
    const { requests, cold, warm } = await probeOf(
      { target: `${url}/v1`, dialect: 'openai-chat', model: 'brisk', maxTokens: 8 },
      { requests: 3 },
    );
    expect(requests.map(({ record }) => record.outcome.kind)).toEqual(['ok', 'ok', 'ok']);
    expect(requests.map(({ record }) => record.connection?.reused)).toEqual([false, true, true]);
    expect([cold.n, warm.n]).toEqual([1, 2]);
    expect(cold.atMs).toHaveProperty('tcp');
    expect(warm.atMs.firstToken).toBeGreaterThan(15);
    expect(requests[0]!.record.tokens).toMatchObject({ output: 8, source: 'usage' });
  });

  test.each(['anthropic', 'ollama-chat', 'ndjson'])('in the dialect %s', async (dialect) => {
    const { requests } = await probeOf({ provider: 'simulator', dialect, model: 'instant', maxTokens: 5 });
    expect(requests[0]!.record).toMatchObject({ outcome: { kind: 'ok' }, status: 200 });
  });

  test('a whole answer', async () => {
    const { target, requests } = await probeOf({
      provider: 'simulator',
      model: 'instant',
      mode: 'non-streaming',
    });
    expect(target.mode).toBe('non-streaming');
    expect(requests[0]!.record).toMatchObject({ mode: 'non-streaming', outcome: { kind: 'ok' } });
    expect(requests[0]!.arrivals).toEqual([]);
    expect(requests[0]!.preview).not.toBe('');
  });
});

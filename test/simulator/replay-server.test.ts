import { connect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { RecordedExchange } from '../../src/cassettes/cassette.ts';
import { playExchange } from '../../src/simulator/play-exchange.ts';
import { createReplayServer, type ReplayServer } from '../../src/simulator/replay-server.ts';
import { cassette, exchange, reads } from '../cassettes/sample.ts';
import { requestBytes } from './raw-client.ts';

// Witness: a bare socket, which sees every byte and how the connection ends.

const CHAT = '/v1/chat/completions';
const servers: ReplayServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(...exchanges: readonly RecordedExchange[]): Promise<number> {
  const server = createReplayServer(cassette(...exchanges), { speed: 50 });
  servers.push(server);
  return (await server.listen(0)).port;
}

/** All bytes of a connection with one request, and how it ended. */
function bytesOf(
  port: number,
  path = CHAT,
  body: unknown = { stream: true },
  method = 'POST',
  openMs?: number,
) {
  return new Promise<{ head: string; body: string; ended: string }>((resolve) => {
    const pieces: Buffer[] = [];
    let ended = 'open';
    const socket = connect(port, '127.0.0.1', () => socket.write(requestBytes(method, path, body)));
    const done = () => {
      socket.destroy();
      const [head = '', ...rest] = Buffer.concat(pieces).toString('latin1').split('\r\n\r\n');
      resolve({ head, body: rest.join('\r\n\r\n'), ended });
    };
    socket.on('data', (piece) => {
      pieces.push(piece);
      if (openMs === undefined && piece.toString('latin1').endsWith('0\r\n\r\n')) done();
    });
    socket.on('error', () => (ended = 'reset'));
    socket.on('end', () => (ended = 'fin'));
    socket.on('close', done);
    if (openMs !== undefined) setTimeout(done, openMs);
  });
}

const chunk = (bytes: Uint8Array) =>
  `${bytes.byteLength.toString(16)}\r\n${Buffer.from(bytes).toString('latin1')}\r\n`;

describe('a replayed response', () => {
  test('has the status, the headers and the bytes of the recording, one write for each read', async () => {
    const headers = {
      'content-type': 'text/event-stream',
      'set-cookie': ['a=1', 'b=2'],
      'x-name': Buffer.from('é 请').toString('latin1'),
      date: 'Sun, 22 Nov 2026 01:00:00 GMT',
      'transfer-encoding': 'chunked',
      connection: 'close',
      'keep-alive': 'timeout=5',
    };
    const pieces = reads(
      Buffer.from([0xff, 0]),
      Buffer.from('请').subarray(0, 1),
      Buffer.from('请').subarray(1),
    );
    const recorded = exchange({
      response: { atMs: 90, status: 203, headers, protocol: 'h1' },
      reads: pieces,
    });
    const { head, body } = await bytesOf(await serve(recorded));
    const lines = head.split('\r\n');
    expect(lines[0]).toBe('HTTP/1.1 203 Non-Authoritative Information');
    expect(lines.slice(1)).toEqual([
      'content-type: text/event-stream',
      'set-cookie: a=1',
      'set-cookie: b=2',
      `x-name: ${headers['x-name']}`,
      `date: ${headers.date}`,
      'Connection: keep-alive',
      'Keep-Alive: timeout=600',
      'Transfer-Encoding: chunked',
    ]);
    expect(body).toBe(`${pieces.map(({ bytes }) => chunk(bytes)).join('')}0\r\n\r\n`);
  });

  test('ends as the recording did', async () => {
    const ended = async (
      end: RecordedExchange['end'],
      changes: Partial<RecordedExchange> = {},
      openMs?: number,
    ) => {
      const port = await serve(exchange({ ...changes, end }));
      const seen = await bytesOf(port, CHAT, { stream: true }, 'POST', openMs);
      return [seen.body.includes('[DONE]'), seen.body.endsWith('0\r\n\r\n'), seen.ended];
    };
    const { response } = exchange();
    const toTheEnd = { response: { ...response!, headers: {} } };
    expect(await ended({ atMs: 120, kind: 'complete' })).toEqual([true, true, 'open']);
    expect(await ended({ atMs: 120, kind: 'complete' }, toTheEnd)).toEqual([true, false, 'fin']);
    expect(await ended({ atMs: 120, kind: 'cut', code: 'UND_ERR_SOCKET' })).toEqual([true, false, 'fin']);
    expect(await ended({ atMs: 900, kind: 'cut', code: 'ECONNRESET' })).toEqual([true, false, 'reset']);
    expect(await ended({ atMs: 120, kind: 'stopped' })).toEqual([true, true, 'open']);
    expect(await ended({ atMs: 120, kind: 'silent' }, {}, 60)).toEqual([true, false, 'open']);
    expect(await ended({ atMs: 20, kind: 'cut' }, { response: undefined, reads: [] })).toEqual([
      false,
      false,
      'fin',
    ]);
  });

  test('is the one to the same mode and model, and several take turns', async () => {
    const of = (answer: string, body: object, path = CHAT) => {
      const { request } = exchange();
      return exchange({ request: { ...request, path, body: JSON.stringify(body) }, reads: reads(answer) });
    };
    const port = await serve(
      of('flash 1', { model: 'flash', stream: true }),
      of('flash 2', { model: 'flash', stream: true }),
      of('whole', { model: 'flash', stream: false }),
      of('glm', { model: 'glm', stream: true }),
      of('query', {}, '/sse?topic=b'),
      of('other', {}, '/sse?topic=a'),
    );
    const answer = async (body: unknown, path = CHAT) =>
      (await bytesOf(port, path, body)).body.split('\r\n')[1];
    const flash = { model: 'flash', stream: true };
    expect([await answer(flash), await answer(flash), await answer(flash)]).toEqual([
      'flash 1',
      'flash 2',
      'flash 1',
    ]);
    expect(await answer({ model: 'glm', stream: true })).toBe('glm');
    expect(await answer({ model: 'flash', stream: false })).toBe('whole');
    expect(await answer('no JSON', '/sse?topic=a')).toBe('other');
  });

  test('is not there for other paths and methods, and the 404 lists what is', async () => {
    const port = await serve(exchange(), exchange());
    for (const [method, path] of [
      ['GET', CHAT],
      ['POST', '/v1/models?x=1'],
    ] as const) {
      const { head, body } = await bytesOf(port, path, '', method, 60);
      expect(head).toMatch(/^HTTP\/1\.1 404 /);
      expect(body).toBe(`this cassette has no ${method} ${path.split('?')[0]}\nit has: POST ${CHAT}\n`);
    }
  });

  test('fails to start on a port in use, with a remedy', async () => {
    const port = await serve(exchange());
    const second = createReplayServer(cassette(exchange()));
    await expect(second.listen(port)).rejects.toThrow(/already in use\n {2}choose another port/);
  });
});

test.each([1, 2, 0.5])('at %d times the pace, each read is written at its time', (speed) => {
  const due: number[] = [];
  const written: [number, string][] = [];
  let now = 1000;
  let next: (() => void) | undefined;
  const res = {
    on() {},
    writeHead: () => written.push([now, 'head']),
    write: (bytes: Uint8Array) => bytes.byteLength === 0 || written.push([now, 'read']),
    end: () => written.push([now, 'end']),
  };
  playExchange(exchange(), {
    res: res as never,
    ...{ receivedAtMs: 1000, speed },
    clock: { now: () => now, wallTime: () => new Date(0) },
    scheduler: {
      at(dueMs, task) {
        due.push(dueMs);
        next = task;
        return { cancel() {} };
      },
      size: 0,
      close() {},
    },
  });
  while (next !== undefined) {
    const task: () => void = next;
    next = undefined;
    now = due.at(-1)!;
    task();
  }
  expect(written.map(([atMs, what]) => [(atMs - 1000) * speed, what])).toEqual([
    [90.5, 'head'],
    [100, 'read'],
    [110, 'read'],
    [120, 'read'],
    [120, 'end'],
  ]);
});

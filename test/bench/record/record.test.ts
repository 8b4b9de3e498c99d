import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { type RecordOptions, record } from '../../../src/bench/record/record.ts';
import { bodyOf } from '../../../src/cassettes/cassette.ts';
import { UserError } from '../../../src/model/errors.ts';
import { type CommandLineScenario, loadFromFlags } from '../../../src/scenario/from-flags.ts';
import { CHAT_BODY, chatChunk, chunked, rawServers, SSE_HEAD } from '../../support/raw-server.ts';

// Witness: a raw server, whose bytes are written by hand.

const serve = rawServers();
const KEY = 'sk-canary-4711-abcdefgh';

function recordOf(
  url: string,
  options: RecordOptions = {},
  flags: CommandLineScenario = {},
  totalMs?: string,
) {
  const overrides =
    totalMs === undefined ? [] : [{ path: 'timeouts.total', value: totalMs, from: '--timeout' }];
  const target = { target: `${url}/v1`, dialect: 'openai-chat', model: 'm', apiKey: KEY, ...flags };
  return record(loadFromFlags(target, { env: {}, overrides }), options);
}

/** Writes a text in pieces of some bytes, 15 ms apart, which may cut characters. */
function dribble(socket: Socket, bytes: Buffer, size: number, done: () => void): void {
  if (bytes.length === 0) {
    done();
    return;
  }
  const piece = bytes.subarray(0, size);
  socket.write(`${piece.length.toString(16)}\r\n`);
  socket.write(piece);
  socket.write('\r\n');
  setTimeout(dribble, 15, socket, bytes.subarray(size), size, done);
}

test('the bytes of the body, their reads, and the request', async () => {
  const sent = Buffer.from(`${chatChunk({ content: '请请请' })}${chatChunk({}, 'stop')}data: [DONE]\n\n`);
  const at = sent.indexOf('请') + 1;
  const server = await serve((socket) => {
    socket.write(`${SSE_HEAD.slice(0, -2)}X-Request-Id: r1\r\nset-cookie: sid=1\r\n\r\n`);
    dribble(socket, sent, at, () => socket.write('0\r\n\r\n'));
  });
  const { cassette, report, warnings } = await recordOf(server.url);
  const [exchange, ...others] = cassette.exchanges;
  expect([others, warnings]).toEqual([[], []]);
  expect(bodyOf(exchange!).equals(sent)).toBe(true);
  expect(exchange!.reads[0]!.bytes).toHaveLength(at);
  expect(exchange!.end.kind).toBe('complete');
  expect(exchange!.response).toMatchObject({
    status: 200,
    protocol: 'h1',
    headers: { 'x-request-id': 'r1', 'set-cookie': '[redacted]', 'transfer-encoding': 'chunked' },
  });
  const { method, path, body } = exchange!.request;
  expect(server.requests[0]).toContain(`${method} ${path} HTTP/1.1`);
  expect(server.requests[0]!.endsWith(body!)).toBe(true);
  expect(JSON.stringify(cassette)).not.toContain('canary');
  // The times are those of the marks.
  const { marks, reads } = report.requests[0]!.record;
  expect(reads).toBe(exchange!.reads.length);
  expect(exchange!.response!.atMs).toBeCloseTo(marks.headers! - marks.sent!, 2);
  expect(exchange!.reads[0]!.atMs).toBeCloseTo(marks.firstByte! - marks.sent!, 2);
});

test('each end of a response', async () => {
  const server = await serve((socket, request) => {
    const { model } = JSON.parse(request.split('\r\n\r\n')[1]!) as { model: string };
    if (model === 'lost') return void socket.destroy();
    socket.write(SSE_HEAD + (model === 'complete' ? CHAT_BODY : chunked(chatChunk({ content: 'Hel' }))));
    if (model === 'cut') setTimeout(() => socket.end(), 20);
  });
  const ended = async (model: string, options: RecordOptions = {}, totalMs?: string) => {
    const { cassette } = await recordOf(server.url, options, { model }, totalMs);
    const [{ end, response, reads }] = cassette.exchanges as [(typeof cassette.exchanges)[0]];
    return [end.kind, response?.status, reads.length > 0];
  };
  expect(await ended('complete')).toEqual(['complete', 200, true]);
  expect(await ended('cut')).toEqual(['cut', 200, true]);
  expect(await ended('lost')).toEqual(['cut', undefined, false]);
  expect(await ended('silent', {}, '60ms')).toEqual(['silent', 200, true]);
  expect(await ended('stopped', { forMs: 60 })).toEqual(['stopped', 200, true]);
});

test('both modes and several requests, in the order in which they were sent', async () => {
  const server = await serve((socket) => void socket.write(SSE_HEAD + CHAT_BODY));
  const { cassette } = await recordOf(server.url, { requests: 2 }, { mode: 'both' });
  expect(cassette.exchanges.map(({ request }) => request.stream)).toEqual([true, false, true, false]);
});

test('only the beginning of a large body, with a warning', async () => {
  const server = await serve((socket) => void socket.write(SSE_HEAD + CHAT_BODY));
  const { cassette, warnings } = await recordOf(server.url, { maxBytes: 10 });
  expect(cassette.exchanges[0]).toMatchObject({ reads: [], end: { kind: 'stopped' } });
  expect(warnings).toEqual(['only the first 10 B of a response are recorded']);
});

test('nothing where no request could be sent, or a key cannot be hidden', async () => {
  const server = await serve((socket) => {
    const pieces = KEY.match(/.{1,3}/g)!.map((content) => chunked(chatChunk({ content })));
    socket.write(SSE_HEAD + pieces.join('') + CHAT_BODY);
  });
  await expect(recordOf(server.url)).rejects.toMatchObject({
    ...{ code: 'output_unwritable', message: expect.stringContaining('quotes a secret in pieces') },
  });
  await server.close();
  const error = await recordOf(server.url).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({ code: 'unreachable', exitCode: 7 });
});

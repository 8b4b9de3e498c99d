import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ProbeReport } from '../../src/report/probe-report.ts';
import { scratch, start, streambench } from '../support/program.ts';
import { chatChunk, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';

const serve = rawServers();
const folder = scratch();
afterAll(() => folder.dispose());

const KEY = 'sk-canary-4711-abcdefgh';
const PIECES = ['Hel', 'lo ', 'wor', 'ld'].map((content) => chatChunk({ content }));
const LAST = `${chatChunk({}, 'stop')}data: [DONE]\n\n`;

test('a recording is replayed: the same bytes to a plain client, and the same figures to a probe', async () => {
  const server = await serve((socket) => {
    socket.write(SSE_HEAD);
    for (const [index, piece] of PIECES.entries())
      setTimeout(() => socket.write(chunked(piece)), 60 + 30 * index);
    setTimeout(() => socket.write(`${chunked(LAST)}0\r\n\r\n`), 200);
  });
  const file = join(folder.path, 'hello.cassette');
  const target = (url: string) => [`${url}/v1`, '--provider', 'openai', '--model', 'm'];
  const env = { OPENAI_API_KEY: KEY };
  const record = (...more: string[]) =>
    streambench(['record', ...target(server.url), '-o', file, ...more], { env });

  const recorded = await record();
  expect(recorded.code, recorded.stderr).toBe(0);
  expect(recorded.stdout).toMatch(
    /^POST \/v1\/chat\/completions: 200, ok, first token [\d.]+ ms, \d reads, /,
  );
  expect(recorded.stdout).toContain(`written: ${file} (1 exchange, `);
  const text = readFileSync(file, 'utf8');
  expect(text).not.toContain('canary');

  // A recording is not lost by a second one.
  const again = await record();
  expect([again.code, again.stderr]).toEqual([
    2,
    expect.stringContaining('already exists\n  choose another file: -o FILE, or add --force'),
  ]);
  expect(readFileSync(file, 'utf8')).toBe(text);
  expect(server.requests).toHaveLength(1);

  const replay = start(['replay', file, '--port', '0']);
  await replay.until('Ctrl-C stops');
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(replay.stderr())![0];
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', body: '{"stream":true}' });
  expect(await response.text()).toBe(PIECES.join('') + LAST);

  const probed = await streambench(['probe', ...target(url), '--json'], { env });
  const { record: replayed } = (JSON.parse(probed.stdout) as ProbeReport).requests[0]!;
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const times = lines.filter((line) => line.atMs !== undefined).map((line) => line.atMs as number);
  expect(replayed.outcome.kind).toBe('ok');
  expect(replayed.contentEvents).toBe(4);
  // Generous, for a busy machine: benchmarks measure how exact it is.
  expect(Math.abs(replayed.marks.firstToken! - replayed.marks.sent! - times[0]!)).toBeLessThan(40);
  expect(Math.abs(replayed.marks.end! - replayed.marks.sent! - times.at(-1)!)).toBeLessThan(40);

  const missing = await fetch(`${url}/v1/models`);
  expect([missing.status, await missing.text()]).toEqual([
    404,
    expect.stringContaining('has no GET /v1/models'),
  ]);
  replay.kill('SIGINT');
  const { code, stderr } = await replay.done;
  expect(code).toBe(0);
  expect(stderr).toContain('warning: GET /v1/models: not in this cassette, answered with 404');
});

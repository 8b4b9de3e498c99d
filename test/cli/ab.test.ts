import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { abCommand } from '../../src/cli/commands/ab.ts';
import { scratch } from '../support/program.ts';
import { CHUNKED_END, chatChunk, chunked, rawServers, SSE_HEAD } from '../support/raw-server.ts';
import { runCommand } from './in-process.ts';

const folder = scratch();
const startServer = rawServers();
afterAll(() => folder.dispose());

const serve = () =>
  startServer((socket) => {
    socket.write(
      SSE_HEAD + chunked(`${chatChunk({ content: 'hello' }, 'stop')}data: [DONE]\n\n`) + CHUNKED_END,
    );
  });

const ab = (a: string, b: string, words: readonly string[], env: Record<string, string> = {}) =>
  runCommand(abCommand, ['ab', a, b, '-n', '2', '--warmup', '1', '-o', folder.path, ...words], { env });

/** All that a run left on disk. */
function kept(): string {
  return readdirSync(folder.path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

describe('what one side is given does not reach the other', () => {
  const CANARIES = { a: ['sk-canary-a', 'cookie-canary-a'], b: ['sk-canary-b', 'cookie-canary-b'] };

  test('its key and headers', async () => {
    const [a, b] = [await serve(), await serve()];
    const { code, stdout, stderr } = await ab(`${a.url}/v1#one`, `${b.url}/v1#two`, [
      ...['--api-key-a', 'sk-canary-a', '--header-a', 'cookie: cookie-canary-a'],
      ...['--api-key-b', 'sk-canary-b', '--header-b', 'cookie: cookie-canary-b'],
    ]);
    expect(code).toBe(0);
    const [toA, toB] = [a.requests.join('\n'), b.requests.join('\n')];
    for (const canary of CANARIES.a)
      expect([toA.includes(canary), toB.includes(canary)]).toEqual([true, false]);
    for (const canary of CANARIES.b)
      expect([toA.includes(canary), toB.includes(canary)]).toEqual([false, true]);
    const written = kept() + stdout + stderr;
    for (const canary of [...CANARIES.a, ...CANARIES.b]) expect(written).not.toContain(canary);
  });

  test("the key of its provider's variable", async () => {
    const [a, b] = [await serve(), await serve()];
    const env = {
      OPENAI_API_KEY: 'sk-canary-a',
      MISTRAL_API_KEY: 'sk-canary-b',
      GROQ_API_KEY: 'sk-canary-c',
    };
    const sides = ['--provider-a', 'openai', '--provider-b', 'mistral'];
    const { code } = await ab(`${a.url}/v1#one`, `${b.url}/v1#two`, sides, env);
    expect(code).toBe(0);
    for (const request of a.requests) expect(request.match(/sk-canary-\w/g)).toEqual(['sk-canary-a']);
    for (const request of b.requests) expect(request.match(/sk-canary-\w/g)).toEqual(['sk-canary-b']);
  });

  test('a key for both is refused before anything is sent', async () => {
    const [a, b] = [await serve(), await serve()];
    const words = ['--api-key', 'sk-canary-a'];
    await expect(ab(`${a.url}/v1#one`, `${b.url}/v1#two`, words)).rejects.toThrow(
      /would be sent to both sides/,
    );
    expect([a.connections(), b.connections()]).toEqual([0, 0]);
  });
});

test('each side is asked in its own way', async () => {
  const [a, b] = [await serve(), await serve()];
  const { code } = await ab(`${a.url}/v1#one`, `${b.url}/anything?x=1#two`, [
    ...['--max-tokens', '7', '--max-tokens-b', '3', '--provider-b', 'mistral', '--exact-url-b'],
    ...['-H', 'x-team: blue', '--header-b', 'x-team: red'],
  ]);
  expect(code).toBe(0);
  const body = (request: string) => JSON.parse(request.split('\r\n\r\n')[1]!) as Record<string, unknown>;
  expect(a.requests[0]).toMatch(/^POST \/v1\/chat\/completions HTTP/);
  expect(a.requests[0]).toContain('x-team: blue');
  expect(body(a.requests[0]!)).toMatchObject({ model: 'one', max_tokens: 7, stream_options: {} });
  expect(b.requests[0]).toMatch(/^POST \/anything\?x=1 HTTP/);
  expect(b.requests[0]).toContain('x-team: red');
  expect(b.requests[0]).not.toContain('x-team: blue');
  expect(body(b.requests[0]!)).toMatchObject({ model: 'two', max_tokens: 3 });
  expect(b.requests[0]).not.toContain('stream_options');
});

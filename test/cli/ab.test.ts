import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reportRun } from '../../src/bench/run/report-builder.ts';
import { abCommand } from '../../src/cli/commands/ab.ts';
import { ROOT, scratch } from '../support/program.ts';
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

describe('the gate of B against A', () => {
  const SERVER = `"${process.execPath}" "${join(ROOT, 'test/support/ab-server.mjs')}" --port {port}`;
  const commands = (words: readonly string[]) =>
    runCommand(abCommand, ['ab', ...words, '--ready', '/health', '-o', folder.path], { env: {} });

  test('two sides that are the same are refused before anything is sent', async () => {
    const a = await serve();
    const error = await ab(`${a.url}/v1#m`, `${a.url}/v1/#m`, []).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/A and B are the same: both are http.* with model m/);
    expect(String(error)).toContain('two models (URL#MODEL)');
    expect(a.connections()).toBe(0);
  });

  test('two models at one URL are two sides, and a choice: not gated unless that is requested', async () => {
    const a = await serve();
    const sides = [`${a.url}/v1#one`, `${a.url}/v1#two`] as const;
    expect((await ab(...sides, [])).stdout).not.toContain('B against A');
    const gated = await ab(...sides, ['--gate']);
    expect(gated.stdout).toContain('inconclusive: two against one: ttft.p50: 2 values per side, 20 needed');
  });

  test('a slower build: exit 4, its output is kept, and both servers are gone', async () => {
    const { code, stdout, stderr } = await commands([
      ...['--base-command', SERVER, '--new-command', `${SERVER} --delay 120`],
      ...['-n', '40', '-c', '4'],
    ]);
    expect(code, stderr).toBe(4);
    expect(stdout).toMatch(/regression: new is worse than base: ttft\.p50 \+/);
    const [, run = ''] = /^results: (.*)$/m.exec(stderr) ?? [];
    const log = readFileSync(join(run, 'new.log'), 'utf8');
    const pid = Number(/pid (\d+)/.exec(log)?.[1]);
    expect(pid).toBeGreaterThan(0);
    expect(() => process.kill(pid, 0)).toThrow();
    const report = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8'));
    expect(report.ab).toMatchObject({ verdict: 'regression', base: 'base', next: 'new' });
    const { report: again } = await reportRun(run);
    expect(again.ab).toEqual(report.ab);
  }, 60_000);

  test('until decided: the run stops early, says why, and is complete', async () => {
    const { code, stdout, stderr } = await commands([
      ...['--base-command', SERVER, '--new-command', `${SERVER} --delay 200`, '--until-decided'],
      ...['-n', '160', '--rounds', '20', '-c', '4'],
    ]);
    expect(code, stderr).toBe(4);
    expect(stdout).toMatch(
      /stopped after \d+ of at most 20 rounds:\s+ttft\.p50 is worse by more than the\s+tolerance/,
    );
    expect(stdout).not.toContain('ABORTED');
    expect(stderr).not.toContain('to continue');
  }, 60_000);

  test('a build that dies during the run: exit 7, with its last output', async () => {
    const error = await commands([
      ...['--base-command', SERVER, '--new-command', `${SERVER} --dies-after 3`, '-n', '40'],
    ]).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(
      /the new server ended by itself \(exit code 3\); its last output: .*out of memory/,
    );
    expect(error).toMatchObject({ exitCode: 7 });
  }, 60_000);

  test.each([
    [['--base-command', 'x'], /--new-command is missing/],
    [['a/b', '--base-command', 'x', '--new-command', 'y'], /take the place of the targets/],
    [['--base-command', 'x', '--new-command', 'y', '--url', 'http://127.0.0.1:80'], /has no \{port\}/],
    [['--base-command', 'x', '--new-command', 'y', '--until-decided', '--rounds', '3'], /at least 5 rounds/],
    [['--base-command', 'x', '--new-command', 'y', '--until-decided', '--no-gate'], /--no-gate turns off/],
    [[], /--ready is only valid with --base-command/],
  ])('%j is refused', async (words, message) => {
    await expect(commands([...words, '--dry-run'])).rejects.toThrow(message);
  });
});

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { initCommand, joinCurlWords } from '../../src/cli/commands/init.ts';
import { UserError } from '../../src/model/errors.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { runCommand } from './in-process.ts';

const KEY = 'sk-live-0123456789abcdef';

let log: string[] = [];
const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const { url = '', method, headers } = request;
  log.push(`${method} ${url} ${headers.authorization ?? ''}`);
  request.resume().on('end', () => answer(url, response));
});

/** Content type and body by the beginning of the path. */
const ANSWERS: Readonly<Record<string, readonly [string, string]>> = {
  '/own': ['text/event-stream', 'data: {"k":1,"out":{"text":"a"}}\n\ndata: {"k":2,"out":{"text":"b"}}\n\n'],
  '/v1/chat/completions': [
    'text/event-stream',
    'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
  ],
  // The path is that of a known API, the stream is not.
  '/v1/messages': ['text/event-stream', 'data: {"delta":"a"}\n\ndata: {"delta":"b"}\n\n'],
  '/login': ['text/html', '<!doctype html><html>login</html>'],
};

function answer(url: string, response: ServerResponse): void {
  const [type, body] = ANSWERS[url] ?? [];
  if (type !== undefined) {
    response.writeHead(200, { 'content-type': type });
    response.end(body);
    return;
  }
  response.writeHead(401, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ error: { message: `invalid key ${KEY}` } }));
}

let origin = '';
let folder = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  log = [];
  folder = mkdtempSync(join(tmpdir(), 'init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function init(args: readonly string[], env: Record<string, string> = {}) {
  const file = join(folder, 'made.yaml');
  const { stdout, stderr } = await runCommand(initCommand, ['init', ...args, '-o', file], { env });
  return { file, stdout, stderr, text: readFileSync(file, 'utf8') };
}

async function refusal(args: readonly string[], env: Record<string, string> = {}): Promise<UserError> {
  const error: unknown = await init(args, env).catch((thrown: unknown) => thrown);
  if (error instanceof UserError) return error;
  throw error;
}

test('an endpoint of its own is recognised by its answer, with one request', async () => {
  const { file, text, stdout, stderr } = await init([
    `curl ${origin}/own -H 'Authorization: Bearer ${KEY}' --json '{"message":"hi"}'`,
  ]);
  expect(log).toEqual([`POST /own Bearer ${KEY}`]);
  const { scenario } = loadScenario(file, { env: { LOCAL_API_KEY: 'x' } });
  expect(scenario.targets[0]).toMatchObject({ dialect: 'sse', textPath: 'out.text', path: 'exact' });
  expect(text).toMatch(/^# yaml-language-server: \$schema=.+scenario\.schema\.json\n/);
  expect(stdout).toContain('export LOCAL_API_KEY=...');
  expect(stdout).toMatch(/next +streambench run .*made\.yaml --dry-run/);
  expect(text + stdout + stderr).not.toContain(KEY);
});

test('a base URL and a model are an API of chat completions', async () => {
  const { file } = await init([`${origin}/v1`, '--model', 'm']);
  expect(log).toEqual(['POST /v1/chat/completions ']);
  expect(loadScenario(file, { env: {} }).scenario.targets[0]).toMatchObject({
    dialect: 'openai-chat',
    model: 'm',
  });
});

test('a URL whose path suggests another dialect is asked again as its answer shows', async () => {
  const { file } = await init([
    `curl ${origin}/v1/messages --json '{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'`,
  ]);
  expect(log).toHaveLength(2);
  expect(loadScenario(file, { env: {} }).scenario.targets[0]).toMatchObject({
    dialect: 'sse',
    textPath: 'delta',
  });
});

test.each([
  ['/login', /an HTML page.*\n.*login.*No file was written/s],
  ['/other', /HTTP 401: invalid key \$\{env:LOCAL_API_KEY\}\n.*No file was written/s],
])('%s: a failed request writes no file and exits with 7', async (path, message) => {
  const error = await refusal([`curl ${origin}${path} -H 'authorization: Bearer ${KEY}' -d a`]);
  expect(error.exitCode).toBe(7);
  expect(error.message.replaceAll(KEY, '')).toMatch(message);
  expect(readdirSync(folder)).toEqual([]);
});

test('--no-request sends nothing', async () => {
  const { text } = await init([`${origin}/v1/chat/completions`, '--model', 'm', '--no-request']);
  expect(log).toEqual([]);
  expect(text).toContain('No request has been sent');
  rmSync(join(folder, 'made.yaml'));
  const error = await refusal([`${origin}/own`, '--no-request']);
  expect(error.message).toMatch(/the dialect cannot be derived.*\n.*omit --no-request/);
});

test('a HAR file shows the dialect without a request', async () => {
  const har = join(folder, 'a.har');
  const request = {
    method: 'POST',
    url: `${origin}/own`,
    headers: [],
    postData: { text: '{"message":"hi"}' },
  };
  const content = { mimeType: 'text/event-stream', text: 'data: {"out":"a"}\n\ndata: {"out":"b"}\n\n' };
  writeFileSync(har, JSON.stringify({ log: { entries: [{ request, response: { status: 200, content } }] } }));
  const { file } = await init(['--from-har', har, '--no-request']);
  expect(log).toEqual([]);
  expect(loadScenario(file, { env: {} }).scenario.targets[0]).toMatchObject({
    dialect: 'sse',
    textPath: 'out',
  });
});

test('an existing file is never replaced, and nothing is sent', async () => {
  const file = join(folder, 'made.yaml');
  writeFileSync(file, 'mine');
  const error = await refusal([`${origin}/own`]);
  expect(error.message).toMatch(/made\.yaml already exists\n.*--out FILE$/m);
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect(log).toEqual([]);
});

test.each([
  ['none/made.yaml', /there is no folder .*none\n.*--out FILE/],
  ['.', /it is a folder\n.*--out .*NAME/],
  [`${'n'.repeat(300)}.yaml`, /the name is too long\n.*--out FILE/],
])('a file that cannot be written is refused before the request: %.20s', async (name, message) => {
  const args = ['init', `${origin}/own`, '-o', join(folder, name)];
  await expect(runCommand(initCommand, args)).rejects.toThrow(message);
  expect(log).toEqual([]);
});

test('a long name is shortened in the name of the file', async () => {
  const before = process.cwd();
  process.chdir(folder);
  try {
    await runCommand(initCommand, ['init', `${origin}/own`, '--name', '長'.repeat(300)]);
  } finally {
    process.chdir(before);
  }
  expect(readdirSync(folder)).toEqual([`${'長'.repeat(80)}.yaml`]);
});

test('what is missing is named with its flag', async () => {
  expect((await refusal([])).message).toMatch(/a URL or a curl command is needed\n.*init URL --model NAME/);
  expect((await refusal([`${origin}/v1/chat/completions`])).message).toMatch(
    /model is missing\n.*--model NAME/,
  );
  const unset = await refusal(['--provider', 'openai', '--model', 'm']);
  expect(unset.message).toMatch(/not set in the environment: OPENAI_API_KEY\n.*--no-request/);
});

test('the words of a curl command after init are one word', () => {
  const words = [
    'node',
    'streambench',
    'init',
    '--name',
    'x',
    'curl',
    '-H',
    "a: it's",
    '--data-raw',
    '',
    'http://h',
  ];
  expect(joinCurlWords(words)).toEqual([...words.slice(0, 5), `curl -H a:' 'it"'"s --data-raw '' http://h`]);
  const others = ['node', 'streambench', 'init', '--name', 'curl', 'http://h'];
  expect(joinCurlWords(others)).toEqual(others);
  expect(joinCurlWords(['node', 'streambench', 'run', 'curl', 'x'])).toEqual([
    'node',
    'streambench',
    'run',
    'curl',
    'x',
  ]);
});

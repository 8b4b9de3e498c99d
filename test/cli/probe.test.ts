import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { probeCommand } from '../../src/cli/commands/probe.ts';
import { CHUNKED_END, chatChunk, chunked, rawServer, rawServers, SSE_HEAD } from '../support/raw-server.ts';
import { runCommand } from './in-process.ts';

const serve = rawServers();

const answerChat = (socket: Socket) =>
  void socket.write(
    SSE_HEAD + chunked(`${chatChunk({ content: 'hello' }, 'stop')}data: [DONE]\n\n`) + CHUNKED_END,
  );

test('a bare URL is asked with a GET for server-sent events', async () => {
  const server = await serve(
    (socket) => void socket.write(SSE_HEAD + chunked('data: tick\n\n') + CHUNKED_END),
  );
  const { code, stdout } = await runCommand(probeCommand, ['probe', `${server.url}/events`]);
  expect(server.requests[0]).toMatch(/^GET \/events HTTP\/1\.1\r\n/);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^GET http:\/\/127\.0\.0\.1:\d+\/events\nsse · streaming\nHTTP\/1\.1 200 · /);
  expect(stdout).toMatch(/^first event +0 ms +\S+ ms /m);
});

test('a URL of a known API is spoken to in its dialect', async () => {
  const server = await serve(answerChat);
  const { code, stdout } = await runCommand(probeCommand, [
    ...[
      'probe',
      `${server.url}/v1/chat/completions`,
      '--model',
      'm',
      '--prompt',
      'hi',
      '--max-tokens',
      '9',
      '--json',
    ],
    ...['-H', 'x-team: blue'],
  ]);
  expect(code).toBe(0);
  expect(server.requests[0]).toMatch(/^POST \/v1\/chat\/completions /);
  expect(server.requests[0]).toContain('x-team: blue');
  const body = JSON.parse(server.requests[0]!.split('\r\n\r\n')[1]!) as unknown;
  expect(body).toMatchObject({
    model: 'm',
    messages: [{ role: 'user', content: expect.stringMatching(/^[0-9a-z]{8}\n\nhi$/) }],
    max_tokens: 9,
  });
  expect(JSON.parse(stdout)).toMatchObject({
    schema: 'streambench/probe@1',
    target: { dialect: 'openai-chat', guessed: true },
    requests: [{ preview: 'hello', record: { outcome: { kind: 'ok' } } }],
  });
});

test('a plain endpoint can be given a body, and then it is sent', async () => {
  const server = await serve(
    (socket) => void socket.write(SSE_HEAD + chunked('data: {"t":"x"}\n\n') + CHUNKED_END),
  );
  const body = '{"question":"why"}';
  const args = ['probe', `${server.url}/ask`, '--body', body, '--text-path', 't', '--json'];
  const { stdout } = await runCommand(probeCommand, args);
  expect(server.requests[0]).toMatch(/^POST \/ask /);
  expect(server.requests[0]).toContain(body);
  expect(JSON.parse(stdout)).toMatchObject({ requests: [{ preview: 'x' }] });
});

test('-n shows cold and warm side by side', async () => {
  const server = await serve(answerChat);
  const { stdout } = await runCommand(probeCommand, [
    'probe',
    `${server.url}/v1/chat/completions`,
    '-n',
    '3',
  ]);
  expect(server.requests).toHaveLength(3);
  expect(server.connections()).toBe(1);
  expect(stdout).toContain('cold and warm (p50 of 2), time since start');
});

test('--for ends a stream that would go on, which is no failure', async () => {
  const server = await serve((socket) => void socket.write(SSE_HEAD + chunked('data: tick\n\n')));
  const { code, stdout } = await runCommand(probeCommand, ['probe', server.url, '--for', '100ms']);
  expect(code).toBe(0);
  expect(stdout).toContain('stopped after 0.1 s');
});

test('where nothing came it exits with 7, and says why and what to do', async () => {
  const server = await rawServer(() => {});
  await server.close();
  const { code, stdout } = await runCommand(probeCommand, ['probe', server.url]);
  expect(code).toBe(7);
  expect(stdout).toContain('network: connect ECONNREFUSED');
  expect(stdout).toContain('nothing is listening there');
});

test('without a URL it probes the embedded simulator, and says so', async () => {
  const { code, stdout, stderr } = await runCommand(probeCommand, ['probe', '--model', 'instant']);
  expect(code).toBe(0);
  expect(stderr).toContain('embedded simulator');
  expect(stdout).toContain('openai-chat · simulator · instant · streaming');
});

test('a key from the environment is used and not shown', async () => {
  const key = 'sk-from-the-environment';
  const server = await serve((socket, request) =>
    socket.write(
      `HTTP/1.1 401 Unauthorized\r\ncontent-length: ${request.includes(key) ? key.length : 0}\r\n\r\n${key}`,
    ),
  );
  for (const json of [[], ['--json']]) {
    const { code, stdout, stderr } = await runCommand(
      probeCommand,
      ['probe', `${server.url}/v1`, '--provider', 'openai', '--model', 'm', ...json],
      { env: { OPENAI_API_KEY: key } },
    );
    expect(code).toBe(7);
    expect(server.requests.at(-1)).toContain(`Bearer ${key}`);
    expect(stdout + stderr).not.toContain(key);
    expect(stdout).toContain('OPENAI_API_KEY');
  }
});

test('a dumb terminal gets ASCII', async () => {
  const server = await serve(answerChat);
  const { stdout } = await runCommand(probeCommand, ['probe', `${server.url}/v1/chat/completions`], {
    env: { TERM: 'dumb' },
  });
  expect(stdout).toMatch(/^[\x20-\x7e\n]+$/);
});

test.each<[string[], string]>([
  [['-n', '0'], '--requests: expected a whole number from 1 to 1000'],
  [['--for', 'soon'], '--for: expected a duration'],
  [['--mode', 'twice'], '--mode'],
  [['--dialect', 'openai-chatt'], 'did you mean "openai-chat"'],
  [['--provider', 'opnai'], 'did you mean "openai"'],
  [['--max-tokens', 'x'], '--max-tokens'],
])('%j is a mistake that nothing is sent for', async (args, message) => {
  const server = await serve(answerChat);
  await expect(runCommand(probeCommand, ['probe', server.url, ...args])).rejects.toThrow(message);
  expect(server.requests).toEqual([]);
});

test('what is no URL is refused', async () => {
  await expect(runCommand(probeCommand, ['probe', 'example.com:8080'])).rejects.toThrow('http://');
});

const refuse =
  (head: string, body = '') =>
  (socket: Socket) =>
    void socket.write(`HTTP/1.1 ${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

test('an exact URL is asked as it is, with any dialect', async () => {
  const server = await serve(answerChat);
  const args = [
    'probe',
    `${server.url}/my/gateway?k=v`,
    '--dialect',
    'openai-chat',
    '--exact-url',
    '--model',
    'm',
  ];
  const { code, stdout } = await runCommand(probeCommand, args);
  expect(code).toBe(0);
  expect(server.requests[0]).toMatch(/^POST \/my\/gateway\?k=v HTTP/);
  expect(stdout).toContain('/my/gateway?k=v');
});

test('a 404 says which path was appended, and a 404 or 405 to a guessed GET names --method POST', async () => {
  const missing = await serve(refuse('404 Not Found'));
  const appended = await runCommand(probeCommand, [
    'probe',
    `${missing.url}/v2`,
    '--provider',
    'vllm',
    '--json',
  ]);
  expect(appended.stdout).toMatch(/path \/chat\/completions was appended.*--exact-url/);
  const guessed = await runCommand(probeCommand, ['probe', `${missing.url}/ask`, '--json']);
  expect(guessed.stdout).toContain('--method POST');
  const chosen = await runCommand(probeCommand, ['probe', `${missing.url}/ask`, '--method', 'get', '--json']);
  expect(chosen.stdout).not.toContain('--method POST');
  const notAllowed = await serve(refuse('405 Method Not Allowed'));
  const refused = await runCommand(probeCommand, ['probe', `${notAllowed.url}/ask`, '--json']);
  expect(refused.stdout).toContain('--method POST');
});

test('a 422 that names a field says how to leave it out, and that works', async () => {
  const error =
    '{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options","include_usage"],"msg":"Extra inputs are not permitted","input":true}]}}';
  const server = await serve((socket, request) =>
    request.includes('stream_options')
      ? refuse('422 Unprocessable Content', error)(socket)
      : answerChat(socket),
  );
  const args = ['probe', `${server.url}/v1`, '--dialect', 'openai-chat', '--model', 'm'];
  const { code, stdout } = await runCommand(probeCommand, [...args, '--json']);
  expect(code).toBe(7);
  const [, setting] = /--set '(targets\.\*\.requestFields\.usage=none)'/.exec(stdout)!;
  expect((await runCommand(probeCommand, [...args, '--set', setting!])).code).toBe(0);
  expect(
    (await runCommand(probeCommand, [...args, '--set', 'targets.0.extra.stream_options=null'])).code,
  ).toBe(0);
});

test('a host of this machine needs no scheme', async () => {
  const server = await serve(answerChat);
  const args = ['probe', `localhost:${server.port}/v1/chat/completions`, '--model', 'm', '--ip', '4'];
  expect((await runCommand(probeCommand, args)).code).toBe(0);
  expect(server.requests[0]).toMatch(/^POST \/v1\/chat\/completions /);
});

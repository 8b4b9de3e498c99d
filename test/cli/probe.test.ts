import type { Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { probeCommand } from '../../src/cli/commands/probe.ts';
import {
  CHUNKED_END,
  chatChunk,
  chunked,
  type RawServer,
  rawServer,
  SSE_HEAD,
} from '../support/raw-server.ts';
import { runCommand } from './in-process.ts';

const servers: RawServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(answer: (socket: Socket, request: string) => void): Promise<RawServer> {
  const server = await rawServer(answer);
  servers.push(server);
  return server;
}

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
  expect(stdout).toContain('cold and warm (p50 of 2): running times');
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
  expect(stdout).toContain('nothing listens there');
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
  [['-n', '0'], '--requests is not a whole number from 1 to 1000'],
  [['--for', 'soon'], '--for soon is not a duration'],
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
  await expect(runCommand(probeCommand, ['probe', 'localhost:8080'])).rejects.toThrow('http://');
});

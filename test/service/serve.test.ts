import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { runProgram, serveProcess } from './serve-process.ts';
import { decode, SECRET, textOf, until } from './support.ts';

test('without a secret it generates one, and prints a token and commands to try', async () => {
  const service = await serveProcess(['--model', 'instant'], { STREAMBENCH_JWT_SECRET: '' });
  await until(() => service.stderr().includes('Ctrl-C'));
  const token = /TOKEN=(\S+)/.exec(service.stderr())?.[1];
  const headers = { authorization: `Bearer ${token}` };
  const response = await service.post('/chat/stream', { message: 'Hello' }, { headers });
  expect(textOf(decode('conversation', await response.text()).events)).not.toBe('');
  expect(service.stderr()).toContain(`${service.url}/#token=`);
  expect(service.stderr()).toMatch(/curl -N .*\/api\/v1\/agents\/a1\/chat\/lumosai\/stream/);
  expect(await service.end('SIGTERM')).toBe(0);
});

test('a given secret is never printed', async () => {
  const service = await serveProcess(['--jwt-secret', SECRET, '--log-level', 'debug']);
  expect((await service.get('/metrics')).status).toBe(200);
  await service.end('SIGTERM');
  expect(service.stderr()).toContain('"path":"/metrics"');
  expect(service.stderr()).not.toContain(SECRET);
});

test('invalid settings are reported at the start', async () => {
  const blocker = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => blocker.once('listening', resolve));
  const { port } = blocker.address() as { port: number };
  const taken = await runProgram(['serve', '--port', String(port)]);
  blocker.close();
  expect([taken.code, taken.stderr]).toEqual([
    2,
    expect.stringContaining(`port ${port} on 127.0.0.1 is already in use`),
  ]);

  const wrong: [string[], string][] = [
    [['--strategy', 'every-chunks'], 'did you mean "every-chunk"'],
    [['--upstream', 'opnai'], 'did you mean "openai"'],
    [['--upstream', 'openai'], 'OPENAI_API_KEY is not set'],
    [['--max-message', '64k'], '--max-message: expected a whole number from 1 to'],
    [['--max-user-streams', '0'], '--max-user-streams: expected a whole number from 1 to'],
    [['--stall-limit', 'never'], '--stall-limit: expected a duration'],
    [['--checkpoint', 'soon'], '--checkpoint: expected a duration'],
    [['--db', '/nowhere/at/all.db'], 'cannot open the message store'],
  ];
  const answers = await Promise.all(wrong.map(([args]) => runProgram(['serve', '--port', '0', ...args])));
  expect(answers.map(({ code }) => code)).toEqual(wrong.map(() => 2));
  for (const [i, [, message]] of wrong.entries()) expect(answers[i]?.stderr).toContain(message);
});

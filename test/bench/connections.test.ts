import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { openFileLimit } from '../../src/bench/doctor/machine.ts';
import { probe } from '../../src/bench/probe/probe.ts';
import { runScenario } from '../../src/bench/run/run.ts';
import { UserError } from '../../src/model/errors.ts';
import { parseScenario } from '../../src/scenario/load.ts';
import { CA_FILE, chatServer } from '../support/chat-server.ts';

const output = mkdtempSync(join(tmpdir(), 'sb-'));
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
  rmSync(output, { recursive: true, force: true });
});

function scenario(target: object, rest: object = {}) {
  const document = {
    version: 1,
    name: 'n',
    targets: [{ name: 't', dialect: 'openai-chat', model: 'm', ...target }],
    prompts: [{ name: 'p', text: 'x' }],
    ...rest,
  };
  return parseScenario(JSON.stringify(document), 's.json', { env: {} });
}

const refusal = (run: Promise<unknown>): Promise<UserError> =>
  run.then(
    () => expect.fail('expected a UserError'),
    (error: unknown) => (error instanceof UserError ? error : Promise.reject(error)),
  );

describe('before anything is sent', () => {
  test.skipIf(openFileLimit() === undefined)(
    'a concurrency above the open-file limit is refused',
    async () => {
      const server = await chatServer();
      open.push(server);
      const load = { concurrency: 20_000_000, requests: 20_000_000, rounds: 1 };
      const { message, exitCode } = await refusal(
        runScenario(scenario({ url: server.url }, { load }), { output }),
      );
      expect(message).toMatch(/20000000 concurrent streams need 20000064 open files.*\n.*ulimit -n/);
      expect(exitCode).toBe(2);
      expect(server.accepted()).toBe(0);
    },
  );

  test.each<[string, object, RegExp]>([
    ['a unix socket that is not there', { unix: join(output, 'missing.sock') }, /ENOENT.*\n.*no unix socket/],
    ['a proxy that is not there', { proxy: 'http://127.0.0.1:1' }, /the proxy 127.0.0.1:1 cannot be reached/],
    ['a host that is not known', { url: 'http://nowhere.invalid' }, /ENOTFOUND.*\n.*does not resolve/],
  ])('%s is told, with a hint', async (_name, target, message) => {
    const error = await refusal(runScenario(scenario({ url: 'https://localhost:9', ...target }), { output }));
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(7);
  });

  test('a service without HTTP/2 is told, with a hint', async () => {
    const server = await chatServer({ secure: true });
    open.push(server);
    const target = { url: server.url, ca: CA_FILE, http: 2 };
    const error = await refusal(runScenario(scenario(target), { output }));
    expect(error.message).toMatch(/does not offer HTTP\/2.*\n.*--http 1/);
    expect(server.requests).toEqual([]);
  });
});

test('a probe makes its connections as it is told', async () => {
  const server = await chatServer({ secure: true, http: 2 });
  open.push(server);
  const target = { url: server.url, ca: CA_FILE, http: 2 };
  const report = await probe(scenario(target, { connection: 'per-request' }), { requests: 2 });
  expect(report.requests.map(({ record }) => record.connection)).toEqual(
    Array(2).fill(expect.objectContaining({ reused: false, protocol: 'h2', alpn: 'h2' })),
  );
});

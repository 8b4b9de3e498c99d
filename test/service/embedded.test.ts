import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEmbeddedService } from '../../src/service/index.ts';
import { createSimulator, type Simulator } from '../../src/simulator/index.ts';
import { decode, PROFILES, textOf, until } from './support.ts';

const BUILT = resolve(import.meta.dirname, '../../dist/service/index.js');

let simulator: Simulator;
let upstreams: { name: string; model: string; client: { baseUrl: string; dialect: string } }[];
beforeAll(async () => {
  simulator = createSimulator({ profiles: PROFILES });
  const { url } = await simulator.listen();
  upstreams = [
    { name: 'simulator', model: 'quick', client: { baseUrl: `${url}/v1`, dialect: 'openai-chat' } },
  ];
});
afterAll(() => simulator.close());

async function ask(url: string, token: string): Promise<string> {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${url}/chat/stream`, {
    method: 'POST',
    headers,
    body: '{"message":"Hello"}',
  });
  return textOf(decode('conversation', await response.text()).events);
}

test('a service takes its upstreams as data, and returns a token', async () => {
  const service = await startEmbeddedService({ upstreams });
  expect(await ask(service.url, service.token)).not.toBe('');
  await service.close();
});

describe('in a process of its own', () => {
  /** Runs a program against the built package. */
  const program = (code: string) =>
    promisify(execFile)(process.execPath, [
      '--input-type=module',
      '-e',
      `import { startEmbeddedService } from ${JSON.stringify(BUILT)};
       const upstreams = ${JSON.stringify(upstreams)};
       ${code}`,
    ]);

  test('it answers, and runs in another process', async () => {
    const { stdout } = await program(`
      const service = await startEmbeddedService({ upstreams });
      const metrics = await (await fetch(service.url + '/metrics')).text();
      const started = Number(/^process_start_time_seconds (\\d+)/m.exec(metrics)[1]);
      const memory = Number(/^process_resident_memory_bytes (\\d+)/m.exec(metrics)[1]);
      console.log(JSON.stringify({ started: started > 1e9, own: memory !== process.memoryUsage.rss() && memory > 1e7 }));
      await service.close();`);
    expect(JSON.parse(stdout)).toEqual({ started: true, own: true });
  });

  test('invalid settings are user errors', async () => {
    const { stdout } = await program(`
      const tries = [{ database: '/nowhere/at/all.db' }, { upstreams: [] }, { upstreams: [{ name: 'x', client: {} }] }];
      const failures = tries.map((wrong) => startEmbeddedService({ upstreams, ...wrong }).catch((error) => error));
      for (const { name, code } of await Promise.all(failures)) console.log(name, code);`);
    expect(stdout).toBe('UserError output_unwritable\nUserError usage\nUserError usage\n');
  });

  test('it ends when its parent ends, also by SIGKILL', async () => {
    const { stdout } = await program(`
      const service = await startEmbeddedService({ upstreams });
      console.log(service.url);
      process.exit(0);`);
    await until(
      async () =>
        !(await fetch(stdout.trim()).then(
          () => true,
          () => false,
        )),
    );
  });
});

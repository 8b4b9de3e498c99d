import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { monotonicClock } from '../../src/model/clock.ts';
import * as sources from '../../src/simulator/embedded.ts';
import { call, chatBody } from './raw-client.ts';

const CHAT = '/v1/chat/completions';
const source = (file: string) => fileURLToPath(new URL(`../../src/simulator/${file}`, import.meta.url));

// The worker needs JavaScript; this makes some without the state of dist/ having a say.
let directory: string;
let compiled: typeof sources;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'simulator-'));
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir: directory,
      minify: false,
      rollupOptions: {
        input: { embedded: source('embedded.ts'), worker: source('worker.ts') },
        output: { entryFileNames: '[name].js', chunkFileNames: '[name].js', format: 'es' },
      },
    },
  });
  await writeFile(join(directory, 'package.json'), '{"type":"module"}');
  compiled = await import(/* @vite-ignore */ pathToFileURL(join(directory, 'embedded.js')).href);
}, 60_000);

afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each([['on a thread of its own'], ['from sources']])('startEmbeddedSimulator %s', (where) => {
  const start = (options?: sources.EmbeddedOptions) =>
    (where === 'from sources' ? sources : compiled).startEmbeddedSimulator(options);

  it("answers, and its truth log has times of this thread's clock", async () => {
    const simulator = await start({
      seed: 3,
      profiles: { mine: { tokens: { shape: 'constant', mean: 7, sd: 0 } } },
    });
    expect(simulator.url).toBe(`http://127.0.0.1:${simulator.port}`);
    const before = monotonicClock.now();
    const { status, body } = await call(simulator.port, 'POST', CHAT, chatBody('mine'));
    const after = monotonicClock.now();
    expect(status).toBe(200);
    expect(body).toContain('"completion_tokens":7');
    await expect.poll(async () => (await simulator.truth()).length).toBe(1);
    const [entry] = await simulator.truth();
    expect(entry).toMatchObject({ model: 'mine', outcome: 'complete' });
    const times = [before, entry!.receivedAtMs, ...entry!.chunks.map(({ sentAtMs }) => sentAtMs), after];
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    await simulator.close();
    await expect(call(simulator.port, 'GET', '/health')).rejects.toThrow();
  });

  it('rejects with the cause and the remedy when the port is taken', async () => {
    const first = await start();
    await expect(start({ port: first.port })).rejects.toMatchObject({
      name: 'UserError',
      code: 'port_in_use',
      message: expect.stringContaining(`port ${first.port} on 127.0.0.1 is already in use`),
    });
    await first.close();
  });
});

describe('a thread that has ended', () => {
  it('rejects questions, and can be closed twice', async () => {
    const simulator = await compiled.startEmbeddedSimulator();
    await simulator.close();
    await simulator.close();
    await expect(simulator.truth()).rejects.toThrow('has stopped');
  });
});

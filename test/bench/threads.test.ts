import { afterEach, expect, test, vi } from 'vitest';
import { runScenario } from '../../src/bench/run/run.ts';
import { parseScenario } from '../../src/scenario/load.ts';
import { chatServer } from '../support/chat-server.ts';
import { scratch } from '../support/program.ts';

const started = vi.hoisted(() => ({ threads: 0 }));
vi.mock('node:worker_threads', async (original) => ({
  ...(await original<typeof import('node:worker_threads')>()),
  Worker: class {
    constructor() {
      started.threads++;
      throw new Error('no thread');
    }
  },
}));

const folder = scratch();
afterEach(() => folder.dispose());

async function run(concurrency: number, workers: number | 'auto') {
  started.threads = 0;
  const server = await chatServer();
  const document = {
    version: 1,
    name: 'n',
    targets: [{ name: 't', url: server.url, dialect: 'openai-chat', model: 'm' }],
    prompts: [{ name: 'p', text: 'x' }],
    load: { concurrency, requests: concurrency, rounds: 1, warmup: 0 },
  };
  const loaded = parseScenario(JSON.stringify(document), 's.json', { env: {} });
  try {
    const { report } = await runScenario(loaded, { output: folder.path, workers });
    return report.cells[0]!;
  } finally {
    await server.close();
  }
}

test.each<[number, number | 'auto']>([
  [4, 1],
  [4, 'auto'],
  [200, 'auto'],
  // No thread would have a stream of its own.
  [1, 8],
])('%i streams on %s workers start no thread', async (concurrency, workers) => {
  const { outcomes, client } = await run(concurrency, workers);
  expect(outcomes).toEqual({ ok: concurrency });
  expect(client!.threads).toBe(1);
  expect(started.threads).toBe(0);
});

test('several workers start threads', async () => {
  await expect(run(4, 2)).rejects.toThrow('no thread');
  expect(started.threads).toBeGreaterThan(0);
});

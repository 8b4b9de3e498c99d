import { afterEach, describe, expect, test } from 'vitest';
import { localRunner } from '../../src/engine/block.ts';
import { clientExecutor } from '../../src/engine/executor.ts';
import { timerSleep } from '../../src/engine/loop.ts';
import { monotonicClock } from '../../src/model/clock.ts';
import { type ConnectOptions, DEFAULT_TIMEOUTS, type RunPlan } from '../../src/model/plan.ts';
import type { Observation } from '../../src/model/record.ts';
import { chatServer } from '../support/chat-server.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const item of open.splice(0)) await item.close();
});

/**
 * Runs two blocks of 6 requests, 3 at once, the first after `warmup` others, and tells for each whether its connections
 * were open.
 */
async function reused(connect: ConnectOptions, warmup = 0) {
  const server = await chatServer({ http: connect.http ?? 1 });
  const baseUrl = `${server.url}/v1`;
  const cell = { target: 't', prompt: 'p', concurrency: 3, mode: 'streaming' } as const;
  const plan: RunPlan = {
    targets: [
      { name: 't', provider: 'custom', dialect: 'openai-chat', baseUrl, auth: 'none', headers: {}, connect },
    ],
    prompts: [{ name: 'p', messages: [{ role: 'user', content: 'hi' }] }],
    ...{ cells: [cell], blocks: [], timeouts: DEFAULT_TIMEOUTS, seed: 1, keepText: false },
  };
  const executor = clientExecutor(plan, monotonicClock, []);
  open.push(executor, server);
  const never = new AbortController().signal;
  const runner = localRunner({
    ...{ clock: monotonicClock, sleep: timerSleep, executor, originAt: monotonicClock.now() },
    signals: { drain: never, kill: never },
  });
  await executor.reach('t');
  const blocks: (boolean | undefined)[][] = [];
  for (const round of [0, 1]) {
    const seen: Observation[] = [];
    const keep = (observation: Observation) => void seen.push(observation);
    await runner.run({ round, cell: 0, requests: 6, warmup: round === 0 ? warmup : 0 }, cell, {
      recorded: keep,
      warmedUp: () => {},
    });
    expect(seen.every(({ outcome }) => outcome.kind === 'ok')).toBe(true);
    blocks.push(seen.map(({ connection }) => connection?.reused).sort());
  }
  return { blocks, accepted: server.accepted() };
}

describe('a block', () => {
  const [open3, open5, open6] = [Array(3).fill(true), Array(5).fill(true), Array(6).fill(true)];
  const [new1, new3, new6] = [[false], Array(3).fill(false), Array(6).fill(false)];

  test('finds warm connections open', async () => {
    expect(await reused({})).toEqual({ blocks: [open6, open6], accepted: 3 });
  });

  test('opens its own when they are cold, and keeps them', async () => {
    expect(await reused({ connection: 'cold' })).toEqual({
      blocks: [
        [...new3, ...open3],
        [...new3, ...open3],
      ],
      accepted: 1 + 6,
    });
  });

  test('opens one for each request with connection: per-request', async () => {
    expect(await reused({ connection: 'per-request' })).toEqual({ blocks: [new6, new6], accepted: 1 + 12 });
  });

  test('of HTTP/2 has one session, cold or warm', async () => {
    expect(await reused({ http: 2 })).toEqual({ blocks: [open6, open6], accepted: 1 });
    const cold = [...new1, ...open5];
    expect(await reused({ http: 2, connection: 'cold' })).toEqual({ blocks: [cold, cold], accepted: 1 + 2 });
  });

  test('has the same connections after a warm-up, new ones if they are cold', async () => {
    expect(await reused({}, 4)).toEqual({ blocks: [open6, open6], accepted: 3 });
    const cold = [...new3, ...open3];
    // The warm-up has opened three of its own.
    expect(await reused({ connection: 'cold' }, 4)).toEqual({ blocks: [cold, cold], accepted: 1 + 3 + 6 });
    const cold2 = [...new1, ...open5];
    expect(await reused({ http: 2, connection: 'cold' }, 4)).toEqual({
      blocks: [cold2, cold2],
      accepted: 1 + 1 + 2,
    });
  });
});

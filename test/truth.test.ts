import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../src/client/client.ts';
import { monotonicClock } from '../src/model/clock.ts';
import type { Observation } from '../src/model/record.ts';
import { createSimulator, type Simulator, type TruthEntry } from '../src/simulator/index.ts';

// What is reported against what the server knows it did, on one clock. The server shares the client's thread here, and
// other work shares the machine's cores, so single requests may be late: medians must agree within this.
const TOLERANCE_MS = 4;
const REQUESTS = 12;

const constant = (mean: number) => ({ shape: 'constant', mean, sd: 0 }) as const;

let simulator: Simulator;
let client: StreamClient;

beforeAll(async () => {
  simulator = createSimulator({
    seed: 7,
    profiles: {
      steady: { ttft: constant(60), gap: constant(12), tokens: constant(15), chunkTokens: 1 },
      stalling: { ttft: constant(20), gap: constant(130), tokens: constant(4), chunkTokens: 1 },
    },
  });
  const { url } = await simulator.listen();
  client = createClient({ provider: 'openai', baseUrl: `${url}/v1` });
  await client.warm(4);
  await measure('steady', true);
  await measure('steady', false);
});

afterAll(async () => {
  client.close();
  await simulator.close();
});

async function measure(
  model: string,
  stream: boolean,
): Promise<{ seen: Observation; truth: TruthEntry; originAt: number }> {
  const originAt = monotonicClock.now();
  const seen = await client.measure({
    request: { model, messages: [{ role: 'user', content: 'what is true?' }], stream },
    scheduledAt: originAt,
    originAt,
    keepText: true,
  });
  const id = seen.headers?.['x-request-id'];
  // The server logs a request when its response has been taken by the kernel, which may be after it was read here.
  for (;;) {
    const truth = simulator.log.find((entry) => entry.requestId === id);
    if (truth !== undefined) return { seen, truth, originAt };
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function series(model: string, stream: boolean, count = REQUESTS) {
  const results = [];
  for (let i = 0; i < count; i++) results.push(await measure(model, stream));
  return results;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** When the chunks with content left the server. */
function sent(truth: TruthEntry): number[] {
  return truth.chunks.filter((chunk) => chunk.contentEvents > 0).map((chunk) => chunk.sentAtMs);
}

describe('what is reported agrees with what the server did', () => {
  test('first token, gaps, last token and end of a stream', async () => {
    const results = await series('steady', true);
    const errors = { ttft: [] as number[], gap: [] as number[], last: [] as number[], end: [] as number[] };
    for (const { seen, truth, originAt } of results) {
      expect(seen.outcome).toEqual({ kind: 'ok' });
      expect(seen.text).toBe(truth.text);
      expect(seen.tokens).toMatchObject({ source: 'usage', output: 15 });
      const times = sent(truth);
      expect(seen.contentEvents).toBe(times.length);
      errors.ttft.push(seen.marks.firstToken! + originAt - times[0]!);
      errors.last.push(seen.marks.lastToken! + originAt - times.at(-1)!);
      errors.end.push(seen.marks.end! + originAt - truth.endAtMs!);
      expect(seen.gaps.length + seen.coalesced).toBe(times.length - 1);
      for (const [i, gap] of seen.gaps.entries())
        if (seen.coalesced === 0) errors.gap.push(gap - (times[i + 1]! - times[i]!));
    }
    for (const [name, values] of Object.entries(errors))
      expect(Math.abs(median(values)), name).toBeLessThan(TOLERANCE_MS);
    // Nothing is seen before it was sent.
    expect(Math.min(...errors.ttft, ...errors.last)).toBeGreaterThan(0);
  });

  test('a server that always takes 60 ms reads as 60 ms, alone and among others', async () => {
    for (const concurrency of [1, 4]) {
      const lanes = await Promise.all(Array.from({ length: concurrency }, () => series('steady', true, 6)));
      const ttft = lanes.flat().map(({ seen }) => seen.marks.firstToken! - seen.marks.sent!);
      expect(Math.abs(median(ttft) - 60), `at ${concurrency}`).toBeLessThan(TOLERANCE_MS);
    }
  });

  test('stalls', async () => {
    const { seen } = await measure('stalling', true);
    expect(seen.gaps).toHaveLength(3);
    for (const gap of seen.gaps) expect(gap).toBeGreaterThan(115);
  });

  test('a whole answer comes when the whole stream would have ended', async () => {
    const results = await series('steady', false, 6);
    const expected = 60 + 14 * 12;
    const total = results.map(({ seen }) => seen.marks.end! - seen.marks.sent!);
    expect(Math.abs(median(total) - expected)).toBeLessThan(2 * TOLERANCE_MS);
    for (const { seen, truth } of results) expect(seen.text).toBe(truth.text);
  });
});

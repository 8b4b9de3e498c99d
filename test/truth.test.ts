import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClient, type StreamClient } from '../src/client/client.ts';
import { monotonicClock } from '../src/model/clock.ts';
import type { Observation } from '../src/model/record.ts';
import { createSimulator, type Simulator, type TruthEntry } from '../src/simulator/index.ts';

// What is reported against what the server knows it did, on one clock. The server shares the client's thread here, and
// other work shares the machine's cores, so that any single request may be late on either side. What is compared is
// therefore the client's stamp with the server's, and of many such differences the lower quartile: what the client adds by
// itself it adds to all of them.
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

/** Of the sizes of the differences. */
function lowerQuartile(differences: readonly number[]): number {
  return differences.map(Math.abs).toSorted((a, b) => a - b)[Math.floor(differences.length / 4)]!;
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
      expect(lowerQuartile(values), name).toBeLessThan(TOLERANCE_MS);
    // Nothing is seen before it was sent.
    expect(Math.min(...errors.ttft, ...errors.last)).toBeGreaterThan(0);
  });

  test.each([
    [1, TOLERANCE_MS],
    [4, TOLERANCE_MS],
    // Here the one thread writes to all of them before it reads from any.
    [32, 2 * TOLERANCE_MS],
  ])('a server that always takes 60 ms reads as 60 ms, %i at once', async (concurrency, tolerance) => {
    await client.warm(concurrency);
    const requests = Math.max(2, 12 / concurrency);
    const lanes = await Promise.all(
      Array.from({ length: concurrency }, () => series('steady', true, requests)),
    );
    const results = lanes.flat();
    const ttft = results.map(({ seen }) => seen.marks.firstToken! - seen.marks.sent!);
    const late = results.map(
      ({ seen, truth, originAt }) => seen.marks.firstToken! + originAt - sent(truth)[0]!,
    );
    // Never less than the server takes, which was never less than it was told to take.
    expect(Math.min(...ttft)).toBeGreaterThanOrEqual(60);
    expect(Math.min(...late)).toBeGreaterThan(0);
    expect(lowerQuartile(late)).toBeLessThan(tolerance);
    // The best of them took what it was told to; 32 at once keep the one thread longer than that.
    if (concurrency <= 4) expect(Math.min(...ttft)).toBeLessThan(60 + 3 * TOLERANCE_MS);
  });

  test('stalls', async () => {
    const results = await series('stalling', true, 4);
    const errors = results.flatMap(({ seen, truth }) => {
      const times = sent(truth);
      expect(seen.gaps).toHaveLength(3);
      // As many as the server made, whatever it made of its own schedule.
      const stalls = seen.gaps.filter((gap) => gap > 65).length;
      expect(stalls).toBe(times.slice(1).filter((time, i) => time - times[i]! > 65).length);
      return seen.gaps.map((gap, i) => gap - (times[i + 1]! - times[i]!));
    });
    expect(lowerQuartile(errors)).toBeLessThan(TOLERANCE_MS);
  });

  test('a whole answer comes when the whole stream would have ended', async () => {
    const results = await series('steady', false, 6);
    const expected = 60 + 14 * 12;
    const errors = results.map(({ seen, truth, originAt }) => seen.marks.end! + originAt - truth.endAtMs!);
    expect(lowerQuartile(errors)).toBeLessThan(TOLERANCE_MS);
    const total = results.map(({ seen }) => seen.marks.end! - seen.marks.sent!);
    expect(Math.min(...total)).toBeGreaterThanOrEqual(expected);
    expect(Math.min(...total)).toBeLessThan(expected + 4 * TOLERANCE_MS);
    for (const { seen, truth } of results) expect(seen.text).toBe(truth.text);
  });
});

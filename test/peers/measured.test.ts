import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { measuredFetch } from '../../src/embed/measured-fetch.ts';
import type { MeasuredObservation } from '../../src/embed/observing.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { NOT_INSTALLED, peersInstalled } from './installed.ts';
import type { Sdk } from './sdk/heard.ts';

// The official client libraries read through measuredFetch what they read without it, and the observation agrees with the
// server's log.

const none = { shape: 'constant', mean: 0, sd: 0 } as const;
const gap = { shape: 'constant', mean: 2, sd: 0 } as const;
const PROFILES = {
  talker: { ttft: none, gap, tokens: { ...none, mean: 20 } },
  refused: { ttft: none, gap, tokens: { ...none, mean: 20 }, error: { rate: 1, kind: 'http_429' as const } },
};
const PROMPT = 'Why is the sky blue?';

/** Libraries by file and export, with the dialect that each speaks. All of them use the global fetch. */
const SDKS: readonly [name: string, file: string, dialect: string][] = [
  ['openaiChat', 'openai', 'openai-chat'],
  ['openaiResponses', 'openai', 'openai-responses'],
  ['anthropicMessages', 'anthropic', 'anthropic'],
  ['gemini', 'gemini', 'gemini'],
  ['ollamaChat', 'ollama', 'ollama-chat'],
  ['cohere', 'cohere', 'cohere'],
  ['aiOpenaiChat', 'ai', 'openai-chat'],
  ['aiAnthropic', 'ai', 'anthropic'],
  ['aiGoogle', 'ai', 'gemini'],
  ['aiUi', 'ai-ui', 'ai-sdk-ui'],
];

let simulator: Simulator;
let url: string;
const native = globalThis.fetch;
beforeAll(async () => {
  simulator = createSimulator({ profiles: PROFILES, seed: 3 });
  ({ url } = await simulator.listen());
});
afterAll(() => simulator.close());

describe.skipIf(!peersInstalled()).each(SDKS)('%s (%s, %s)', (name, file, dialect) => {
  let sdk: Sdk;
  beforeAll(async () => {
    const module: Record<string, Sdk> = await import(`./sdk/${file}.ts`);
    sdk = module[name]!;
  });

  async function ask(mode: 'stream' | 'whole', model: string) {
    const seen: MeasuredObservation[] = [];
    globalThis.fetch = measuredFetch(native, { onObservation: (one) => seen.push(one), keepText: true });
    const before = simulator.log.length;
    try {
      const heard = await sdk[mode]!({ url, model, prompt: PROMPT }).catch((error: unknown) => error);
      await expect.poll(() => seen.length).toBe(1);
      await expect.poll(() => simulator.log.length).toBe(before + 1);
      return { heard, truth: simulator.log.at(-1)!, seen: seen[0]! };
    } finally {
      globalThis.fetch = native;
    }
  }

  it('streams the same, and is observed as the server logged it', async () => {
    const { heard, truth, seen } = await ask('stream', 'talker');
    expect(heard).toMatchObject({ text: truth.text });
    const sent = truth.chunks.reduce((sum, { contentEvents }) => sum + contentEvents, 0);
    expect(seen).toMatchObject({
      stamp: 'reader',
      mode: 'streaming',
      outcome: { kind: 'ok' },
      text: truth.text,
      contentEvents: sent,
      endpoint: { dialect },
    });
    if (truth.usage?.outputTokens !== undefined) expect(seen.tokens.output).toBe(truth.usage.outputTokens);
    // On one clock: nothing is stamped before it was sent, and the spans agree.
    const first = truth.chunks.find(({ contentEvents }) => contentEvents > 0)!;
    const last = truth.chunks.findLast(({ contentEvents }) => contentEvents > 0)!;
    const span = seen.marks.lastToken! - seen.marks.firstToken!;
    expect(seen.marks.firstToken).toBeGreaterThanOrEqual(first.sentAtMs - truth.receivedAtMs);
    expect(Math.abs(span - (last.sentAtMs - first.sentAtMs))).toBeLessThan(60);
  });

  it.skipIf(name === 'aiUi')('answers whole the same', async () => {
    const { heard, truth, seen } = await ask('whole', 'talker');
    expect(heard).toMatchObject({ text: truth.text });
    expect(seen).toMatchObject({
      mode: 'non-streaming',
      outcome: { kind: 'ok' },
      text: truth.text,
      endpoint: { dialect },
    });
  });

  it.skipIf(name === 'aiUi')('is refused the same', async () => {
    const { heard, seen } = await ask('stream', 'refused');
    expect(heard).toBeInstanceOf(Error);
    expect(seen.outcome).toMatchObject({ kind: 'rate_limited', status: 429 });
  });
});

if (!peersInstalled()) it.skip(`client libraries of others: ${NOT_INSTALLED}`, () => {});

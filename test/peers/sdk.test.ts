import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProfileInput, profileTable } from '../../src/simulator/profile.ts';
import { makeScript, scriptEvents } from '../../src/simulator/script.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import type { TruthEntry } from '../../src/simulator/truth.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { NOT_INSTALLED, peersInstalled } from './installed.ts';
import type { Heard, Question, Sdk } from './sdk/heard.ts';

// Client libraries that share no code with ours read what the simulator writes. Each must hear what was said.

const none = { shape: 'constant', mean: 0, sd: 0 } as const;
const TOKENS = 40;
const instant: ProfileInput = { ttft: none, gap: none, tokens: { ...none, mean: TOKENS } };
const PROFILES: Record<string, ProfileInput> = {
  thinker: { ...instant, thinking: 12, tools: true },
  plain: instant,
  broken: { ...instant, error: { rate: 1, kind: 'inband' } },
  limited: { ...instant, error: { rate: 1, kind: 'http_429' } },
};
const PROMPT = '你好,请介绍一下流式输出 🙂';
const SEED = 1;

/** What a library, or the API that it speaks, has no place for. */
type Lack = 'thinking' | 'streamed thinking' | 'limit' | 'whole' | 'errors in the body';

/** The exports of `sdk/`, which are loaded only where the packages are. */
const SDKS: readonly [name: string, file: string, dialect: string, ...lacks: Lack[]][] = [
  ['openaiChat', 'openai', 'openai-chat'],
  ['openaiChatStream', 'openai', 'openai-chat', 'streamed thinking'],
  ['openaiCompletions', 'openai', 'openai-completions'],
  ['openaiResponses', 'openai', 'openai-responses'],
  ['anthropicMessages', 'anthropic', 'anthropic'],
  ['ollamaChat', 'ollama', 'ollama-chat'],
  ['ollamaGenerate', 'ollama', 'ollama-generate'],
  ['gemini', 'gemini', 'gemini'],
  ['cohere', 'cohere', 'cohere'],
  ['zhipu', 'zhipu', 'openai-chat', 'errors in the body'],
  ['aiCompatible', 'ai', 'openai-chat'],
  ['aiOpenaiChat', 'ai', 'openai-chat', 'thinking'],
  ['aiOpenaiResponses', 'ai', 'openai-responses'],
  ['aiAnthropic', 'ai', 'anthropic'],
  ['aiGoogle', 'ai', 'gemini'],
  ['aiUi', 'ai-ui', 'ai-sdk-ui', 'limit', 'whole'],
  ['agUi', 'ag-ui', 'ag-ui', 'limit', 'whole'],
];

let simulator: Simulator;
let url: string;

beforeAll(async () => {
  simulator = createSimulator({ profiles: PROFILES, seed: SEED });
  ({ url } = await simulator.listen());
});

afterAll(() => simulator.close());

describe.skipIf(!peersInstalled()).each(SDKS)('%s (%s, %s)', (name, file, dialect, ...lacks) => {
  let sdk: Sdk;
  beforeAll(async () => {
    const module: Record<string, Sdk> = await import(`./sdk/${file}.ts`);
    sdk = module[name]!;
  });

  const { carries } = getDialect(dialect);
  const modes = lacks.includes('whole') ? (['stream'] as const) : (['stream', 'whole'] as const);

  it.each(modes)('hears text, reasoning, tool calls and usage as scripted: %s', async (mode) => {
    const { heard, truth } = await ask(mode, { model: 'thinker' });
    expect(truth).toMatchObject({ outcome: 'complete', dialect, model: 'thinker' });
    expect(truth.mode).toBe(mode === 'stream' ? 'streaming' : 'whole');
    expect(truth.text).not.toBe('');
    expect(heard.text).toBe(truth.text);
    // As many pieces as were sent: nothing was held back or joined on the way.
    if (mode === 'stream') expect(heard.pieces).toBe(TOKENS);
    expect(truth.thinking !== '').toBe(carries.has('thinking'));
    if (!lacks.includes('thinking') && !(mode === 'stream' && lacks.includes('streamed thinking')))
      expect(heard.thinking ?? '').toBe(truth.thinking);
    expect(heard.calls).toEqual(carries.has('tool_call') ? scriptedCalls() : []);
    expectUsage(heard, truth);
    const finish = carries.has('tool_call') ? sdk.finish.calls : 'stop';
    if (sdk.finish.calls !== undefined) expect(heard.finish).toBe(finish);
  });

  it.each(lacks.includes('limit') ? [] : modes)(
    'hears that the token limit was reached: %s',
    async (mode) => {
      const { heard, truth } = await ask(mode, { model: 'plain', maxTokens: 10 });
      expect(heard.text).toBe(truth.text);
      expect(heard.finish).toBe(sdk.finish.length);
      expect(heard.outputTokens).toBe(10);
      expectUsage(heard, truth);
    },
  );

  it.each(modes)('takes a refusal for an error: %s', async (mode) => {
    expect(await complaint(sdk[mode]!({ url, model: 'limited', prompt: PROMPT }))).toMatch(/429|rate limit/);
  });

  it.each(lacks.includes('errors in the body') ? [] : ['stream'])(
    'takes a failure inside of it for an error: %s',
    async () => {
      expect(await complaint(sdk.stream({ url, model: 'broken', prompt: PROMPT }))).toMatch(
        /failed while answering/,
      );
    },
  );

  async function ask(mode: 'stream' | 'whole', more: Omit<Question, 'url' | 'prompt'>) {
    const before = simulator.log.length;
    const heard = await sdk[mode]!({ url, prompt: PROMPT, ...more });
    await expect.poll(() => simulator.log.length).toBe(before + 1);
    return { heard, truth: simulator.log.at(-1)! };
  }
});

function scriptedCalls(): Heard['calls'] {
  const request = { model: 'thinker', stream: true, messages: [{ role: 'user', content: PROMPT }] } as const;
  const script = makeScript(request, profileTable(PROFILES).thinker!, SEED, 0);
  const { calls } = gather(scriptEvents(script));
  expect(calls).toHaveLength(1);
  return calls.map((call) => ({ name: call.name!, arguments: JSON.parse(call.arguments) }));
}

function expectUsage(heard: Heard, { usage }: TruthEntry): void {
  expect(usage?.outputTokens).toBeGreaterThan(0);
  expect(heard).toMatchObject({ inputTokens: usage?.inputTokens, outputTokens: usage?.outputTokens });
  // Not every API tells.
  if (heard.reasoningTokens !== undefined) expect(heard.reasoningTokens).toBe(usage?.reasoningTokens ?? 0);
}

/** What a library says of a request that must fail. */
async function complaint(request: Promise<Heard>): Promise<string> {
  return request.then(
    (heard) => `no complaint: ${JSON.stringify(heard)}`,
    (reason: unknown) => `${String(reason)} ${JSON.stringify(reason)}`,
  );
}

if (!peersInstalled()) it.skip(`client libraries of others: ${NOT_INSTALLED}`, () => {});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/model/request.ts';
import { createSimulator, type Simulator } from '../../src/simulator/simulator.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { FRAMINGS } from '../../src/wire/framing/framings.ts';
import { gather } from '../../src/wire/whole-answer.ts';
import { decodeReads } from '../wire/streams.ts';

const none = { shape: 'constant', mean: 0, sd: 0 } as const;
let simulator: Simulator;
let url: string;

beforeAll(async () => {
  simulator = createSimulator({
    profiles: {
      thinker: { ttft: none, gap: none, thinking: 6, tools: true },
      broken: { ttft: none, gap: none, error: { rate: 1, kind: 'inband' } },
      limited: { error: { rate: 1, kind: 'http_429' } },
    },
  });
  ({ url } = await simulator.listen());
});

afterAll(() => simulator.close());

async function ask(name: string, model: string, stream: boolean) {
  const dialect = getDialect(name);
  const chat: ChatRequest = { model, stream, messages: [{ role: 'user', content: '你好,请介绍一下' }] };
  const { method, path, headers, body } = dialect.request(chat);
  // Dialects that name no model in their requests can do so in the query.
  const address = new URL(`${url}${path === '' ? `/${name}` : path}`);
  address.searchParams.set('model', model);
  const response = await fetch(address, { method, headers, ...(body ? { body } : {}) });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const requestId = response.headers.get('x-request-id');
  await expect.poll(() => simulator.log.some((entry) => entry.requestId === requestId)).toBe(true);
  const truth = simulator.log.find((entry) => entry.requestId === requestId)!;
  const events = stream
    ? decodeReads(dialect, [bytes])
    : dialect.decodeWhole(Buffer.from(bytes).toString('utf8'));
  return { dialect, response, truth, bytes, events, answer: gather(events) };
}

describe.each(DIALECT_NAMES)('%s', (name) => {
  it('is understood by the decoder of the client: text, thinking, usage and end are the truth', async () => {
    const { dialect, response, truth, answer } = await ask(name, 'thinker', true);
    expect(response.headers.get('content-type')).toBe(FRAMINGS[dialect.framing].contentType);
    expect(truth.dialect).toBe(name);
    expect(truth.text).not.toBe('');
    expect(answer.text).toBe(truth.text);
    expect(answer.thinking).toBe(truth.thinking);
    expect(truth.thinking !== '').toBe(dialect.carries.has('thinking'));
    expect(answer.complete).toBeDefined();
    expect(answer.error).toBeUndefined();
    if (dialect.carries.has('usage') && answer.usage?.outputTokens !== undefined) {
      expect(answer.usage.outputTokens).toBe(truth.usage?.outputTokens);
    }
    expect(answer.calls.length).toBe(dialect.carries.has('tool_call') ? 1 : 0);
  });

  it('gives the same content in a whole answer as in a stream', async () => {
    const stream = await ask(name, 'instant', true);
    const whole = await ask(name, 'instant', false);
    expect(whole.answer.text).toBe(whole.truth.text);
    // Some dialects have streams only; there the second answer is the second stream.
    if (whole.truth.mode === 'whole') expect(whole.answer.text).toBe(stream.answer.text);
  });

  it('fails in the middle as its protocol allows, and as in the truth log', async () => {
    const { dialect, truth, answer } = await ask(name, 'broken', true);
    expect(truth.outcome).toBe(dialect.carries.has('error') ? 'inband_error' : 'truncated');
    expect(answer.error !== undefined).toBe(dialect.carries.has('error'));
    expect(answer.text).toBe(truth.text);
  });

  it('refuses with an error body of its dialect', async () => {
    const { response, truth, bytes } = await ask(name, 'limited', true);
    expect(response.status).toBe(429);
    expect(truth).toMatchObject({ outcome: 'http_error', status: 429 });
    expect(Buffer.from(bytes).toString('utf8')).toContain('rate limit');
  });
});

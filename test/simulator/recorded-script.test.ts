import { describe, expect, test } from 'vitest';
import type { RecordedExchange } from '../../src/cassettes/cassette.ts';
import { createClient } from '../../src/client/client.ts';
import { cassetteProfile } from '../../src/simulator/recorded-script.ts';
import { cassette, exchange, reads } from '../cassettes/sample.ts';
import { start } from './start.ts';

const THINK = 'data: {"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}\n\n';

async function ask(dialect: string, prompt: string, stream = true, ...exchanges: RecordedExchange[]) {
  const { port } = await start({ recorded: cassetteProfile('recorded', cassette(...exchanges)) });
  const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, dialect, model: 'recorded' });
  try {
    if (!stream) return (await client.complete({ prompt })).observation;
    const answer = client.stream({ prompt });
    return await answer.result;
  } finally {
    client.close();
  }
}

const { request, response, reads: hello } = exchange();
const thinking = exchange({
  reads: [...reads(THINK), ...hello.map((read) => ({ ...read, atMs: read.atMs + 10 }))],
});

describe('a cassette as a profile of the simulator', () => {
  test.each(['openai-chat', 'anthropic', 'ollama-chat'])(
    'answers in %s with the recorded content and times',
    async (dialect) => {
      const {
        outcome,
        text,
        thinking: thought,
        marks,
        contentEvents,
      } = await ask(dialect, 'x', true, thinking);
      expect({ outcome, text, thought, contentEvents }).toEqual({
        ...{ outcome: { kind: 'ok' }, text: 'Hello', thought: 'hm', contentEvents: 3 },
      });
      expect(marks.firstToken! - marks.sent!).toBeGreaterThan(98);
      // From the request: the first token may come late on a busy machine, and the recorded times are absolute.
      expect(marks.lastToken! - marks.sent!).toBeGreaterThan(113);
    },
  );

  test('answers a non-streaming request with the whole', async () => {
    const { outcome, text } = await ask('openai-chat', 'x', false, exchange());
    expect([outcome.kind, text]).toEqual(['ok', 'Hello']);
  });

  test('fails as the recorded service did', async () => {
    const cut = exchange({ reads: hello.slice(0, 2), end: { atMs: 115, kind: 'cut' } });
    const refused = exchange({
      request,
      response: { ...response!, status: 503, headers: {} },
      reads: reads('the model is overloaded'),
    });
    expect((await ask('openai-chat', 'x', true, cut)).outcome.kind).toBe('truncated');
    expect((await ask('openai-chat', 'x', true, refused)).outcome).toMatchObject({
      ...{ kind: 'http_error', status: 503, message: expect.stringContaining('the model is overloaded') },
    });
  });
});

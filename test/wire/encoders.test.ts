import { describe, expect, it } from 'vitest';
import type { StreamEvent } from '../../src/model/events.ts';
import type { AnswerContext } from '../../src/wire/dialect.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';

// Where an encoder and its decoder could agree with each other and be wrong together: what client libraries of others
// insist on.

const EVENTS: readonly StreamEvent[] = [
  { type: 'start' },
  { type: 'thinking', text: 'hm' },
  { type: 'message_chunk', text: 'yes' },
  { type: 'tool_call', index: 0, id: 'call_1', name: 'get', arguments: '{}' },
  { type: 'usage', inputTokens: 3, outputTokens: 5 },
  { type: 'complete', finish: 'tool_calls' },
];

function payloads(name: string, context: Partial<AnswerContext> = {}): Record<string, unknown>[] {
  const encode = getDialect(name).encoder({ id: 'a', model: 'm', createdSeconds: 0, ...context });
  return EVENTS.flatMap((event) => [...encode(event)])
    .filter(({ data }) => data !== '[DONE]')
    .map(({ data }) => JSON.parse(data));
}

describe('ollama-chat', () => {
  it('says "stop" of an answer that ends in tool calls', () => {
    expect(payloads('ollama-chat').at(-1)).toMatchObject({ done: true, done_reason: 'stop' });
    const dialect = getDialect('ollama-chat');
    const { body } = dialect.encodeWhole(EVENTS, { id: 'a', model: 'm', createdSeconds: 0 });
    expect(JSON.parse(body)).toMatchObject({ done_reason: 'stop' });
  });

  it('reads reasoning from the field names of other providers', () => {
    const data =
      '{"model":"m","message":{"role":"assistant","content":"","reasoning_content":"hm"},"done":false}';
    expect(getDialect('ollama-chat').decoder().decode({ data })).toContainEqual({
      type: 'thinking',
      text: 'hm',
    });
  });
});

describe('ag-ui', () => {
  it('sends reasoning with its own role', () => {
    const roles = payloads('ag-ui')
      .filter(({ type }) => String(type).endsWith('MESSAGE_START'))
      .map(({ type, role }) => [type, role]);
    expect(roles).toEqual([
      ['REASONING_MESSAGE_START', 'reasoning'],
      ['TEXT_MESSAGE_START', 'assistant'],
    ]);
  });
});

describe('openai-chat', () => {
  const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] });
  const usageAt = (path: string) => {
    const request = getDialect('openai-chat').parseRequest({
      method: 'POST',
      path,
      query: new URLSearchParams(),
      body,
    })!;
    return payloads('openai-chat', { request }).some(({ usage }) => usage !== undefined);
  };

  it("sends usage in a stream only if requested, and always on Zhipu's path", () => {
    expect(usageAt('/v1/chat/completions')).toBe(false);
    expect(usageAt('/api/paas/v4/chat/completions')).toBe(true);
  });
});

import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../../src/model/request.ts';
import { DIALECT_NAMES, getDialect } from '../../src/wire/dialects/index.ts';
import { PROVIDERS, provider } from '../../src/wire/providers.ts';

const ASKED: ChatRequest = {
  model: 'm',
  messages: [{ role: 'user', content: 'hi' }],
  maxTokens: 9,
  stream: true,
};

function bodyOf(dialect: string, more: Partial<ChatRequest> = {}): Record<string, unknown> {
  return JSON.parse(getDialect(dialect).request({ ...ASKED, ...more }).body ?? '{}');
}

const bodyFor = (name: string, more: Partial<ChatRequest> = {}) => {
  const { dialect, requestFields } = provider(name);
  return bodyOf(dialect, { fields: requestFields, ...more });
};

describe('the fields in which providers differ', () => {
  test('Mistral refuses every field that it does not know', () => {
    expect(bodyFor('mistral')).toEqual({
      model: 'm',
      messages: ASKED.messages,
      max_tokens: 9,
      stream: true,
    });
  });

  test.each(['openai', 'azure-openai'])('reasoning models of %s refuse max_tokens', (name) => {
    expect(bodyFor(name)).toEqual({
      model: 'm',
      messages: ASKED.messages,
      max_completion_tokens: 9,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test.each(PROVIDERS.filter(({ dialect }) => dialect === 'openai-chat').map(({ name }) => name))(
    '%s gets one limit, and no stream options without a stream',
    (name) => {
      const limits = ['max_tokens', 'max_completion_tokens'].filter((key) => key in bodyFor(name));
      expect(limits).toHaveLength(1);
      expect(bodyFor(name, { stream: false })).not.toHaveProperty('stream_options');
    },
  );

  test('an unknown endpoint gets what most servers take', () => {
    expect(bodyOf('openai-chat')).toMatchObject({ max_tokens: 9, stream_options: { include_usage: true } });
  });

  test('text completions have only max_tokens as a limit', () => {
    const body = bodyOf('openai-completions', { fields: { maxTokens: 'max_completion_tokens' } });
    expect(body).toMatchObject({ max_tokens: 9 });
    expect(body).not.toHaveProperty('max_completion_tokens');
  });

  test("Perplexity's Responses API gets messages with a type", () => {
    expect(bodyFor('perplexity')).toEqual({
      model: 'm',
      input: [{ type: 'message', role: 'user', content: 'hi' }],
      max_output_tokens: 9,
      stream: true,
    });
  });
});

describe.each(DIALECT_NAMES)('%s: extra fields', (dialect) => {
  test('are merged in, and null removes any field of the body', () => {
    const plain = bodyOf(dialect);
    const added = bodyOf(dialect, { extra: { x_new: { a: 1, b: null } } });
    expect(added).toEqual({ ...plain, x_new: { a: 1 } });
    const nothing = Object.fromEntries(Object.keys(plain).map((key) => [key, null]));
    expect(bodyOf(dialect, { extra: nothing })).toEqual({});
  });

  test('leave the rest of an object as it is', () => {
    for (const [key, value] of Object.entries(bodyOf(dialect))) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) continue;
      expect(bodyOf(dialect, { extra: { [key]: { x_new: 1 } } })[key]).toEqual({ ...value, x_new: 1 });
      for (const inner of Object.keys(value)) {
        const { [inner]: _, ...rest } = value as Record<string, unknown>;
        expect(bodyOf(dialect, { extra: { [key]: { [inner]: null } } })[key]).toEqual(rest);
      }
    }
  });
});

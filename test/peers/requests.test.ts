import { describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/model/request.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { NOT_INSTALLED, peersInstalled } from './installed.ts';

// What the official providers of the AI SDK write for the same request is the witness for images, audio, tools and schemas.

const PNG = 'iVBORw0KGgo=';
const WAV = 'UklGRgAAAABXQVZF';
const PARAMETERS = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
} as const;

const CALLS = [
  { id: 'toolu_1', name: 'weather', arguments: '{"city":"Rome"}' },
  { id: 'toolu_2', name: 'weather', arguments: '{"city":"Oslo"}' },
];

const ours = (dialect: string, audio: boolean): Record<string, unknown> => {
  const image = { kind: 'image', mediaType: 'image/png', data: PNG } as const;
  const sound = { kind: 'audio', mediaType: 'audio/wav', data: WAV } as const;
  const chat: ChatRequest = {
    model: 'gpt-4o',
    messages: [
      { role: 'user', content: 'look', media: audio ? [image, sound] : [image] },
      { role: 'assistant', content: 'wait', toolCalls: CALLS },
      ...CALLS.map((call) => ({ role: 'tool', content: 'sunny', call }) as const),
      { role: 'assistant', content: 'sunny' },
      { role: 'user', content: 'thanks' },
    ],
    maxTokens: 9,
    tools: [{ name: 'weather', description: 'Of a city.', parameters: PARAMETERS }],
    answerSchema: { name: 'answer', schema: PARAMETERS },
    stream: false,
  };
  return JSON.parse(getDialect(dialect).request(chat).body ?? '');
};

async function theirs(provider: string, audio: boolean): Promise<Record<string, unknown>> {
  const { generateText, jsonSchema, Output, tool } = await import('ai');
  let body = '';
  const fetch = async (_url: unknown, init?: { body?: unknown }) => {
    body = String(init?.body);
    return new Response('{}', { status: 400 });
  };
  const settings = { apiKey: 'none', fetch };
  const model = await (async () => {
    switch (provider) {
      case 'openai-chat':
        return (await import('@ai-sdk/openai')).createOpenAI(settings).chat('gpt-4o');
      case 'openai-responses':
        return (await import('@ai-sdk/openai')).createOpenAI(settings).responses('gpt-4o');
      case 'anthropic':
        return (await import('@ai-sdk/anthropic')).createAnthropic(settings)('claude-sonnet-4-5');
      default:
        return (await import('@ai-sdk/google')).createGoogleGenerativeAI(settings)('gemini-2.5-flash');
    }
  })();
  const sound = { type: 'file', data: WAV, mediaType: 'audio/wav' } as const;
  const request = {
    model,
    maxRetries: 0,
    maxOutputTokens: 9,
    messages: [
      {
        role: 'user' as const,
        content: [
          { type: 'image' as const, image: PNG, mediaType: 'image/png' },
          ...(audio ? [sound] : []),
          { type: 'text' as const, text: 'look' },
        ],
      },
      {
        role: 'assistant' as const,
        content: [
          { type: 'text' as const, text: 'wait' },
          ...CALLS.map(({ id, name, arguments: args }) => ({
            type: 'tool-call' as const,
            toolCallId: id,
            toolName: name,
            input: JSON.parse(args),
          })),
        ],
      },
      {
        role: 'tool' as const,
        content: CALLS.map(({ id, name }) => ({
          type: 'tool-result' as const,
          toolCallId: id,
          toolName: name,
          output: { type: 'text' as const, value: 'sunny' },
        })),
      },
      { role: 'assistant' as const, content: 'sunny' },
      { role: 'user' as const, content: 'thanks' },
    ],
    tools: { weather: tool({ description: 'Of a city.', inputSchema: jsonSchema(PARAMETERS) }) },
    output: Output.object({ name: 'answer', schema: jsonSchema(PARAMETERS) }),
  };
  await generateText(request).catch(() => {});
  return JSON.parse(body);
}

/**
 * The same request in one spelling: a text, not a list with one text; of Gemini the older fields, which the AI SDK writes and which
 * take a part of JSON Schema, no ids, which are optional, and results of tools whatever their wrapping.
 */
function normal(body: unknown): unknown {
  const older = JSON.stringify(body)
    .replace('"responseJsonSchema"', '"responseSchema"')
    .replace('"parametersJsonSchema"', '"parameters"');
  const isGemini = older.includes('"generationConfig"');
  return JSON.parse(older, (key, value) => {
    if (isGemini && key === 'additionalProperties') return undefined;
    if (isGemini && key === 'id') return undefined;
    if (key === 'response') return value.result ?? value.content;
    const [part, ...others] = key === 'content' && Array.isArray(value) ? value : [];
    return others.length === 0 && /text$/.test(part?.type) ? part.text : value;
  });
}

describe.skipIf(!peersInstalled())('images, audio, tools and schemas are written as by the AI SDK:', () => {
  it.each([
    ['openai-chat', true],
    ['openai-responses', false],
    ['anthropic', false],
    ['gemini', true],
  ])('%s', async (dialect, audio) => {
    const {
      tool_choice: _default,
      toolConfig: _also,
      model: _model,
      ...witness
    } = await theirs(dialect, audio);
    const mine = ours(dialect, audio);
    expect(normal(mine)).toMatchObject(normal(witness) as object);
  });
});

if (!peersInstalled()) it.skip(`request builders of others: ${NOT_INSTALLED}`, () => {});

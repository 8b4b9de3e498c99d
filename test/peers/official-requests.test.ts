import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChatRequest } from '../../src/model/request.ts';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { NOT_INSTALLED, peersInstalled } from './installed.ts';

// The same request by each official library, as its types have it, and what it put on the wire: the witness for the names and the
// places of our fields. A conversation with two tool calls and their results, a system prompt, and every option that the API has.

const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const ROME = { id: 'call_1', name: 'weather', arguments: '{"city":"Rome"}' };
const OSLO = { id: 'call_2', name: 'weather', arguments: '{"city":"Oslo"}' };
const PNG = 'iVBORw0KGgo=';

const CHAT: ChatRequest = {
  model: 'm',
  messages: [
    { role: 'system', content: 'be brief' },
    { role: 'user', content: 'look', media: [{ kind: 'image', mediaType: 'image/png', data: PNG }] },
    { role: 'assistant', content: '', toolCalls: [ROME, OSLO] },
    { role: 'tool', content: 'sunny', call: ROME },
    { role: 'tool', content: 'snow', call: OSLO },
    { role: 'user', content: 'thanks' },
  ],
  tools: [{ name: 'weather', description: 'Of a city.', parameters: SCHEMA }],
  answerSchema: { name: 'answer', schema: SCHEMA },
  maxTokens: 9,
  temperature: 0.5,
  stop: ['END'],
  seed: 7,
  reasoningEffort: 'low',
  stream: false,
};

let server: Server;
let url: string;
let body = '';

beforeAll(async () => {
  server = createServer((request, response) => {
    body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => response.writeHead(400, { 'content-type': 'application/json' }).end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

/** What the library sent. The server refuses every request. */
async function sent(request: PromiseLike<unknown>): Promise<Record<string, unknown>> {
  await Promise.resolve(request).catch(() => {});
  return JSON.parse(body);
}

function ours(dialect: string, chat: ChatRequest): Record<string, unknown> {
  return JSON.parse(getDialect(dialect).request(chat).body ?? '');
}

const call = ({ id, name, arguments: args }: typeof ROME) =>
  ({ id, type: 'function', function: { name, arguments: args } }) as const;
const input = ({ arguments: args }: typeof ROME) => JSON.parse(args) as Record<string, unknown>;

describe.skipIf(!peersInstalled())('our request is what the official library sends:', () => {
  it('openai, chat completions', async () => {
    const { default: OpenAI } = await import('openai');
    const witness = await sent(
      new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 }).chat.completions.create({
        model: 'm',
        messages: [
          { role: 'system', content: 'be brief' },
          {
            role: 'user',
            content: [
              { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
              { type: 'text', text: 'look' },
            ],
          },
          { role: 'assistant', tool_calls: [call(ROME), call(OSLO)] },
          { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
          { role: 'tool', tool_call_id: 'call_2', content: 'snow' },
          { role: 'user', content: 'thanks' },
        ],
        tools: [
          { type: 'function', function: { name: 'weather', description: 'Of a city.', parameters: SCHEMA } },
        ],
        response_format: {
          type: 'json_schema',
          json_schema: { name: 'answer', schema: SCHEMA, strict: true },
        },
        max_tokens: 9,
        temperature: 0.5,
        stop: ['END'],
        n: 2,
        seed: 7,
        reasoning_effort: 'low',
        stream: false,
      }),
    );
    expect(ours('openai-chat', { ...CHAT, n: 2 })).toEqual(witness);
  });

  it('openai, responses', async () => {
    const { default: OpenAI } = await import('openai');
    const item = ({ id, name, arguments: args }: typeof ROME) =>
      ({ type: 'function_call', call_id: id, name, arguments: args }) as const;
    const witness = await sent(
      new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 }).responses.create({
        model: 'm',
        input: [
          { type: 'message', role: 'system', content: 'be brief' },
          {
            type: 'message',
            role: 'user',
            content: [
              { type: 'input_image', image_url: `data:image/png;base64,${PNG}`, detail: 'auto' },
              { type: 'input_text', text: 'look' },
            ],
          },
          item(ROME),
          item(OSLO),
          { type: 'function_call_output', call_id: 'call_1', output: 'sunny' },
          { type: 'function_call_output', call_id: 'call_2', output: 'snow' },
          { type: 'message', role: 'user', content: 'thanks' },
        ],
        tools: [
          { type: 'function', name: 'weather', description: 'Of a city.', parameters: SCHEMA, strict: false },
        ],
        text: { format: { type: 'json_schema', name: 'answer', schema: SCHEMA, strict: true } },
        max_output_tokens: 9,
        temperature: 0.5,
        reasoning: { effort: 'low' },
        stream: false,
      }),
    );
    const detailed = JSON.parse(
      JSON.stringify(ours('openai-responses', CHAT)).replace(
        '"input_image"',
        '"input_image","detail":"auto"',
      ),
    );
    expect(detailed).toEqual(witness);
  });

  it('@anthropic-ai/sdk', async () => {
    const { default: Anthropic } = await import('@anthropic-ai/sdk');
    const use = (one: typeof ROME) =>
      ({ type: 'tool_use', id: one.id, name: one.name, input: input(one) }) as const;
    const witness = await sent(
      new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 }).messages.create({
        model: 'm',
        max_tokens: 9,
        system: 'be brief',
        messages: [
          {
            role: 'user',
            content: [
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
              { type: 'text', text: 'look' },
            ],
          },
          { role: 'assistant', content: [use(ROME), use(OSLO)] },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'call_1', content: 'sunny' },
              { type: 'tool_result', tool_use_id: 'call_2', content: 'snow' },
            ],
          },
          { role: 'user', content: 'thanks' },
        ],
        tools: [{ name: 'weather', description: 'Of a city.', input_schema: { ...SCHEMA, type: 'object' } }],
        temperature: 0.5,
        stop_sequences: ['END'],
        output_config: { format: { type: 'json_schema', schema: SCHEMA }, effort: 'low' },
        stream: false,
      }),
    );
    expect(ours('anthropic', CHAT)).toEqual(witness);
  });

  it('ollama', async () => {
    const { Ollama } = await import('ollama');
    const use = (one: typeof ROME) => ({ function: { name: one.name, arguments: input(one) } });
    const witness = await sent(
      new Ollama({ host: url }).chat({
        model: 'm',
        messages: [
          { role: 'system', content: 'be brief' },
          { role: 'user', content: 'look', images: [PNG] },
          { role: 'assistant', content: '', tool_calls: [use(ROME), use(OSLO)] },
          { role: 'tool', content: 'sunny', tool_name: 'weather' },
          { role: 'tool', content: 'snow', tool_name: 'weather' },
          { role: 'user', content: 'thanks' },
        ],
        tools: [
          {
            type: 'function',
            function: { name: 'weather', description: 'Of a city.', parameters: SCHEMA as never },
          },
        ],
        format: SCHEMA,
        think: 'low',
        options: { num_predict: 9, temperature: 0.5, stop: ['END'], seed: 7 },
        stream: false,
      }),
    );
    expect(ours('ollama-chat', CHAT)).toEqual(witness);
  });

  it('cohere-ai', async () => {
    const { CohereClientV2 } = await import('cohere-ai');
    const witness = await sent(
      new CohereClientV2({ environment: url, token: 'none', maxRetries: 0 }).chat({
        model: 'm',
        messages: [
          { role: 'system', content: 'be brief' },
          {
            role: 'user',
            content: [
              { type: 'image_url', imageUrl: { url: `data:image/png;base64,${PNG}` } },
              { type: 'text', text: 'look' },
            ],
          },
          { role: 'assistant', toolCalls: [call(ROME), call(OSLO)] },
          { role: 'tool', toolCallId: 'call_1', content: 'sunny' },
          { role: 'tool', toolCallId: 'call_2', content: 'snow' },
          { role: 'user', content: 'thanks' },
        ],
        tools: [
          { type: 'function', function: { name: 'weather', description: 'Of a city.', parameters: SCHEMA } },
        ],
        responseFormat: { type: 'json_object', jsonSchema: SCHEMA },
        maxTokens: 9,
        temperature: 0.5,
        stopSequences: ['END'],
        seed: 7,
      }),
    );
    expect(ours('cohere', CHAT)).toEqual(witness);
  });

  it('@google/genai', async () => {
    const { GoogleGenAI, ThinkingLevel } = await import('@google/genai');
    const client = new GoogleGenAI({ apiKey: 'none', vertexai: false, httpOptions: { baseUrl: url } });
    const use = (one: typeof ROME) => ({ functionCall: { name: one.name, args: input(one) } });
    const result = (text: string) => ({ functionResponse: { name: 'weather', response: { result: text } } });
    const witness = await sent(
      client.models.generateContent({
        model: 'm',
        contents: [
          { role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data: PNG } }, { text: 'look' }] },
          { role: 'model', parts: [use(ROME), use(OSLO)] },
          { role: 'user', parts: [result('sunny'), result('snow')] },
          { role: 'user', parts: [{ text: 'thanks' }] },
        ],
        config: {
          systemInstruction: { parts: [{ text: 'be brief' }] },
          tools: [
            {
              functionDeclarations: [
                { name: 'weather', description: 'Of a city.', parametersJsonSchema: SCHEMA },
              ],
            },
          ],
          responseMimeType: 'application/json',
          responseJsonSchema: SCHEMA,
          maxOutputTokens: 9,
          temperature: 0.5,
          stopSequences: ['END'],
          candidateCount: 2,
          seed: 7,
          thinkingConfig: { thinkingLevel: ThinkingLevel.LOW },
        },
      }),
    );
    expect(ours('gemini', { ...CHAT, n: 2 })).toEqual(witness);
  });
});

if (!peersInstalled()) it.skip(`request builders of others: ${NOT_INSTALLED}`, () => {});

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { Stream as AnthropicStream } from '@anthropic-ai/sdk/core/streaming';
import { GoogleGenAI } from '@google/genai';
import { DefaultChatTransport } from 'ai';
import { CohereClientV2 } from 'cohere-ai';
import { Ollama } from 'ollama';
import { Stream as OpenAIStream } from 'openai/core/streaming';
import { libraryReader, type OpenStream, type Reader } from '../../benchmarks/client/readers.ts';

// The stream readers of the official client libraries. Where one can be had by itself, it is; the others are reached
// through their client, whose request costs little beside a stream of hundreds of events.

const SSE = 'text/event-stream; charset=utf-8';
const NDJSON = 'application/x-ndjson';

const openai: OpenStream = (response) => OpenAIStream.fromSSEResponse(response, new AbortController());
const anthropic: OpenStream = (response) => AnthropicStream.fromSSEResponse(response, new AbortController());

const user = { role: 'user', content: 'hi' } as const;

const ollama = (endpoint: 'chat' | 'generate'): OpenStream => {
  return (response) => {
    const client = new Ollama({ fetch: async () => response });
    return endpoint === 'chat'
      ? client.chat({ model: 'm', messages: [user], stream: true })
      : client.generate({ model: 'm', prompt: 'hi', stream: true });
  };
};

// This library takes no fetch of its own.
const google: OpenStream = async (response) => {
  const { fetch } = globalThis;
  globalThis.fetch = async () => response;
  try {
    const client = new GoogleGenAI({ apiKey: 'none', vertexai: false });
    return await client.models.generateContentStream({ model: 'm', contents: 'hi' });
  } finally {
    globalThis.fetch = fetch;
  }
};

const cohere: OpenStream = (response) =>
  new CohereClientV2({ token: 'none', fetch: async () => response, maxRetries: 0 }).chatStream({
    model: 'm',
    messages: [user],
  });

interface AiModel {
  doStream(options: { prompt: { role: 'user'; content: { type: 'text'; text: string }[] }[] }): PromiseLike<{
    stream: ReadableStream<unknown>;
  }>;
}

const ai = (modelFor: (fetch: () => Promise<Response>) => AiModel): OpenStream => {
  return async (response) => {
    const model = modelFor(async () => response);
    const { stream } = await model.doStream({
      prompt: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
    });
    return stream as unknown as AsyncIterable<unknown>;
  };
};

const aiUi: OpenStream = async (response) => {
  const transport = new DefaultChatTransport({ api: 'http://127.0.0.1/', fetch: async () => response });
  const stream = await transport.sendMessages({
    trigger: 'submit-message',
    chatId: 'chat',
    messageId: undefined,
    abortSignal: undefined,
    messages: [],
  });
  return stream as unknown as AsyncIterable<unknown>;
};

const apiKey = 'none';

/** The libraries that read a dialect, the provider's own first. */
export const LIBRARIES: Readonly<Record<string, readonly Reader[]>> = {
  'openai-chat': [
    libraryReader('openai', SSE, openai),
    libraryReader(
      '@ai-sdk/openai-compatible',
      SSE,
      ai((fetch) => createOpenAICompatible({ name: 'peer', baseURL: 'http://127.0.0.1', fetch })('m')),
    ),
  ],
  'openai-completions': [libraryReader('openai', SSE, openai)],
  'openai-responses': [
    libraryReader('openai', SSE, openai),
    libraryReader(
      '@ai-sdk/openai',
      SSE,
      ai((fetch) => createOpenAI({ apiKey, fetch }).responses('m')),
    ),
  ],
  anthropic: [
    libraryReader('@anthropic-ai/sdk', SSE, anthropic),
    libraryReader(
      '@ai-sdk/anthropic',
      SSE,
      ai((fetch) => createAnthropic({ apiKey, fetch })('m')),
    ),
  ],
  gemini: [
    libraryReader('@google/genai', SSE, google),
    libraryReader(
      '@ai-sdk/google',
      SSE,
      ai((fetch) => createGoogleGenerativeAI({ apiKey, fetch })('m')),
    ),
  ],
  cohere: [libraryReader('cohere-ai', SSE, cohere)],
  'ollama-chat': [libraryReader('ollama', NDJSON, ollama('chat'))],
  'ollama-generate': [libraryReader('ollama', NDJSON, ollama('generate'))],
  'ai-sdk-ui': [libraryReader('ai', SSE, aiUi)],
};

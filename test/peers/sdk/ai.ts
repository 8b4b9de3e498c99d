import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, type LanguageModel, streamText } from 'ai';
import type { Heard, Question, Sdk } from './heard.ts';

const finish = { calls: 'tool-calls', length: 'length' };

/** ai (Vercel's AI SDK) by one of its providers. Each checks every chunk against a schema. */
function aiSdk(name: string, modelOf: (url: string, model: string) => LanguageModel): Sdk {
  const settings = ({ url, model, prompt, maxTokens }: Question) => ({
    model: modelOf(url, model),
    prompt,
    maxRetries: 0,
    // Given always: Anthropic's API wants a limit, and the library warns when it has to choose one.
    maxOutputTokens: maxTokens ?? 4096,
  });
  return {
    name: `ai, ${name}`,
    finish,

    async stream(question) {
      const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
      const result = streamText({ ...settings(question), onError: () => {} });
      for await (const part of result.fullStream) {
        switch (part.type) {
          case 'text-delta':
            heard.text += part.text;
            heard.pieces++;
            break;
          case 'reasoning-delta':
            heard.thinking += part.text;
            break;
          case 'tool-call':
            heard.calls.push({ name: part.toolName, arguments: part.input });
            break;
          case 'error':
            throw part.error;
          case 'finish':
            heard.finish = part.finishReason;
            Object.assign(heard, countsOf(part.totalUsage));
            break;
          default:
            break;
        }
      }
      complain(await result.warnings);
      return heard;
    },

    async whole(question) {
      const result = await generateText(settings(question));
      complain(result.warnings);
      return {
        text: result.text,
        thinking: result.reasoningText ?? '',
        calls: result.toolCalls.map((call) => ({ name: call.toolName, arguments: call.input })),
        finish: result.finishReason,
        ...countsOf(result.totalUsage),
        pieces: 1,
      };
    },
  };
}

function countsOf(usage: {
  inputTokens?: number;
  outputTokens?: number;
  outputTokenDetails?: { reasoningTokens?: number };
}) {
  return {
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    reasoningTokens: usage.outputTokenDetails?.reasoningTokens,
  };
}

function complain(warnings: readonly unknown[] | undefined): void {
  if (warnings?.length) throw new Error(`warnings: ${JSON.stringify(warnings)}`);
}

const apiKey = 'none';

/** ai: the provider for all that speak as OpenAI does. */
export const aiCompatible = aiSdk('@ai-sdk/openai-compatible', (url, model) =>
  createOpenAICompatible({ name: 'peer', baseURL: `${url}/v1`, apiKey, includeUsage: true })(model),
);

/** ai: OpenAI's chat completions. It has no place for reasoning. */
export const aiOpenaiChat = aiSdk('@ai-sdk/openai, chat', (url, model) =>
  createOpenAI({ baseURL: `${url}/v1`, apiKey }).chat(model),
);

/** ai: OpenAI's Responses. */
export const aiOpenaiResponses = aiSdk('@ai-sdk/openai, responses', (url, model) =>
  createOpenAI({ baseURL: `${url}/v1`, apiKey }).responses(model),
);

/** ai: Anthropic. */
export const aiAnthropic = aiSdk('@ai-sdk/anthropic', (url, model) =>
  createAnthropic({ baseURL: `${url}/v1`, apiKey })(model),
);

/** ai: Gemini. */
export const aiGoogle = aiSdk('@ai-sdk/google', (url, model) =>
  createGoogleGenerativeAI({ baseURL: `${url}/v1beta`, apiKey })(model),
);

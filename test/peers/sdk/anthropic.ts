import Anthropic from '@anthropic-ai/sdk';
import type { Heard, Question, Sdk } from './heard.ts';

const client = (url: string) => new Anthropic({ baseURL: url, apiKey: 'none', maxRetries: 0 });

const body = ({ model, prompt, maxTokens = 4096 }: Question) => ({
  model,
  max_tokens: maxTokens,
  messages: [{ role: 'user' as const, content: prompt }],
});

/** @anthropic-ai/sdk: messages, put together by the library. */
export const anthropicMessages: Sdk = {
  name: '@anthropic-ai/sdk, messages',
  finish: { calls: 'tool_use', length: 'max_tokens' },

  async stream(question) {
    let pieces = 0;
    const stream = client(question.url).messages.stream(body(question));
    stream.on('text', () => pieces++);
    return { ...heardOf(await stream.finalMessage()), pieces };
  },

  async whole(question) {
    return { ...heardOf(await client(question.url).messages.create(body(question))), pieces: 1 };
  },
};

function heardOf({ content, stop_reason, usage }: Anthropic.Message): Heard {
  const heard = { text: '', thinking: '', calls: [] as Heard['calls'] };
  for (const block of content) {
    if (block.type === 'text') heard.text += block.text;
    else if (block.type === 'thinking') heard.thinking += block.thinking;
    else if (block.type === 'tool_use') heard.calls.push({ name: block.name, arguments: block.input });
  }
  return {
    ...heard,
    finish: stop_reason ?? undefined,
    inputTokens: usage.input_tokens,
    outputTokens: usage.output_tokens,
    pieces: 0,
  };
}

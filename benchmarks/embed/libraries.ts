import type { EmbedTask } from './task.ts';

type Fetch = typeof globalThis.fetch;

/** Called with the text of each event. */
export type OnText = (text: string | null | undefined) => void;

/** How a client library reads one streamed answer through a `fetch`. The answer: how many texts came. */
export async function libraryReader(
  library: EmbedTask['library'],
  baseURL: string,
  fetch: Fetch,
): Promise<(onText: OnText) => Promise<number>> {
  switch (library) {
    case 'openai': {
      const { default: OpenAI } = await import('../../test/peers/openai.ts');
      const client = new OpenAI({ apiKey: 'none', baseURL, maxRetries: 0, fetch });
      return async (onText) => {
        const stream = await client.chat.completions.create({
          model: 'm',
          messages: [{ role: 'user', content: 'hi' }],
          stream: true,
        });
        let count = 0;
        for await (const { choices } of stream) {
          const text = choices[0]?.delta.content;
          if (!text) continue;
          onText(text);
          count++;
        }
        return count;
      };
    }
    case '@ai-sdk/openai-compatible': {
      const { createOpenAICompatible } = await import('../../test/peers/ai-compatible.ts');
      const model = createOpenAICompatible({ name: 'peer', baseURL, fetch })('m');
      return async (onText) => {
        const { stream } = await model.doStream({
          prompt: [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }],
        });
        const parts = stream.getReader();
        let count = 0;
        for (;;) {
          const { done, value } = await parts.read();
          if (done) return count;
          if (value.type !== 'text-delta') continue;
          onText(value.delta);
          count++;
        }
      };
    }
    default:
      return library satisfies never;
  }
}

import { CohereClientV2 } from 'cohere-ai';
import { Calls, type Heard, type Question, type Sdk } from './heard.ts';

const client = (url: string) => new CohereClientV2({ environment: url, token: 'none', maxRetries: 0 });

const request = ({ model, prompt, maxTokens }: Question) => ({
  model,
  messages: [{ role: 'user' as const, content: prompt }],
  ...(maxTokens === undefined ? {} : { maxTokens }),
});

/** cohere-ai: chat v2. */
export const cohere: Sdk = {
  name: 'cohere-ai, chat v2',
  finish: { calls: 'TOOL_CALL', length: 'MAX_TOKENS' },

  async stream(question) {
    const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
    const calls = new Calls();
    let call = -1;
    for await (const event of await client(question.url).chatStream(request(question))) {
      switch (event.type) {
        case 'content-delta': {
          const content = event.delta?.message?.content;
          heard.thinking += content?.thinking ?? '';
          if (content?.text) {
            heard.text += content.text;
            heard.pieces++;
          }
          break;
        }
        case 'tool-call-start': {
          const fn = event.delta?.message?.toolCalls?.function;
          calls.add(++call, fn?.name, fn?.arguments);
          break;
        }
        case 'tool-call-delta':
          calls.add(call, undefined, event.delta?.message?.toolCalls?.function?.arguments);
          break;
        case 'message-end':
          if (event.delta?.error) throw new Error(event.delta.error);
          heard.finish = event.delta?.finishReason;
          heard.inputTokens = event.delta?.usage?.tokens?.inputTokens;
          heard.outputTokens = event.delta?.usage?.tokens?.outputTokens;
          break;
        default:
          break;
      }
    }
    return { ...heard, calls: calls.all() };
  },

  async whole(question) {
    const { message, finishReason, usage } = await client(question.url).chat(request(question));
    const heard = { text: '', thinking: '' };
    for (const part of message.content ?? []) {
      if (part.type === 'text') heard.text += part.text;
      else heard.thinking += part.thinking;
    }
    return {
      ...heard,
      calls: (message.toolCalls ?? []).map(({ function: fn }) => ({
        name: fn?.name ?? '',
        arguments: JSON.parse(fn?.arguments ?? ''),
      })),
      finish: finishReason,
      inputTokens: usage?.tokens?.inputTokens,
      outputTokens: usage?.tokens?.outputTokens,
      pieces: 1,
    };
  },
};

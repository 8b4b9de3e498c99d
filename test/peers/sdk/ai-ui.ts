import { DefaultChatTransport, readUIMessageStream, type UIMessage } from 'ai';
import type { Heard, Question, Sdk } from './heard.ts';

interface Metadata {
  totalUsage?: { inputTokens?: number; outputTokens?: number; reasoningTokens?: number };
  usage?: Metadata['totalUsage'];
}

/** ai: its chat transport and its reader of UI messages, as a front end uses them. */
export const aiUi: Sdk = {
  name: 'ai, UI messages',
  finish: { calls: 'tool-calls' },

  async stream({ url, model, prompt }: Question) {
    const transport = new DefaultChatTransport<UIMessage<Metadata>>({
      api: `${url}/ai-sdk-ui`,
      body: { model },
    });
    const chunks = await transport.sendMessages({
      trigger: 'submit-message',
      chatId: 'chat',
      messageId: undefined,
      abortSignal: undefined,
      messages: [{ id: 'message-0', role: 'user', parts: [{ type: 'text', text: prompt }] }],
    });
    const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
    const counted = chunks.pipeThrough(
      new TransformStream({
        transform(chunk, controller) {
          if (chunk.type === 'text-delta') heard.pieces++;
          else if (chunk.type === 'finish') heard.finish = chunk.finishReason;
          controller.enqueue(chunk);
        },
      }),
    );
    let last: UIMessage<Metadata> | undefined;
    for await (const message of readUIMessageStream<UIMessage<Metadata>>({
      stream: counted,
      terminateOnError: true,
    }))
      last = message;
    for (const part of last?.parts ?? []) {
      if (part.type === 'text') heard.text += part.text;
      else if (part.type === 'reasoning') heard.thinking += part.text;
      else if (part.type.startsWith('tool-') && 'input' in part)
        heard.calls.push({ name: part.type.slice('tool-'.length), arguments: part.input });
    }
    return { ...heard, ...(last?.metadata?.totalUsage ?? last?.metadata?.usage) };
  },
};

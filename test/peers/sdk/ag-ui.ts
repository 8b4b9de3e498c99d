import { HttpAgent } from '@ag-ui/client';
import type { Heard, Question, Sdk } from './heard.ts';

/** @ag-ui/client: its agent over HTTP, which checks each event and the order in which they come. */
export const agUi: Sdk = {
  name: '@ag-ui/client',
  finish: {},

  async stream({ url, model, prompt }: Question) {
    const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
    const agent = new HttpAgent({
      url: `${url}/ag-ui`,
      initialMessages: [{ id: 'message-0', role: 'user', content: prompt }],
    });
    let failure: Error | undefined;
    await agent.runAgent(
      { forwardedProps: { model } },
      {
        onTextMessageContentEvent({ event }) {
          heard.text += event.delta;
          heard.pieces++;
        },
        onReasoningMessageContentEvent({ event }) {
          heard.thinking += event.delta;
        },
        onToolCallEndEvent({ toolCallName, toolCallArgs }) {
          heard.calls.push({ name: toolCallName, arguments: toolCallArgs });
        },
        onRunFinishedEvent({ event }) {
          const [usage] = event.usage ?? [];
          heard.inputTokens = usage?.inputTokens;
          heard.outputTokens = usage?.outputTokens;
          heard.reasoningTokens = usage?.reasoningTokens;
        },
        onRunErrorEvent({ event }) {
          failure = new Error(event.message);
        },
      },
    );
    if (failure !== undefined) throw failure;
    return heard;
  },
};

import type { IncomingMessage } from 'node:http';
import { createParser } from 'eventsource-parser';
import { ZhipuAI } from 'zhipuai-sdk-nodejs-v4';
import { Calls, type Heard, type Question, type Sdk } from './heard.ts';

// This library signs its keys and hands the body of a stream through unread: what reads it here is eventsource-parser.

async function ask({ url, model, prompt, maxTokens }: Question, stream: boolean): Promise<unknown> {
  const client = new ZhipuAI({ apiKey: 'id.secret', baseUrl: `${url}/api/paas/v4` });
  return client
    .createCompletions({
      model,
      messages: [{ role: 'user', content: prompt }],
      stream,
      ...(maxTokens === undefined ? {} : { maxTokens }),
    })
    .catch(async (reason: object) => {
      // A refused stream is handed through unread as well.
      if (!(Symbol.asyncIterator in reason)) throw reason;
      let text = '';
      for await (const piece of reason as IncomingMessage) text += piece;
      throw new Error(text);
    });
}

interface Part {
  content?: string | null;
  reasoning_content?: string;
  tool_calls?: { index?: number; function: { name?: string; arguments?: string } }[];
}

interface Body {
  choices: { delta?: Part; message?: Part; finish_reason?: string | null }[];
  usage?: { prompt_tokens: number; completion_tokens: number };
}

/** zhipuai-sdk-nodejs-v4. */
export const zhipu: Sdk = {
  name: 'zhipuai-sdk-nodejs-v4',
  finish: { calls: 'tool_calls', length: 'length' },

  async stream(question) {
    const bodies: Body[] = [];
    let done = false;
    const parser = createParser({
      onEvent({ data }) {
        if (data === '[DONE]') done = true;
        else bodies.push(JSON.parse(data));
      },
    });
    const body = (await ask(question, true)) as IncomingMessage;
    body.setEncoding('utf8');
    for await (const text of body) parser.feed(text);
    if (!done) throw new Error('the stream has no end');
    return heardOf(bodies);
  },

  whole: async (question) => heardOf([(await ask(question, false)) as Body]),
};

function heardOf(bodies: readonly Body[]): Heard {
  const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
  const calls = new Calls();
  for (const { choices, usage } of bodies) {
    if (usage !== undefined) {
      heard.inputTokens = usage.prompt_tokens;
      heard.outputTokens = usage.completion_tokens;
    }
    const choice = choices[0];
    const part = choice?.delta ?? choice?.message;
    if (part?.content) {
      heard.text += part.content;
      heard.pieces++;
    }
    heard.thinking += part?.reasoning_content ?? '';
    for (const [i, call] of (part?.tool_calls ?? []).entries())
      calls.add(call.index ?? i, call.function.name, call.function.arguments);
    if (choice?.finish_reason) heard.finish = choice.finish_reason;
  }
  return { ...heard, calls: calls.all() };
}

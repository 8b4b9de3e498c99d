import OpenAI from 'openai';
import { Calls, type Heard, type Question, type Sdk } from './heard.ts';

const client = (url: string) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });

const chatBody = ({ model, prompt, maxTokens }: Question) => ({
  model,
  messages: [{ role: 'user' as const, content: prompt }],
  ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
});

// OpenAI itself sends no reasoning on this API; those that do use this field, which the library hands through.
const reasoningOf = (fields: object): string =>
  (fields as { reasoning_content?: string }).reasoning_content ?? '';

/** openai: chat completions, read chunk by chunk. */
export const openaiChat: Sdk = {
  name: 'openai, chat completions',
  finish: { calls: 'tool_calls', length: 'length' },

  async stream(question) {
    const stream = await client(question.url).chat.completions.create({
      ...chatBody(question),
      stream: true,
      stream_options: { include_usage: true },
    });
    const heard: Heard & { thinking: string } = { text: '', thinking: '', calls: [], pieces: 0 };
    const calls = new Calls();
    for await (const chunk of stream) {
      if (chunk.usage) Object.assign(heard, countsOf(chunk.usage));
      const choice = chunk.choices[0];
      if (choice === undefined) continue;
      if (choice.delta.content) {
        heard.text += choice.delta.content;
        heard.pieces++;
      }
      heard.thinking += reasoningOf(choice.delta);
      for (const call of choice.delta.tool_calls ?? [])
        calls.add(call.index, call.function?.name, call.function?.arguments);
      if (choice.finish_reason) heard.finish = choice.finish_reason;
    }
    return { ...heard, calls: calls.all() };
  },

  async whole(question) {
    const answer = await client(question.url).chat.completions.create(chatBody(question));
    return { ...heardOf(answer), pieces: 1 };
  },
};

/** openai: chat completions, put together by the library, which checks each chunk as it does so. */
export const openaiChatStream: Sdk = {
  ...openaiChat,
  name: 'openai, chat completions by its stream helper',
  async stream(question) {
    const stream = client(question.url).chat.completions.stream({
      ...chatBody(question),
      stream_options: { include_usage: true },
    });
    let pieces = 0;
    stream.on('content', () => pieces++);
    // Of fields that are not OpenAI's own the library keeps the last piece, not their sum.
    const { thinking: _, ...heard } = heardOf(await stream.finalChatCompletion());
    return { ...heard, pieces };
  },
};

function heardOf(answer: OpenAI.ChatCompletion): Heard {
  const { message, finish_reason: finish } = answer.choices[0]!;
  const calls = (message.tool_calls ?? []).flatMap((call) =>
    call.type === 'function'
      ? [{ name: call.function.name, arguments: JSON.parse(call.function.arguments) as unknown }]
      : [],
  );
  return {
    text: message.content ?? '',
    thinking: reasoningOf(message),
    calls,
    finish,
    ...countsOf(answer.usage),
    pieces: 0,
  };
}

function countsOf(usage: OpenAI.CompletionUsage | undefined | null) {
  return {
    inputTokens: usage?.prompt_tokens,
    outputTokens: usage?.completion_tokens,
    reasoningTokens: usage?.completion_tokens_details?.reasoning_tokens,
  };
}

/** openai: the older text completions. */
export const openaiCompletions: Sdk = {
  name: 'openai, text completions',
  finish: { calls: 'stop', length: 'length' },

  async stream({ url, model, prompt, maxTokens }) {
    const stream = await client(url).completions.create({
      model,
      prompt,
      max_tokens: maxTokens,
      stream: true,
      stream_options: { include_usage: true },
    });
    const heard: Heard = { text: '', calls: [], pieces: 0 };
    for await (const { choices, usage } of stream) {
      if (usage) Object.assign(heard, countsOf(usage));
      if (choices[0]?.text) {
        heard.text += choices[0].text;
        heard.pieces++;
      }
      if (choices[0]?.finish_reason) heard.finish = choices[0].finish_reason;
    }
    return heard;
  },

  async whole({ url, model, prompt, maxTokens }) {
    const { choices, usage } = await client(url).completions.create({ model, prompt, max_tokens: maxTokens });
    const { text, finish_reason: finish } = choices[0]!;
    return { text, calls: [], finish, ...countsOf(usage), pieces: 1 };
  },
};

const responsesBody = ({ model, prompt, maxTokens }: Question) => ({
  model,
  input: prompt,
  ...(maxTokens === undefined ? {} : { max_output_tokens: maxTokens }),
});

/** openai: Responses, put together by the library out of the events. */
export const openaiResponses: Sdk = {
  name: 'openai, responses',
  finish: { calls: 'completed', length: 'incomplete' },

  async stream(question) {
    const stream = client(question.url).responses.stream(responsesBody(question));
    const seen = { text: '', thinking: '', pieces: 0 };
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') {
        seen.text += event.delta;
        seen.pieces++;
      } else if (event.type === 'response.reasoning_summary_text.delta') {
        seen.thinking += event.delta;
      } else if (event.type === 'error') {
        throw new Error(event.message);
      }
    }
    const heard = responseOf(await stream.finalResponse());
    // Said twice: by the deltas, and by the response that the library has put together.
    if (heard.text !== seen.text || heard.thinking !== seen.thinking)
      throw new Error('the deltas and the final response differ');
    return { ...heard, pieces: seen.pieces };
  },

  async whole(question) {
    const answer = await client(question.url).responses.create(responsesBody(question));
    return { ...responseOf(answer), pieces: 1 };
  },
};

function responseOf(answer: OpenAI.Responses.Response): Heard {
  let thinking = '';
  const calls: Heard['calls'] = [];
  for (const item of answer.output) {
    if (item.type === 'reasoning') thinking += item.summary.map((part) => part.text).join('');
    else if (item.type === 'function_call')
      calls.push({ name: item.name, arguments: JSON.parse(item.arguments) });
  }
  return {
    text: answer.output_text,
    thinking,
    calls,
    finish: answer.status,
    inputTokens: answer.usage?.input_tokens,
    outputTokens: answer.usage?.output_tokens,
    reasoningTokens: answer.usage?.output_tokens_details.reasoning_tokens,
    pieces: 0,
  };
}

import { commonFields, differingFields, finishWord, post, promptText } from '../chat-fields.ts';
import { type Dialect, jsonBody } from '../dialect.ts';
import { asObject, type Json, parseJson } from '../json.ts';
import { decodeDocument } from '../json-decoder.ts';
import { gather } from '../whole-answer.ts';
import { CHAT_FINISH, ChatDecoder, encodeChunks, encodeUsage, envelope, errorJson } from './openai-chat.ts';

// The older text completions, still served by vLLM, llama.cpp and others: a prompt in, text out, no roles.

const PATH = '/completions';

/** OpenAI's `/v1/completions`. */
export const openaiCompletions: Dialect = {
  name: 'openai-completions',
  title: 'OpenAI text completions (SSE)',
  framing: 'sse',
  thinkTags: true,
  options: new Set(['maxTokens', 'temperature', 'stop', 'n', 'seed']),
  finishWords: CHAT_FINISH,
  carries: new Set(['start', 'message_chunk', 'usage', 'complete', 'error']),

  request(chat) {
    const body = {
      model: chat.model,
      prompt: promptText(chat.messages),
      temperature: chat.temperature,
      stop: chat.stop,
      n: chat.n,
      seed: chat.seed,
      stream: chat.stream,
      // Text completions have no other field for the limit.
      ...differingFields({ ...chat, fields: { ...chat.fields, maxTokens: 'max_tokens' } }),
    };
    return post(PATH, chat, body);
  },

  ownsPath: (pathname) => pathname.endsWith(PATH) && !pathname.endsWith('/chat/completions'),

  parseRequest(request) {
    if (request.method !== 'POST' || !openaiCompletions.ownsPath(request.path)) return undefined;
    const json = asObject(parseJson(request.body));
    if (json === undefined || typeof json.prompt !== 'string') return undefined;
    return {
      ...commonFields(json),
      messages: [{ role: 'user', content: json.prompt }],
      extra: { stream_options: json.stream_options },
    };
  },

  decoder: () => new ChatDecoder(),

  encoder: (context) =>
    encodeChunks(context, 'text_completion', (event) => {
      if (event.type === 'message_chunk') return choice(event.text, null);
      return event.type === 'complete' ? choice('', finishWord(CHAT_FINISH, event)) : undefined;
    }),

  decodeWhole: (body) => decodeDocument(new ChatDecoder(true), body),

  encodeWhole(events, context) {
    const { text, usage, complete, error } = gather(events);
    if (error !== undefined) return jsonBody(errorJson(error.message, error.code));
    const finish = finishWord(CHAT_FINISH, complete ?? { type: 'complete', finish: 'stop' });
    return jsonBody({
      ...envelope(context, 'text_completion'),
      choices: [{ index: 0, ...choice(text, finish) }],
      usage: usage === undefined ? undefined : encodeUsage(usage),
    });
  },

  encodeError: (status, message) => jsonBody(errorJson(message, String(status))),
};

function choice(text: string, finish: string | null): Json {
  return { text, logprobs: null, finish_reason: finish };
}

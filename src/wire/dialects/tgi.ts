import type { StreamEvent, UsageEvent } from '../../model/events.ts';
import { type FinishWords, finishWord, post, promptText } from '../chat-fields.ts';
import { type Dialect, jsonBody } from '../dialect.ts';
import { asArray, asCount, asNumber, asObject, asText, type Json, parseJson } from '../json.ts';
import { decodeDocument, JsonDecoder } from '../json-decoder.ts';
import { gather } from '../whole-answer.ts';

// Text Generation Inference: one event per token. The last event also has the whole text and, with `details`, the finish
// reason and the usage. The prompt is a single text without roles.

const FINISH_WORDS: FinishWords = { eos_token: 'stop', stop_sequence: 'stop', length: 'length' };

const STREAM = '/generate_stream';
const WHOLE = '/generate';

/** Text Generation Inference's `/generate_stream` and `/generate`. */
export const tgi: Dialect = {
  name: 'tgi',
  title: 'Text Generation Inference /generate_stream (SSE)',
  framing: 'sse',
  thinkTags: true,
  carries: new Set(['message_chunk', 'usage', 'complete', 'error']),
  accepts: new Set(['schema']),
  options: new Set(['maxTokens', 'temperature', 'stop', 'seed']),
  finishWords: FINISH_WORDS,

  request(chat) {
    const body = {
      inputs: promptText(chat.messages),
      parameters: {
        details: true,
        max_new_tokens: chat.maxTokens,
        temperature: chat.temperature,
        stop: chat.stop,
        seed: chat.seed,
        grammar: chat.answerSchema && { type: 'json', value: chat.answerSchema.schema },
      },
    };
    return post(chat.stream ? STREAM : WHOLE, chat, body);
  },

  // `/api/generate` is Ollama's.
  ownsPath: (pathname) =>
    pathname.endsWith(STREAM) || (pathname.endsWith(WHOLE) && !pathname.endsWith('/api/generate')),

  parseRequest(request) {
    if (request.method !== 'POST' || !tgi.ownsPath(request.path)) return undefined;
    const json = asObject(parseJson(request.body));
    if (json === undefined || typeof json.inputs !== 'string') return undefined;
    const parameters = asObject(json.parameters);
    return {
      messages: [{ role: 'user', content: json.inputs }],
      maxTokens: asCount(parameters?.max_new_tokens),
      temperature: asNumber(parameters?.temperature),
      stream: request.path.endsWith(STREAM),
    };
  },

  decoder: () => new TgiDecoder(),

  encoder() {
    let index = 0;
    let usage: UsageEvent | undefined;
    let text = '';
    const frame = (token: Json, more: Json = {}) => ({
      data: JSON.stringify({ index: ++index, token, generated_text: null, details: null, ...more }),
    });
    return (event) => {
      switch (event.type) {
        case 'message_chunk':
          text += event.text;
          return [frame({ id: index, text: event.text, logprob: 0, special: false })];
        case 'usage':
          usage = event;
          return [];
        case 'complete': {
          const end = { id: 2, text: '</s>', logprob: 0, special: true };
          const details = encodeDetails(finishWord(FINISH_WORDS, event), usage);
          return [frame(end, { generated_text: text, details })];
        }
        case 'error':
          return [{ data: errorJson(event.message, event.code) }];
        default:
          return [];
      }
    };
  },

  decodeWhole(body) {
    // A server that supports several prompts per request answers with an array.
    const answers = asArray(parseJson(body));
    return decodeDocument(new TgiDecoder(), answers?.length === 1 ? JSON.stringify(answers[0]) : body);
  },

  encodeWhole(events) {
    const { text, usage, complete, error } = gather(events);
    if (error !== undefined) return jsonBody(errorJson(error.message, error.code));
    const finish = finishWord(FINISH_WORDS, complete ?? { type: 'complete', finish: 'stop' });
    return jsonBody({ generated_text: text, details: encodeDetails(finish, usage) });
  },

  encodeError: (_status, message) => jsonBody(errorJson(message)),
};

class TgiDecoder extends JsonDecoder {
  constructor() {
    super(FINISH_WORDS);
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    const token = asObject(json.token);
    const whole = json.generated_text;
    if (token === undefined && typeof whole !== 'string') return false;
    // The whole text repeats the tokens: it is used only without a token.
    if (token === undefined) this.text(out, whole);
    else if (token.special !== true) this.text(out, token.text);
    if (typeof whole === 'string') {
      const details = asObject(json.details);
      this.addCounts({
        inputTokens: details?.input_length ?? asArray(details?.prefill)?.length,
        outputTokens: details?.generated_tokens,
      });
      this.finish = asText(details?.finish_reason);
      this.complete(out);
    }
    return true;
  }
}

function encodeDetails(finish: string, usage: UsageEvent | undefined): Json {
  return {
    finish_reason: finish,
    generated_tokens: usage?.outputTokens ?? 0,
    input_length: usage?.inputTokens,
    seed: null,
  };
}

function errorJson(message: string, type = 'generation'): string {
  return JSON.stringify({ error: message, error_type: type });
}

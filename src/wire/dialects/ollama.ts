import type { CompleteEvent, StreamEvent, UsageEvent } from '../../model/events.ts';
import type { ChatRequest } from '../../model/request.ts';
import { type FinishWords, finishWord, post, promptText, unlessEmpty } from '../chat-fields.ts';
import { type AnswerContext, type Dialect, type Encoder, jsonBody, type WireBody } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asArguments, asArray, asCount, asNumber, asObject, asText, type Json, parseJson } from '../json.ts';
import { decodeDocument, JsonDecoder } from '../json-decoder.ts';
import { functionTools, ollamaMessage } from '../request-parts.ts';
import { openaiMessages, readFunctionTools } from '../request-reading.ts';
import { argumentsValue, CallBuffer, gather, type WholeCall } from '../whole-answer.ts';

// Ollama's API: one JSON object per line, the last one with `done: true`, the finish reason and the usage. A tool call is sent
// whole, with its arguments as an object. `/api/generate` has the text in another place than `/api/chat`.

const FINISH_WORDS: FinishWords = { stop: 'stop', length: 'length', load: 'other', unload: 'other' };

/** How the two endpoints differ. */
interface Endpoint {
  name: string;
  title: string;
  path: string;
  prompt(chat: ChatRequest): Json;
  messages(json: Json): ChatRequest['messages'] | undefined;
  /** The object with the text, the thinking and the tool calls, and the text's key in it. */
  content(json: Json): Json | undefined;
  textKey: string;
  wrap(content: Json): Json;
  calls: boolean;
}

const CHAT: Endpoint = {
  name: 'ollama-chat',
  title: "Ollama's /api/chat (NDJSON)",
  path: '/api/chat',
  prompt: (chat) => ({ messages: chat.messages.map(ollamaMessage), tools: functionTools(chat.tools) }),
  messages: (json) => openaiMessages(json.messages),
  content: (json) => asObject(json.message),
  textKey: 'content',
  wrap: (content) => ({ message: { role: 'assistant', ...content } }),
  calls: true,
};

const GENERATE: Endpoint = {
  name: 'ollama-generate',
  title: "Ollama's /api/generate (NDJSON)",
  path: '/api/generate',
  prompt(chat) {
    const system = chat.messages.filter((message) => message.role === 'system');
    const rest = chat.messages.filter((message) => message.role !== 'system');
    const images = rest.flatMap(({ media = [] }) => media.map(({ data }) => data));
    return {
      prompt: promptText(rest),
      system: system.length > 0 ? promptText(system) : undefined,
      images: images.length > 0 ? images : undefined,
    };
  },
  messages(json) {
    if (typeof json.prompt !== 'string') return undefined;
    const user = { role: 'user', content: json.prompt } as const;
    const system = asText(json.system);
    return system === undefined ? [user] : [{ role: 'system', content: system }, user];
  },
  content: (json) => json,
  textKey: 'response',
  wrap: (content) => content,
  calls: false,
};

function ollama(endpoint: Endpoint): Dialect {
  const { name, title, path } = endpoint;
  return {
    name,
    title,
    framing: 'ndjson',
    thinkTags: true,
    options: new Set(['maxTokens', 'temperature', 'stop', 'seed', 'reasoningEffort']),
    finishWords: FINISH_WORDS,
    accepts: new Set(endpoint.calls ? ['image', 'tools', 'toolResults', 'schema'] : ['image', 'schema']),
    carries: new Set([
      'start',
      'message_chunk',
      'thinking',
      ...(endpoint.calls ? (['tool_call'] as const) : []),
      'usage',
      'complete',
      'error',
    ]),

    request(chat) {
      const body = {
        model: chat.model,
        ...endpoint.prompt(chat),
        stream: chat.stream,
        format: chat.answerSchema?.schema,
        think: chat.reasoningEffort === 'none' ? false : chat.reasoningEffort,
        options: unlessEmpty({
          num_predict: chat.maxTokens,
          temperature: chat.temperature,
          stop: chat.stop,
          seed: chat.seed,
        }),
      };
      return post(path, chat, body, { accept: 'application/x-ndjson' });
    },

    ownsPath: (pathname) => pathname.endsWith(path),

    parseRequest(request) {
      if (request.method !== 'POST' || !request.path.endsWith(path)) return undefined;
      return parseOllama(endpoint, request.body);
    },

    decoder: () => new OllamaDecoder(endpoint),

    encoder: (context) => encodeOllama(endpoint, context),
    decodeWhole: (body) => decodeDocument(new OllamaDecoder(endpoint), body),

    encodeWhole: (events, context) => encodeWhole(endpoint, events, context),
    encodeError: (_status, message) => jsonBody({ error: message }),
  };
}

function parseOllama(endpoint: Endpoint, body: string): ChatRequest | undefined {
  const json = asObject(parseJson(body));
  const messages = json && endpoint.messages(json);
  if (json === undefined || messages === undefined) return undefined;
  const options = asObject(json.options);
  return {
    model: asText(json.model),
    messages,
    maxTokens: asCount(options?.num_predict),
    temperature: asNumber(options?.temperature),
    tools: endpoint.calls ? readFunctionTools(json.tools) : undefined,
    // The server streams by default.
    stream: json.stream !== false,
  };
}

function encodeLine(endpoint: Endpoint, context: AnswerContext, content: Json, more: Json): string {
  return JSON.stringify({
    model: context.model,
    created_at: new Date(context.createdSeconds * 1000).toISOString(),
    ...endpoint.wrap(content),
    ...more,
  });
}

function encodeOllama(endpoint: Endpoint, context: AnswerContext): Encoder {
  const { textKey } = endpoint;
  const calls = new CallBuffer();
  let usage: UsageEvent | undefined;
  const piece = (content: Json, more: Json = { done: false }): Frame => ({
    data: encodeLine(endpoint, context, content, more),
  });
  return (event) => {
    if (event.type === 'tool_call' && !endpoint.calls) return [];
    const whole = calls.take(event);
    const frames = whole.map((call) => piece({ [textKey]: '', tool_calls: [encodeCall(call)] }));
    switch (event.type) {
      case 'message_chunk':
        frames.push(piece({ [textKey]: event.text }));
        break;
      case 'thinking':
        frames.push(piece({ [textKey]: '', thinking: event.text }));
        break;
      case 'usage':
        usage = event;
        break;
      case 'complete':
        frames.push(piece({ [textKey]: '' }, ending(event, usage)));
        break;
      case 'error':
        frames.push({ data: JSON.stringify({ error: event.message }) });
        break;
      default:
        break;
    }
    return frames;
  };
}

function encodeWhole(endpoint: Endpoint, events: readonly StreamEvent[], context: AnswerContext): WireBody {
  const answer = gather(events);
  if (answer.error !== undefined) return jsonBody({ error: answer.error.message });
  const content = {
    [endpoint.textKey]: answer.text,
    thinking: asText(answer.thinking),
    tool_calls: endpoint.calls && answer.calls.length > 0 ? answer.calls.map(encodeCall) : undefined,
  };
  const complete = answer.complete ?? ({ type: 'complete', finish: 'stop' } as const);
  return jsonBody(encodeLine(endpoint, context, content, ending(complete, answer.usage)));
}

/** Ollama's `/api/chat`. */
export const ollamaChat: Dialect = ollama(CHAT);

/** Ollama's `/api/generate`. */
export const ollamaGenerate: Dialect = ollama(GENERATE);

class OllamaDecoder extends JsonDecoder {
  private readonly endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    super(FINISH_WORDS, true);
    this.endpoint = endpoint;
  }

  protected read(json: Json, out: StreamEvent[]): boolean {
    const content = this.endpoint.content(json);
    const text = content?.[this.endpoint.textKey];
    if (typeof text !== 'string' && json.done === undefined) return false;
    this.start(out, undefined, asText(json.model));
    // Compatible servers may use the field name of OpenAI's dialect.
    this.thinking(out, content?.thinking ?? content?.reasoning_content);
    this.text(out, text);
    const calls = asArray(content?.tool_calls);
    if (calls !== undefined) {
      for (const entry of calls) {
        const call = asObject(entry);
        const fn = asObject(call?.function);
        if (fn !== undefined) this.call(out, asText(fn.name), asText(call?.id), asArguments(fn.arguments));
      }
    }
    if (json.done === true) {
      this.finish = asText(json.done_reason);
      this.addCounts({ inputTokens: json.prompt_eval_count, outputTokens: json.eval_count });
      this.complete(out);
    }
    return true;
  }

  // Only the line with `done: true` is a regular end.
  override end(): readonly StreamEvent[] {
    return [];
  }
}

function encodeCall(call: WholeCall): Json {
  const fn = { index: call.index, name: call.name ?? '', arguments: argumentsValue(call.arguments) };
  return { id: call.id, function: fn };
}

function ending(event: CompleteEvent, usage: UsageEvent | undefined): Json {
  return {
    done: true,
    // Ollama has no finish reason for tool calls.
    done_reason: event.finish === 'tool_calls' ? 'stop' : finishWord(FINISH_WORDS, event),
    prompt_eval_count: usage?.inputTokens,
    eval_count: usage?.outputTokens,
  };
}

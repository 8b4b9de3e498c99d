import type { ChatRequest } from '../../model/request.ts';
import { gather } from '../whole-answer.ts';
import { chatMessages, post, promptText } from '../chat-fields.ts';
import type { WireBody, WireFormat } from '../dialect.ts';
import type { Frame, FramingName } from '../framing/frame.ts';
import { asObject, asText, compact, parseJson, pathKeys, withPath } from '../json.ts';
import { decodePlainWhole, PlainDecoder, RawDecoder } from './plain-decoder.ts';

// Endpoints of no known dialect: frames with text in them, either the whole payload or what a path in its JSON
// points at. There is nothing to tell a whole answer from one that was cut, so the end of the body is its end.

/** What can be said about a plain endpoint. */
export interface PlainOptions {
  /** Where the text of an event's JSON is, such as `choices.0.delta.content`. Default: the payload is the text. */
  textPath?: string;
}

const KINDS = {
  sse: { title: 'any endpoint that sends Server-Sent Events', accept: 'text/event-stream' },
  ndjson: { title: 'any endpoint that sends lines of JSON', accept: 'application/x-ndjson' },
  raw: { title: 'any endpoint at all: each read is a piece of text', accept: '*/*' },
} as const;

/** A plain endpoint with that framing; the name of the framing is the name of the dialect and its server path. */
export function plain(framing: keyof typeof KINDS, options: PlainOptions = {}): WireFormat {
  const keys = options.textPath === undefined || framing === 'raw' ? undefined : pathKeys(options.textPath);
  const path = `/${framing}`;
  const { title, accept } = KINDS[framing];
  const payload = (text: string): string => {
    if (keys !== undefined) return JSON.stringify(withPath(keys, text));
    // Lines cannot hold line ends, so without a path a line is a JSON text.
    return framing === 'ndjson' ? JSON.stringify(text) : text;
  };

  return {
    name: framing,
    title,
    framing,
    carries: new Set(
      framing === 'raw' ? ['message_chunk', 'complete'] : ['message_chunk', 'complete', 'error'],
    ),

    request: (chat) => plainRequest(chat, accept),
    ownsPath: (pathname) => pathname.endsWith(path),
    parseRequest: (request) => (request.path.endsWith(path) ? parsePlain(request) : undefined),

    decoder: () => (framing === 'raw' ? new RawDecoder() : new PlainDecoder(framing, keys)),

    encoder: () => (event) => {
      if (event.type === 'message_chunk') return [{ data: payload(event.text) }];
      if (framing === 'raw') return [];
      if (event.type === 'error') return [failure(framing, event.message, event.code)];
      if (event.type === 'complete') return [{ data: framing === 'sse' ? '[DONE]' : '{"done":true}' }];
      return [];
    },

    decodeWhole: (body) => decodePlainWhole(body, keys),

    encodeWhole(events): WireBody {
      const { text, error } = gather(events);
      if (error !== undefined)
        return { contentType: 'application/json', body: errorJson(error.message, error.code) };
      if (keys === undefined) return { contentType: 'text/plain; charset=utf-8', body: text };
      return { contentType: 'application/json', body: JSON.stringify(withPath(keys, text)) };
    },

    encodeError: (status, message) => ({
      contentType: 'application/json',
      body: errorJson(message, String(status)),
    }),
  };
}

/** The request to a plain endpoint: the prompt as `{"prompt": ...}`. */
export function plainRequest(chat: ChatRequest, accept: string) {
  const fields = {
    model: chat.model,
    prompt: promptText(chat.messages),
    // Said only when it is not what the endpoint is there for.
    stream: chat.stream ? undefined : false,
  };
  return post('', chat, fields, { accept });
}

/** What a request to a plain endpoint asks for: `prompt` or `messages` of the body or the query. */
export function parsePlain(request: Parameters<WireFormat['parseRequest']>[0]): ChatRequest {
  const json = asObject(parseJson(request.body));
  const prompt = asText(json?.prompt) ?? request.query.get('prompt') ?? request.body;
  return compact<ChatRequest>({
    model: asText(json?.model),
    messages: chatMessages(json?.messages) ?? [{ role: 'user', content: prompt }],
    stream: json?.stream !== false && request.query.get('stream') !== 'false',
  });
}

function failure(framing: FramingName, message: string, code?: string): Frame {
  const data = errorJson(message, code);
  return framing === 'sse' ? { event: 'error', data } : { data };
}

function errorJson(message: string, code?: string): string {
  return JSON.stringify({ error: compact({ message, code }) });
}

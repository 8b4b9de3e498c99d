import type { StreamEvent } from '../model/events.ts';
import type { ChatRequest } from '../model/request.ts';
import { gather } from './answer.ts';
import { chatMessages, post, promptText } from './chat.ts';
import { readError } from './errors.ts';
import type { Decoder, WireBody, WireFormat } from './format.ts';
import type { Frame, FramingName } from './frame.ts';
import {
  asArray,
  asObject,
  asText,
  atPath,
  compact,
  excerpt,
  parseJson,
  pathKeys,
  unreadable,
  withPath,
} from './json.ts';

// Endpoints of no known dialect: frames with text in them, either the whole payload or what a path in its JSON
// points at. There is nothing to tell a whole answer from one that was cut, so the end of the body is its end.

/** What can be said about a plain endpoint. */
export interface PlainOptions {
  /** Where the text of an event's JSON is, such as `choices.0.delta.content`. Default: the payload is the text. */
  textPath?: string;
}

const BRACE = 123;
const QUOTE = 34;
const END_NAMES = new Set(['done', 'end', 'complete']);
const IDLE_NAMES = new Set(['ping', 'heartbeat', 'keepalive', 'keep-alive']);

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

    decodeWhole(body) {
      const json = parseJson(body);
      const failed = inbandError(json);
      if (failed !== undefined) return [failed];
      const text = keys === undefined ? body : textAt(json, keys);
      const events: StreamEvent[] =
        text === undefined
          ? [{ type: 'unknown', data: body }]
          : text === ''
            ? []
            : [{ type: 'message_chunk', text }];
      return [...events, { type: 'complete', finish: 'stop' }];
    },

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
    ...chat.extra,
  };
  return post('', fields, chat.stream, accept);
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

class RawDecoder implements Decoder {
  decode({ data }: Frame): readonly StreamEvent[] {
    return chunk(data);
  }

  end(): readonly StreamEvent[] {
    return [{ type: 'complete', finish: 'stop' }];
  }
}

class PlainDecoder implements Decoder {
  private readonly framing: FramingName;
  private readonly keys: readonly string[] | undefined;
  private over = false;

  constructor(framing: FramingName, keys: readonly string[] | undefined) {
    this.framing = framing;
    this.keys = keys;
  }

  decode(frame: Frame): readonly StreamEvent[] {
    const { data, event } = frame;
    if (this.over) return data === '' ? [] : [{ type: 'unknown', name: 'after-end', data }];
    if (data === '[DONE]') return this.complete();
    if (event !== undefined) {
      if (event === 'error') {
        this.over = true;
        return [{ type: 'error', ...(readError(parseJson(data)) ?? { message: excerpt(data) || 'error' }) }];
      }
      if (END_NAMES.has(event)) {
        const told: StreamEvent[] =
          data === '' || data === '{}' ? [] : [{ type: 'unknown', name: event, data }];
        return [...told, ...this.complete()];
      }
      if (IDLE_NAMES.has(event)) return [{ type: 'unknown', name: event, data }];
    }
    return this.keys === undefined ? this.bare(data) : this.json(frame, this.keys);
  }

  // Without a path the payload is the text, but for the few that a service would not send as text.
  private bare(data: string): readonly StreamEvent[] {
    const first = data.charCodeAt(0);
    if (first === BRACE && (data.includes('"error"') || data.includes('"done"'))) {
      return this.control(parseJson(data)) ?? chunk(data);
    }
    const line = first === QUOTE && this.framing === 'ndjson' ? parseJson(data) : undefined;
    return chunk(typeof line === 'string' ? line : data);
  }

  private json(frame: Frame, keys: readonly string[]): readonly StreamEvent[] {
    const json = parseJson(frame.data);
    if (json === undefined) return [unreadable(frame, 'JSON')];
    const text = textAt(json, keys);
    const told = this.control(json);
    if (told !== undefined) return text === undefined ? told : [...chunk(text), ...told];
    if (text !== undefined) return chunk(text);
    return [compact<StreamEvent>({ type: 'unknown', name: frame.event, data: frame.data })];
  }

  private control(json: unknown): readonly StreamEvent[] | undefined {
    const failed = inbandError(json);
    if (failed !== undefined) {
      this.over = true;
      return [failed];
    }
    const object = asObject(json);
    return object?.done === true && Object.keys(object).length === 1 ? this.complete() : undefined;
  }

  end(): readonly StreamEvent[] {
    return this.over ? [] : this.complete();
  }

  private complete(): readonly StreamEvent[] {
    this.over = true;
    return [{ type: 'complete', finish: 'stop' }];
  }
}

function chunk(text: string): readonly StreamEvent[] {
  return text === '' ? [] : [{ type: 'message_chunk', text }];
}

// Text, a number, or a list of texts.
function textAt(json: unknown, keys: readonly string[]): string | undefined {
  const value = atPath(json, keys);
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return asArray(value)
    ?.filter((part) => typeof part === 'string')
    .join('');
}

function inbandError(json: unknown): StreamEvent | undefined {
  const error = asObject(json)?.error;
  if (error === undefined || error === null || error === '') return undefined;
  const read = readError(json);
  return read === undefined ? undefined : { type: 'error', ...read };
}

function failure(framing: FramingName, message: string, code?: string): Frame {
  const data = errorJson(message, code);
  return framing === 'sse' ? { event: 'error', data } : { data };
}

function errorJson(message: string, code?: string): string {
  return JSON.stringify({ error: compact({ message, code }) });
}

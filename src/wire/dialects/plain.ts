import type { StreamEvent } from '../../model/events.ts';
import type { PlainDialect } from '../../model/plan.ts';
import type { ChatRequest } from '../../model/request.ts';
import { chatMessages, post, promptText } from '../chat-fields.ts';
import type { Decoder, Dialect, WireBody } from '../dialect.ts';
import { isFailureName, readError, readFailedBody, readFailure } from '../errors.ts';
import type { Frame, FramingName } from '../framing/frame.ts';
import {
  asArray,
  asObject,
  asText,
  atPath,
  excerpt,
  parseJson,
  pathKeys,
  unreadable,
  withPath,
} from '../json.ts';
import { gather } from '../whole-answer.ts';

// Plain endpoints, of any API: a frame's payload is text, or JSON with text at a path.

const QUOTE = 34;
const END_NAMES = new Set(['done', 'end', 'complete']);
const IDLE_NAMES = new Set(['ping', 'heartbeat', 'keepalive', 'keep-alive']);
/** Matches payloads that may report an end or a failure. Other payloads are not parsed. */
const CONTROL_FIELDS = /"(error|errors|done|code|base_resp)"|error"|failed"/i;

/** Each read is a piece of text. */
class RawDecoder implements Decoder {
  decode({ data }: Frame): readonly StreamEvent[] {
    return chunk(data);
  }

  end(): readonly StreamEvent[] {
    return [{ type: 'complete', finish: 'stop' }];
  }
}

/** Decodes events or lines. The end of the body is the end of the answer, unless it is inside a payload. */
class PlainDecoder implements Decoder {
  private readonly lines: boolean;
  private readonly keys: readonly string[] | undefined;
  private over = false;
  private cut = false;
  private begun = false;

  constructor(framing: 'sse' | 'ndjson', keys: readonly string[] | undefined) {
    this.lines = framing === 'ndjson';
    this.keys = keys;
  }

  decode(frame: Frame): readonly StreamEvent[] {
    const { data, event } = frame;
    if (this.over) return data === '' ? [] : [{ type: 'unknown', name: 'after-end', data }];
    if (data === '[DONE]') return this.complete();
    if (event !== undefined) {
      if (isFailureName(event)) {
        this.over = true;
        return [{ type: 'error', ...(readError(parseJson(data)) ?? { message: excerpt(data) || event }) }];
      }
      if (END_NAMES.has(event)) {
        const told: StreamEvent[] =
          data === '' || data === '{}' ? [] : [{ type: 'unknown', name: event, data }];
        return [...told, ...this.complete()];
      }
      if (IDLE_NAMES.has(event)) return [{ type: 'unknown', name: event, data }];
    }
    if (this.keys !== undefined) return this.json(frame, this.keys);
    return this.lines ? this.line(frame) : this.bare(frame);
  }

  // Without a path the payload is the text, except for reports of an end or a failure.
  private bare(frame: Frame): readonly StreamEvent[] {
    const { data } = frame;
    if (!data.startsWith('{')) return chunk(data);
    const cut = frame.incomplete === true;
    const json = cut || CONTROL_FIELDS.test(data) ? parseJson(data) : undefined;
    if (cut && json === undefined) return this.broken(frame);
    return this.control(json) ?? chunk(data);
  }

  // A line is JSON: a string is the text, any other value is kept as JSON text. HOT PATH: after a first JSON line, objects
  // without control fields are not parsed.
  private line(frame: Frame): readonly StreamEvent[] {
    const { data } = frame;
    if (this.begun && data.startsWith('{') && data.endsWith('}') && !CONTROL_FIELDS.test(data))
      return chunk(data);
    const json = parseJson(data);
    this.begun = json !== undefined;
    if (json === undefined) return this.broken(frame);
    if (frame.data.charCodeAt(0) === QUOTE && typeof json === 'string') return chunk(json);
    return this.control(json) ?? chunk(frame.data);
  }

  private json(frame: Frame, keys: readonly string[]): readonly StreamEvent[] {
    const json = parseJson(frame.data);
    if (json === undefined) return this.broken(frame);
    const text = textAt(json, keys);
    const told = this.control(json, text);
    if (told !== undefined) return text === undefined ? told : [...chunk(text), ...told];
    if (text !== undefined) return chunk(text);
    return [{ type: 'unknown', name: frame.event, data: frame.data }];
  }

  private broken(frame: Frame): readonly StreamEvent[] {
    this.cut = frame.incomplete === true;
    return [unreadable(frame, 'JSON')];
  }

  // In a payload with text, a `code` or a name is not a failure: only an error is.
  private control(json: unknown, text?: string): readonly StreamEvent[] | undefined {
    const object = asObject(json);
    if (object === undefined) return undefined;
    const failed =
      text === undefined || object.error !== undefined || object.base_resp !== undefined
        ? readFailure(object)
        : undefined;
    if (failed !== undefined) {
      this.over = true;
      return [{ type: 'error', ...failed }];
    }
    return object.done === true && Object.keys(object).length === 1 ? this.complete() : undefined;
  }

  end(): readonly StreamEvent[] {
    return this.over || this.cut ? [] : this.complete();
  }

  private complete(): readonly StreamEvent[] {
    this.over = true;
    return [{ type: 'complete', finish: 'stop' }];
  }
}

/** The events of one whole answer: the body itself, or the text at a path in its JSON. */
function decodePlainWhole(body: string, keys: readonly string[] | undefined): readonly StreamEvent[] {
  const json = keys === undefined ? undefined : parseJson(body);
  const text = keys === undefined ? body : textAt(json, keys);
  const failed = keys === undefined || text === undefined ? readFailedBody(body) : undefined;
  if (failed !== undefined) return [{ type: 'error', ...failed }];
  if (keys !== undefined && json === undefined) return [unreadable({ data: body }, 'JSON')];
  if (text === undefined) return [{ type: 'unknown', data: body }, ...END];
  return [...chunk(text), ...END];
}

const END: readonly StreamEvent[] = [{ type: 'complete', finish: 'stop' }];

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

// A truncated answer cannot be detected: the end of the body is the end of the answer.

/** Settings of a plain endpoint. */
export interface PlainOptions {
  /** Where the text of an event's JSON is, such as `choices.0.delta.content`. Default: the payload is the text. */
  textPath?: string;
}

const KINDS = {
  sse: { title: 'any endpoint that sends Server-Sent Events', accept: 'text/event-stream' },
  ndjson: { title: 'any endpoint that sends lines of JSON', accept: 'application/x-ndjson' },
  raw: { title: 'any endpoint at all: each read is a piece of text', accept: '*/*' },
} as const satisfies Record<PlainDialect, { title: string; accept: string }>;

/** A plain endpoint with that framing; the name of the framing is the name of the dialect and its server path. */
export function plain(framing: PlainDialect, options: PlainOptions = {}): Dialect {
  const keys = options.textPath === undefined || framing === 'raw' ? undefined : pathKeys(options.textPath);
  const path = `/${framing}`;
  const { title, accept } = KINDS[framing];
  const payload = (text: string): string => {
    if (keys !== undefined) return JSON.stringify(withPath(keys, text));
    // A line cannot contain line ends, so without a path it is a JSON string.
    return framing === 'ndjson' ? JSON.stringify(text) : text;
  };

  return {
    name: framing,
    title,
    framing,
    thinkTags: true,
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
function plainRequest(chat: ChatRequest, accept: string) {
  const fields = {
    model: chat.model,
    prompt: promptText(chat.messages),
    // Said only when it is not what the endpoint is there for.
    stream: chat.stream ? undefined : false,
  };
  return post('', chat, fields, { accept });
}

/** What a request to a plain endpoint asks for: `prompt` or `messages` of the body or the query. */
function parsePlain(request: Parameters<Dialect['parseRequest']>[0]): ChatRequest {
  const json = asObject(parseJson(request.body));
  const prompt = asText(json?.prompt) ?? request.query.get('prompt') ?? request.body;
  return {
    model: asText(json?.model),
    messages: chatMessages(json?.messages) ?? [{ role: 'user', content: prompt }],
    stream: json?.stream !== false && request.query.get('stream') !== 'false',
  };
}

function failure(framing: FramingName, message: string, code?: string): Frame {
  const data = errorJson(message, code);
  return framing === 'sse' ? { event: 'error', data } : { data };
}

function errorJson(message: string, code?: string): string {
  return JSON.stringify({ error: { message, code } });
}

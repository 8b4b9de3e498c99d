import type { StreamEvent } from '../../model/events.ts';
import { isFailureName, readError, readFailedBody, readFailure } from '../errors.ts';
import type { Decoder } from '../dialect.ts';
import type { Frame } from '../framing/frame.ts';
import { asArray, asObject, atPath, compact, excerpt, parseJson, unreadable } from '../json.ts';

// What a plain endpoint sends, read with no knowledge of its API: a frame's payload is text, or holds text at a path.

const QUOTE = 34;
const END_NAMES = new Set(['done', 'end', 'complete']);
const IDLE_NAMES = new Set(['ping', 'heartbeat', 'keepalive', 'keep-alive']);
/** What is in a JSON payload that may be more than text: only these are parsed. */
const TELLS = /"(error|errors|done|code|base_resp)"|error"|failed"/i;

/** Each read is a piece of text. */
export class RawDecoder implements Decoder {
  decode({ data }: Frame): readonly StreamEvent[] {
    return chunk(data);
  }

  end(): readonly StreamEvent[] {
    return [{ type: 'complete', finish: 'stop' }];
  }
}

/** Reads events or lines. The end of the body is the end of the answer, unless it came in the middle of a payload. */
export class PlainDecoder implements Decoder {
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

  // Without a path the payload is the text, but for the few that a service would not send as text.
  private bare(frame: Frame): readonly StreamEvent[] {
    const { data } = frame;
    if (!data.startsWith('{')) return chunk(data);
    const cut = frame.incomplete === true;
    const json = cut || TELLS.test(data) ? parseJson(data) : undefined;
    if (cut && json === undefined) return this.broken(frame);
    return this.control(json) ?? chunk(data);
  }

  // A line is JSON: a text, or anything else as it stands. HOT PATH: once a line was seen to be JSON, an object of which
  // nothing is to be told is not parsed again.
  private line(frame: Frame): readonly StreamEvent[] {
    const { data } = frame;
    if (this.begun && data.startsWith('{') && data.endsWith('}') && !TELLS.test(data)) return chunk(data);
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
    return [compact<StreamEvent>({ type: 'unknown', name: frame.event, data: frame.data })];
  }

  private broken(frame: Frame): readonly StreamEvent[] {
    this.cut = frame.incomplete === true;
    return [unreadable(frame, 'JSON')];
  }

  // Where the path finds text, a `code` or a name beside it is the service's own: only an error is one.
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
export function decodePlainWhole(body: string, keys: readonly string[] | undefined): readonly StreamEvent[] {
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

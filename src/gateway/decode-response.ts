import { errorMessage, UserError } from '../model/errors.ts';
import type { StreamEvent } from '../model/events.ts';
import { formatSizeLimit } from '../model/format.ts';
import { DEFAULT_LIMITS } from '../model/plan.ts';
import type { Decoder, Dialect } from '../wire/dialect.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { readErrorBody } from '../wire/errors.ts';
import { FRAMINGS, type FrameParser } from '../wire/framing/framings.ts';
import { excerpt } from '../wire/json.ts';

/** How a response is decoded. */
export interface DecodeOptions {
  /** Name of a dialect, such as `ollama-chat`, or the dialect. */
  dialect: string | Dialect;
  /** False for one whole answer. Default: true, unless the content type is JSON and the dialect's streams have another one. */
  stream?: boolean;
  /** The largest event of a stream, and the largest whole answer, in bytes. Default: 16 MiB and 64 MiB. */
  limitBytes?: number;
}

/**
 * The events of a response of `fetch`, as they arrive. Each is read when it is asked for. Leaving the loop cancels the response.
 * A failure (an HTTP error, a lost connection, an event over the limit) is an `error` event, the last one. An answer whose events
 * end without `complete` and `error` was cut off. Throws a `UserError` for an unknown dialect and for a body that was already read.
 */
export function decodeResponse(
  response: Response,
  options: DecodeOptions,
): AsyncIterableIterator<StreamEvent> & { readonly isStream: boolean; cancel(reason?: string): void } {
  const dialect = typeof options.dialect === 'string' ? getDialect(options.dialect) : options.dialect;
  if (response.bodyUsed || response.body?.locked) {
    throw new UserError('usage', {
      message: 'the body of the response was already read',
      hint: 'decode the response first, or decode response.clone()',
    });
  }
  return new ResponseEvents(response, dialect, options);
}

class ResponseEvents implements AsyncIterableIterator<StreamEvent> {
  /** The response is a stream, not one whole answer. */
  readonly isStream: boolean;
  private readonly response: Response;
  private readonly dialect: Dialect;
  private readonly limitBytes: number | undefined;
  private readonly reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private readonly decoder: Decoder;
  private readonly parser: FrameParser;
  private queue: StreamEvent[] = [];
  private at = 0;
  private over = false;

  constructor(response: Response, dialect: Dialect, { stream, limitBytes }: DecodeOptions) {
    this.response = response;
    this.dialect = dialect;
    this.limitBytes = limitBytes;
    this.isStream = stream ?? isStreamed(response, dialect);
    this.reader = response.body?.getReader();
    this.decoder = dialect.decoder();
    const maxBytes = limitBytes ?? DEFAULT_LIMITS.eventBytes;
    const sink = {
      frame: (frame: Parameters<Decoder['decode']>[0]) => {
        if (!this.over) this.queue.push(...this.decoder.decode(frame));
      },
      comment: () => {},
      tooLarge: () => this.fail(`an event is larger than ${formatSizeLimit(maxBytes)}`, 'too_large'),
    };
    this.parser = FRAMINGS[dialect.framing].parser(sink, maxBytes);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<StreamEvent, undefined>> {
    for (;;) {
      const value = this.queue[this.at];
      if (value !== undefined) {
        this.at++;
        return { done: false, value };
      }
      this.queue = [];
      this.at = 0;
      if (this.over) return { done: true, value: undefined };
      try {
        await this.read();
      } catch (error) {
        if (!this.over) this.fail(errorMessage(error), error instanceof TooLarge ? 'too_large' : 'network');
      }
    }
  }

  async return(): Promise<IteratorResult<StreamEvent, undefined>> {
    this.cancel();
    return { done: true, value: undefined };
  }

  cancel(reason = 'the reader left'): void {
    this.queue = [];
    this.over = true;
    this.reader?.cancel(reason).catch(() => {});
  }

  private async read(): Promise<void> {
    const { status, ok } = this.response;
    if (!ok) {
      const body = await this.text();
      const { message, ...rest } = readErrorBody(body) ?? {
        message: excerpt(body) || `the status is ${status}`,
      };
      this.queue.push({ type: 'error', message, ...rest, code: String(status) });
      this.over = true;
    } else if (!this.isStream) {
      this.queue.push(...this.whole(await this.text()));
      this.over = true;
    } else {
      const { done, value } = (await this.reader?.read()) ?? { done: true, value: undefined };
      if (value !== undefined) this.parser.push(value);
      if (!done) return;
      this.parser.end();
      if (!this.over) this.queue.push(...this.decoder.end());
      this.over = true;
    }
  }

  private whole(body: string): StreamEvent[] {
    const events = [...this.dialect.decodeWhole(body.replace(/^\uFEFF/, ''))];
    // A whole document is complete, with or without a finish reason.
    if (!events.some(({ type }) => type === 'complete' || type === 'error'))
      events.push({ type: 'complete', finish: 'other' });
    return events;
  }

  private async text(): Promise<string> {
    const maxBytes = this.limitBytes ?? DEFAULT_LIMITS.bodyBytes;
    const utf8 = new TextDecoder();
    let text = '';
    let bytes = 0;
    for (;;) {
      const { done, value } = (await this.reader?.read()) ?? { done: true, value: undefined };
      if (done) return text + utf8.decode();
      bytes += value?.byteLength ?? 0;
      if (bytes > maxBytes) throw new TooLarge(`the answer is larger than ${formatSizeLimit(maxBytes)}`);
      text += utf8.decode(value, { stream: true });
    }
  }

  private fail(message: string, code: string): void {
    this.queue.push({ type: 'error', message, code });
    this.over = true;
    this.reader?.cancel(message).catch(() => {});
  }
}

class TooLarge extends Error {}

// Nearly every whole answer is JSON. Gemini streams JSON too, as an array.
function isStreamed({ headers }: Response, { framing, wholeIsStream }: Dialect): boolean {
  const type = headers.get('content-type') ?? '';
  return wholeIsStream === true || framing === 'json-array' || !/^application\/json\b/i.test(type);
}

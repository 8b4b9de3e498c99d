import { createParser, type ParseError } from 'eventsource-parser';
import { byteLength } from '../../model/bytes.ts';
import { awsEventStream } from './aws-event-stream.ts';
import { isLarger, Pieces, Utf8Stream } from './buffers.ts';
import type { Frame, Framing, FramingName } from './frame.ts';
import { jsonArray } from './json-array.ts';

export type { Frame, FrameParser, FrameSink, Framing, FramingName } from './frame.ts';

/** Allowance for the characters of a line besides its value, such as `data: `. */
const FIELD_CHARS = 64;

const CR = 13;
const LF = 10;

const sse: Framing = {
  name: 'sse',
  contentType: 'text/event-stream; charset=utf-8',
  parser(sink, maxFrameBytes = Number.POSITIVE_INFINITY) {
    const utf8 = new Utf8Stream();
    let ending = false;
    let afterCr = false;
    let stopped = false;
    // The unfinished line.
    const line = new Pieces();
    const stop = (bytes = maxFrameBytes + 1) => {
      if (stopped) return;
      stopped = true;
      line.take();
      sink.tooLarge?.(bytes);
    };
    const parser = createParser({
      // In characters, for unfinished events. Complete events are measured in bytes below.
      maxBufferSize: maxFrameBytes + FIELD_CHARS,
      onEvent({ data, event, id }) {
        if (stopped) return;
        if (isLarger(data, maxFrameBytes)) {
          stop(byteLength(data));
          return;
        }
        const frame: Frame = { data };
        if (event !== undefined) frame.event = event;
        if (id !== undefined) frame.id = id;
        if (ending) frame.incomplete = true;
        sink.frame(frame);
      },
      onComment(text) {
        if (!stopped) sink.comment(text);
      },
      onRetry(ms) {
        sink.retry?.(ms);
      },
      onError(error) {
        if (error.type === 'max-buffer-size-exceeded') stop();
        const data = stopped ? undefined : reportedFailure(error);
        if (data === undefined) return;
        if (isLarger(data, maxFrameBytes)) stop(byteLength(data));
        else sink.frame(ending ? { event: 'error', data, incomplete: true } : { event: 'error', data });
      },
    });
    // The parser holds back a CR at the end of its input, so the last event of a stream with CR line ends would be
    // late or lost. We add the LF ourselves and drop an LF that follows.
    const feed = (decoded: string) => {
      if (stopped) return;
      let text = decoded;
      if (afterCr && text !== '') {
        afterCr = false;
        if (text.charCodeAt(0) === LF) text = text.slice(1);
      }
      if (text === '') return;
      if (text.charCodeAt(text.length - 1) === CR) {
        afterCr = true;
        text += '\n';
      }
      // HOT PATH: nearly all reads end with an event.
      if (text.charCodeAt(text.length - 1) !== LF && !hasLineEnd(text)) {
        line.add(text);
        if (line.length > maxFrameBytes + FIELD_CHARS) stop(line.length);
        return;
      }
      parser.feed(line.isEmpty ? text : line.take() + text);
    };
    return {
      push(chunk) {
        feed(utf8.push(chunk));
      },
      end() {
        feed(utf8.end());
        if (stopped) return;
        ending = true;
        parser.feed(`${line.take()}\n\n`);
      },
    };
  },
  write({ data, event, id }) {
    const head = `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}`;
    // A CR ends a line too. JSON contains neither unescaped.
    const oneLine = data.indexOf('\n') === -1 && data.indexOf('\r') === -1;
    return `${head}data: ${oneLine ? data : data.replaceAll(/\r\n|\r|\n/g, '\ndata: ')}\n\n`;
  },
};

function hasLineEnd(text: string): boolean {
  return text.indexOf('\n') !== -1 || text.indexOf('\r') !== -1;
}

/**
 * The data of a failure that a server reports as a line `error: {...}`, or as a line of JSON without a field name. Neither is
 * an SSE field, so a conforming parser ignores them.
 */
function reportedFailure({ type, field, value, line }: ParseError): string | undefined {
  if (type !== 'unknown-field') return undefined;
  if (field === 'error') return value;
  return line?.startsWith('{') && line.includes('"error"') ? line : undefined;
}

const ndjson: Framing = {
  name: 'ndjson',
  contentType: 'application/x-ndjson',
  parser(sink, maxFrameBytes = Number.POSITIVE_INFINITY) {
    const utf8 = new Utf8Stream();
    // The unfinished line.
    const open = new Pieces();
    let stopped = false;
    const stop = (bytes: number) => {
      stopped = true;
      open.take();
      sink.tooLarge?.(bytes);
    };
    const line = (text: string, incomplete: boolean) => {
      const data = text.endsWith('\r') ? text.slice(0, -1) : text;
      if (stopped || data.trim() === '') return;
      if (isLarger(data, maxFrameBytes)) stop(byteLength(data));
      else sink.frame(incomplete ? { data, incomplete } : { data });
    };
    return {
      push(chunk) {
        if (stopped) return;
        const text = utf8.push(chunk);
        let from = 0;
        for (let to = text.indexOf('\n'); to !== -1; to = text.indexOf('\n', from)) {
          // HOT PATH: most lines arrive in one read.
          if (open.isEmpty) line(text.slice(from, to), false);
          else line(open.take() + text.slice(from, to), false);
          from = to + 1;
        }
        if (stopped || from === text.length) return;
        open.add(text.slice(from));
        if (open.length > maxFrameBytes) stop(open.length);
      },
      end() {
        line(open.take() + utf8.end(), true);
      },
    };
  },
  write: ({ data }) => `${data}\n`,
};

// Each read is one frame, except for the bytes of an incomplete character, which belong to the next frame.
const raw: Framing = {
  name: 'raw',
  contentType: 'text/plain; charset=utf-8',
  parser(sink) {
    const utf8 = new Utf8Stream();
    const give = (data: string) => {
      if (data !== '') sink.frame({ data });
    };
    return {
      push: (chunk) => give(utf8.push(chunk)),
      end: () => give(utf8.end()),
    };
  },
  write: ({ data }) => data,
};

/** The framings by name. */
export const FRAMINGS: Readonly<Record<FramingName, Framing>> = {
  sse,
  ndjson,
  'json-array': jsonArray,
  'aws-event-stream': awsEventStream,
  raw,
};

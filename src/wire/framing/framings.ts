import { createParser } from 'eventsource-parser';
import { awsEventStream } from './aws-event-stream.ts';
import { Pieces, Utf8Stream } from './buffers.ts';
import { type Frame, type Framing, type FramingName, isLarger } from './frame.ts';
import { jsonArray } from './json-array.ts';

export type { Frame, FrameParser, FrameSink, Framing, FramingName } from './frame.ts';

/** Characters of a line beside its value: `data: `. */
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
    // The line that has not ended.
    const line = new Pieces();
    const stop = (bytes = maxFrameBytes + 1) => {
      if (stopped) return;
      stopped = true;
      line.take();
      sink.tooLarge?.(bytes);
    };
    const parser = createParser({
      // In characters: what is left to wait for. The bytes of an event that is whole are counted below.
      maxBufferSize: maxFrameBytes + FIELD_CHARS,
      onEvent({ data, event, id }) {
        if (stopped) return;
        if (isLarger(data, maxFrameBytes)) {
          stop(Buffer.byteLength(data));
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
      onError(error) {
        if (error.type === 'max-buffer-size-exceeded') stop();
        // Some servers write a failure as a line `error: {...}`, or as a bare line of JSON. Neither is a field of
        // SSE, so a conforming reader would drop them in silence.
        if (stopped || error.type !== 'unknown-field') return;
        const data = error.field === 'error' ? error.value : bareError(error.line);
        if (data === undefined) return;
        if (isLarger(data, maxFrameBytes)) stop(Buffer.byteLength(data));
        else sink.frame(ending ? { event: 'error', data, incomplete: true } : { event: 'error', data });
      },
    });
    // The parser keeps a CR at the end of its input until it sees what follows, so the last event of a stream with
    // CR line ends would come late or never. We complete the pair ourselves and drop the LF that may come next.
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
      // HOT PATH: most reads end with an event.
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
    // A CR would end the line on the other side too. JSON has neither unescaped.
    const oneLine = data.indexOf('\n') === -1 && data.indexOf('\r') === -1;
    return `${head}data: ${oneLine ? data : data.replaceAll(/\r\n|\r|\n/g, '\ndata: ')}\n\n`;
  },
};

function hasLineEnd(text: string): boolean {
  return text.indexOf('\n') !== -1 || text.indexOf('\r') !== -1;
}

function bareError(line: string | undefined): string | undefined {
  return line?.startsWith('{') && line.includes('"error"') ? line : undefined;
}

const ndjson: Framing = {
  name: 'ndjson',
  contentType: 'application/x-ndjson',
  parser(sink, maxFrameBytes = Number.POSITIVE_INFINITY) {
    const utf8 = new Utf8Stream();
    // The line that has not ended.
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
      if (isLarger(data, maxFrameBytes)) stop(Buffer.byteLength(data));
      else sink.frame(incomplete ? { data, incomplete } : { data });
    };
    return {
      push(chunk) {
        if (stopped) return;
        const text = utf8.push(chunk);
        let from = 0;
        for (let to = text.indexOf('\n'); to !== -1; to = text.indexOf('\n', from)) {
          // HOT PATH: most lines are whole.
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

// Nothing is cut: each read is a frame, but for the bytes of a character that the next read will complete.
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

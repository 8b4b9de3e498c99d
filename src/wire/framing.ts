import { createParser } from 'eventsource-parser';
import { awsEventStream } from './aws-event-stream.ts';
import type { Frame, Framing, FramingName } from './frame.ts';
import { jsonArray } from './json-array.ts';
import { Utf8Stream } from './utf8.ts';

export type { Frame, FrameParser, FrameSink, Framing, FramingName } from './frame.ts';

const CR = 13;
const LF = 10;

const sse: Framing = {
  name: 'sse',
  contentType: 'text/event-stream; charset=utf-8',
  parser(sink) {
    const utf8 = new Utf8Stream();
    let ending = false;
    let afterCr = false;
    const parser = createParser({
      onEvent({ data, event, id }) {
        const frame: Frame = { data };
        if (event !== undefined) frame.event = event;
        if (id !== undefined) frame.id = id;
        if (ending) frame.incomplete = true;
        sink.frame(frame);
      },
      onComment: (text) => sink.comment(text),
      onError(error) {
        // Some servers write a failure as a line `error: {...}`, or as a bare line of JSON. Neither is a field of
        // SSE, so a conforming reader would drop them in silence.
        if (error.type !== 'unknown-field') return;
        const data = error.field === 'error' ? error.value : bareError(error.line);
        if (data === undefined) return;
        sink.frame(ending ? { event: 'error', data, incomplete: true } : { event: 'error', data });
      },
    });
    // The parser keeps a CR at the end of its input until it sees what follows, so the last event of a stream with
    // CR line ends would come late or never. We complete the pair ourselves and drop the LF that may come next.
    const feed = (decoded: string) => {
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
      parser.feed(text);
    };
    return {
      push(chunk) {
        feed(utf8.push(chunk));
      },
      end() {
        feed(utf8.end());
        ending = true;
        parser.feed('\n\n');
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

function bareError(line: string | undefined): string | undefined {
  return line?.startsWith('{') && line.includes('"error"') ? line : undefined;
}

const ndjson: Framing = {
  name: 'ndjson',
  contentType: 'application/x-ndjson',
  parser(sink) {
    const utf8 = new Utf8Stream();
    // The pieces of the unfinished line: joined once, when its end arrives, so that a long line costs linear time.
    let pieces: string[] = [];
    const line = (text: string, incomplete: boolean) => {
      const data = text.endsWith('\r') ? text.slice(0, -1) : text;
      if (data.trim() === '') return;
      sink.frame(incomplete ? { data, incomplete } : { data });
    };
    return {
      push(chunk) {
        const text = utf8.push(chunk);
        let from = 0;
        for (let to = text.indexOf('\n'); to !== -1; to = text.indexOf('\n', from)) {
          // HOT PATH: most lines are whole.
          if (pieces.length === 0) line(text.slice(from, to), false);
          else {
            pieces.push(text.slice(from, to));
            line(pieces.join(''), false);
            pieces = [];
          }
          from = to + 1;
        }
        if (from < text.length) pieces.push(text.slice(from));
      },
      end() {
        pieces.push(utf8.end());
        line(pieces.join(''), true);
        pieces = [];
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

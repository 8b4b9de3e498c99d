import { createParser } from 'eventsource-parser';

/** How a byte stream is cut into frames. */
export type FramingName = 'sse' | 'ndjson';

/** One frame: an SSE event or an NDJSON line. */
export interface Frame {
  /** The payload: the joined `data:` lines, or the line. */
  data: string;
  /** SSE event name, where one was sent. */
  event?: string;
  /** SSE id, where one was sent. */
  id?: string;
  /** The stream ended inside this frame: no blank line, or no line feed, after it. It may have been cut. */
  incomplete?: true;
}

/** Receives what a frame parser finds. */
export interface FrameSink {
  frame(frame: Frame): void;
  /** An SSE comment, such as `: keep-alive`. */
  comment(text: string): void;
}

/** Cuts one byte stream into frames; each is delivered as soon as its last byte has been pushed. */
export interface FrameParser {
  push(chunk: Uint8Array): void;
  /** The stream has ended. What is left over is delivered with `incomplete`. */
  end(): void;
}

/** One way to cut and to write frames. */
export interface Framing {
  readonly name: FramingName;
  /** What a server says in `content-type`. */
  readonly contentType: string;
  parser(sink: FrameSink): FrameParser;
  write(frame: Frame): string;
}

const sse: Framing = {
  name: 'sse',
  contentType: 'text/event-stream; charset=utf-8',
  parser(sink) {
    const utf8 = new TextDecoder();
    let ending = false;
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
        // Some servers write a failure as a line `error: {...}`, which is no field of SSE and would be dropped.
        if (error.type === 'unknown-field' && error.field === 'error') {
          sink.frame({ event: 'error', data: error.value ?? '' });
        }
      },
    });
    return {
      push(chunk) {
        const text = utf8.decode(chunk, { stream: true });
        if (text !== '') parser.feed(text);
      },
      end() {
        parser.feed(utf8.decode());
        ending = true;
        parser.feed('\n\n');
      },
    };
  },
  write({ data, event, id }) {
    const head = `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}`;
    return `${head}data: ${data.includes('\n') ? data.replaceAll('\n', '\ndata: ') : data}\n\n`;
  },
};

const ndjson: Framing = {
  name: 'ndjson',
  contentType: 'application/x-ndjson',
  parser(sink) {
    const utf8 = new TextDecoder();
    // The pieces of the unfinished line: joined once, when its end arrives, so that a long line costs linear time.
    let pieces: string[] = [];
    const line = (text: string, incomplete: boolean) => {
      const data = text.endsWith('\r') ? text.slice(0, -1) : text;
      if (data.trim() === '') return;
      sink.frame(incomplete ? { data, incomplete } : { data });
    };
    return {
      push(chunk) {
        const text = utf8.decode(chunk, { stream: true });
        let from = 0;
        for (let to = text.indexOf('\n'); to !== -1; to = text.indexOf('\n', from)) {
          pieces.push(text.slice(from, to));
          line(pieces.length === 1 ? pieces[0]! : pieces.join(''), false);
          pieces = [];
          from = to + 1;
        }
        if (from < text.length) pieces.push(text.slice(from));
      },
      end() {
        pieces.push(utf8.decode());
        line(pieces.join(''), true);
        pieces = [];
      },
    };
  },
  write: ({ data }) => `${data}\n`,
};

/** The framings by name. */
export const FRAMINGS: Readonly<Record<FramingName, Framing>> = { sse, ndjson };

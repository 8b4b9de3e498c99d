import { createParser } from 'eventsource-parser';
import { getDialect } from '../../src/wire/dialects/index.ts';
import { FRAMINGS } from '../../src/wire/framing/framings.ts';
import type { Input } from './input.ts';

/** Something that reads streams. `read` takes one to its end and answers with how many events it gave. */
export interface Reader {
  name: string;
  read(input: Input): number | Promise<number>;
  /** Reads about half of a stream and answers with what must be kept to go on. */
  hold(input: Input): unknown;
}

/** Our framing and decoder, as the client uses them. */
export const ours: Reader = {
  name: 'streambench',
  read(input) {
    const half = open(input.dialect);
    for (const read of input.reads) half.parser.push(read);
    half.parser.end();
    return half.count + half.decoder.end().length;
  },
  hold(input) {
    const half = open(input.dialect);
    for (const read of input.reads.slice(0, input.reads.length >> 1)) half.parser.push(read);
    return half;
  },
};

function open(dialect: string) {
  const format = getDialect(dialect);
  const decoder = format.decoder();
  const state = {
    decoder,
    count: 0,
    parser: FRAMINGS[format.framing].parser({
      frame(frame) {
        state.count += decoder.decode(frame).length;
      },
      comment: () => {},
    }),
  };
  return state;
}

/** eventsource-parser alone: the frames, and nothing of what is in them. */
export const floor: Reader = parserReader('eventsource-parser', () => {});

/** eventsource-parser and JSON.parse: the least that any reader has to do that knows what is in a frame. */
export const floorAndJson: Reader = parserReader('eventsource-parser, JSON.parse', (data) => {
  if (data.startsWith('{')) JSON.parse(data);
});

function parserReader(name: string, onData: (data: string) => void): Reader {
  const feed = (reads: readonly Uint8Array[]) => {
    const state = { events: 0, utf8: new TextDecoder(), parser: createParser({ onEvent }) };
    function onEvent({ data }: { data: string }): void {
      state.events++;
      onData(data);
    }
    for (const read of reads) state.parser.feed(state.utf8.decode(read, { stream: true }));
    return state;
  };
  return {
    name,
    read: ({ sseReads }) => feed(sseReads).events,
    hold: ({ sseReads }) => feed(sseReads.slice(0, sseReads.length >> 1)),
  };
}

/** A body that has come whole already, in these reads: no reader has to wait for it. `ends`: false for a stalled one. */
function bodyOf(reads: readonly Uint8Array[], ends = true): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start(controller) {
      for (const read of reads) controller.enqueue(read as Uint8Array<ArrayBuffer>);
      if (ends) controller.close();
    },
  });
}

/** How a client library turns a response into its events. */
export type OpenStream = (response: Response) => AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>;

/** The reader of a client library. */
export function libraryReader(name: string, contentType: string, openStream: OpenStream): Reader {
  const respond = (reads: readonly Uint8Array[], ends = true) =>
    openStream(new Response(bodyOf(reads, ends), { headers: { 'content-type': contentType } }));
  return {
    name,
    async read(input) {
      let events = 0;
      for await (const _ of await respond(input.reads)) events++;
      return events;
    },
    async hold(input) {
      const stream = await respond(input.reads.slice(0, input.reads.length >> 1), false);
      const iterator = stream[Symbol.asyncIterator]();
      // Fewer than are there, so that it does not wait; the rest is in its buffers.
      for (let i = 0; i < input.events >> 2; i++) await iterator.next();
      return { stream, iterator };
    },
  };
}

import type { StreamEvent } from '../model/events.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { FRAMINGS } from '../wire/framing/framings.ts';
import { bodyOf, type RecordedExchange } from './cassette.ts';

/** Events that arrived together, in ms since the request was sent. */
export interface TimedEvents {
  atMs: number;
  events: readonly StreamEvent[];
}

/** The events of a recorded answer, as its dialect decodes them. A whole answer has all of them at its end. */
export function recordedEvents(exchange: RecordedExchange): TimedEvents[] {
  const { request, reads, end } = exchange;
  const dialect = getDialect(request.dialect, { textPath: request.textPath });
  if (!request.stream) {
    const events = dialect.decodeWhole(bodyOf(exchange).toString('utf8'));
    return [{ atMs: reads.at(-1)?.atMs ?? end.atMs, events }];
  }
  const decoder = dialect.decoder();
  const timed: TimedEvents[] = [];
  let atMs = 0;
  const add = (events: readonly StreamEvent[]) => {
    if (events.length > 0) timed.push({ atMs, events });
  };
  const parser = FRAMINGS[dialect.framing].parser(
    {
      frame: (frame) => add(decoder.decode(frame)),
      comment() {},
      retry() {},
      tooLarge() {},
    },
    MAX_EVENT_BYTES,
  );
  for (const read of reads) {
    atMs = read.atMs;
    parser.push(read.bytes);
  }
  parser.end();
  // An answer that only the end of the body completes is not complete if the connection was lost.
  add(decoder.end().filter(({ type }) => type !== 'complete' || end.kind === 'complete'));
  return timed;
}

const MAX_EVENT_BYTES = 64 * 2 ** 20;

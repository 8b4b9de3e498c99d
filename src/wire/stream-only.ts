import type { StreamEvent } from '../model/events.ts';
import type { AnswerContext, Decoder, Encoder, WireBody } from './dialect.ts';
import { FRAMINGS } from './framing/framings.ts';
import { excerpt } from './json.ts';

/** For dialects that know no other answer than an SSE stream: the whole answer is the stream, read to its end. */

/** The events of a stream in one piece. */
export function decodeStreamBody(decoder: Decoder, body: string): readonly StreamEvent[] {
  const events: StreamEvent[] = [];
  const parser = FRAMINGS.sse.parser({
    frame(frame) {
      for (const event of decoder.decode(frame)) events.push(event);
    },
    comment: () => {},
  });
  parser.push(new TextEncoder().encode(body));
  parser.end();
  events.push(...decoder.end());
  if (events.length > 0) return events;
  return [{ type: 'error', malformed: true, message: `expected Server-Sent Events, got: ${excerpt(body)}` }];
}

/** A stream in one piece. */
export function encodeStreamBody(
  encoder: (context: AnswerContext) => Encoder,
  events: readonly StreamEvent[],
  context: AnswerContext,
): WireBody {
  const encode = encoder(context);
  const frames = events.flatMap((event) => [...encode(event)]);
  const body = frames.map((frame) => FRAMINGS.sse.write(frame)).join('');
  return { contentType: FRAMINGS.sse.contentType, body };
}

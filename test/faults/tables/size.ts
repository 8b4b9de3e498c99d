import { family } from '../families.ts';
import { type Fault, type FaultGroup, fails, forever, ok, row, wait } from '../fault.ts';
import { chunk, DONE, event, events, head, LAST, openHead, response, SSE, STOP, word } from '../http.ts';

const SMALL = 4_096;
const EVENT = fails('too_large', 'an event of the stream is larger than the limit of 4 KiB', 'limits.event');
const STREAM = fails('too_large', 'the stream is larger than the limit of 4 KiB', 'limits.stream');
const WHOLE = fails('too_large', 'the answer is larger than the limit of 4 KiB', 'limits.body');
const HEADERS = fails(
  'too_large',
  'the response headers are larger than the limit of 4 KiB',
  'limits.headers',
);

const limit = (name: 'eventBytes' | 'streamBytes' | 'bodyBytes' | 'headerBytes'): Partial<Fault> => ({
  client: () => ({ limits: { [name]: SMALL } }),
});
const whole: Partial<Fault> = { ...limit('bodyBytes'), mode: 'non-streaming' };
const filler = 'x'.repeat(1_000);
const answer = family('openai-chat').whole;

/** More than the client takes. The limits are made small: the defaults are 16 MiB an event and 64 MiB an answer. */
export const SIZE: FaultGroup = {
  title: 'Sizes',
  faults: [
    row(
      'event over its limit',
      'sends an event of 5 KB',
      events(word('x'.repeat(5_000)), STOP, DONE),
      EVENT,
      {
        ...limit('eventBytes'),
      },
    ),
    row(
      'line that never ends',
      'sends one line without an end',
      [SSE, chunk('data: '), forever(chunk(filler), wait(1))],
      EVENT,
      limit('eventBytes'),
    ),
    row(
      'event that never ends',
      'sends lines of one event without an end',
      [SSE, forever(chunk(`data: ${filler}\n`), wait(1))],
      EVENT,
      limit('eventBytes'),
    ),
    row(
      'comment that never ends',
      'sends one comment without an end',
      [SSE, chunk(': '), forever(chunk(filler), wait(1))],
      EVENT,
      limit('eventBytes'),
    ),
    row(
      'line of NDJSON that never ends',
      'sends one line without an end',
      [head('application/x-ndjson'), forever(chunk(filler), wait(1))],
      EVENT,
      { ...limit('eventBytes'), dialect: 'ollama-chat' },
    ),
    row(
      'events within the limit',
      'sends 20 events of 1 KB',
      events(...Array.from({ length: 20 }, () => word(filler)), STOP, DONE),
      ok,
      limit('eventBytes'),
    ),
    row(
      'stream over its limit',
      'sends events without an end',
      [SSE, forever(chunk(word(filler)), wait(1))],
      STREAM,
      {
        ...limit('streamBytes'),
      },
    ),
    row(
      'comments without an end',
      'sends comments without an end',
      [SSE, forever(chunk(`: ${filler}\n\n`), wait(1))],
      STREAM,
      limit('streamBytes'),
    ),
    row(
      'whole answer without an end',
      'sends a body without an end',
      [openHead('application/json'), '{"a":"', forever(filler, wait(1))],
      WHOLE,
      whole,
    ),
    row(
      'whole answer over its limit by content-length',
      'states a length of 1 GB',
      [`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000000\r\n\r\n{`],
      WHOLE,
      whole,
    ),
    row('whole answer within the limit', 'sends a short answer', [response('200 OK', answer)], ok, whole),
    row(
      'headers over their limit',
      'sends a header of 5 KB',
      [`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(5_000)}\r\ncontent-length: 0\r\n\r\n`],
      HEADERS,
      limit('headerBytes'),
    ),
    row(
      'error events without an end after the first',
      'reports a failure and goes on',
      [SSE, chunk(event({ error: { message: 'overloaded' } })), chunk(word('x')), LAST],
      fails('inband_error', 'overloaded'),
    ),
  ],
};

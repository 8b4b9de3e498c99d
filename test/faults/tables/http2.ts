import {
  data,
  goaway,
  headers,
  interim,
  reset as resetStream,
  settings,
} from '../../support/http2-frames.ts';
import {
  close,
  type Expectation,
  type Fault,
  type FaultGroup,
  fails,
  ok,
  reset,
  type Step,
  wait,
} from '../fault.ts';
import { DONE, response, STOP, word } from '../http.ts';

const HELLO = word('Hello');
const END = `${STOP}${DONE}`;
const frame = (type: number, flags: number, stream: number, payload: Buffer | string = '') => {
  const bytes = Buffer.from(payload);
  const top = Buffer.alloc(9);
  top.writeUIntBE(bytes.length, 0, 3);
  top[3] = type;
  top[4] = flags;
  top.writeUInt32BE(stream, 5);
  return Buffer.concat([top, bytes]);
};

/** An answer to the first request, which is stream 1. */
function h2(
  name: string,
  server: string,
  answer: readonly Step[],
  expect: Expectation,
  more: Partial<Fault> = {},
): Fault {
  return { name: `HTTP/2: ${name}`, server, listening: 'h2', answer, expect, ...more };
}

/** An answer to the connection, in place of settings. */
function h2open(
  name: string,
  server: string,
  onConnect: readonly Step[],
  expect: Expectation,
  limits = {},
): Fault {
  const client = () => ({ connect: { http: 2 as const }, ...limits });
  return { name: `HTTP/2: ${name}`, server, listening: 'h2', onConnect, expect, client };
}

const LIMITED: Partial<Fault> = {
  client: () => ({ connect: { http: 2 }, timeouts: { firstByteMs: 300 } }),
};
// node:http2 answers with GOAWAY, reads no more and tells nobody.
const SILENT: Expectation = { ...fails('timeout', 'no byte of the body within 300 ms'), phase: 'first_byte' };
const RESET_HINT = 'cancelled this request';
const GOAWAY_HINT = 'rejected the connection';

/** HTTP/2. */
export const HTTP2: FaultGroup = {
  title: 'HTTP/2',
  faults: [
    h2open(
      'HTTP/1.1 answer',
      'answers the preface in HTTP/1.1',
      [response('400 Bad Request', 'no', 'text/plain'), close],
      fails('network', 'does not speak HTTP/2', '--http 1'),
    ),
    h2open(
      'garbage',
      'answers the preface with random bytes',
      [Buffer.from('a'.repeat(64))],
      fails('network', 'does not speak HTTP/2', '--http 1'),
    ),
    h2open(
      'closed',
      'closes the connection after the preface',
      [close],
      fails('network', 'does not speak HTTP/2', '--http 1'),
    ),
    h2open('reset', 'resets the connection after the preface', [reset], {
      ...fails('network', 'ECONNRESET', '--http 1'),
      system: true,
    }),
    h2open(
      'no settings',
      'never sends its settings',
      [],
      { ...fails('timeout', 'no byte of the body within 300 ms'), phase: 'first_byte' },
      { timeouts: { firstByteMs: 300, connectMs: 300 } },
    ),
    h2open(
      'GOAWAY first',
      'sends GOAWAY in place of settings',
      [goaway(0, 1), close],
      fails('network', 'does not speak HTTP/2', '--http 1'),
    ),
    h2(
      'RST_STREAM: refused',
      'resets the stream with REFUSED_STREAM',
      [resetStream(1, 7)],
      fails('network', 'RST_STREAM REFUSED_STREAM', RESET_HINT),
    ),
    h2(
      'RST_STREAM: internal error',
      'resets the stream with INTERNAL_ERROR',
      [resetStream(1, 2)],
      fails('network', 'RST_STREAM INTERNAL_ERROR', RESET_HINT),
    ),
    h2(
      'RST_STREAM: HTTP_1_1_REQUIRED',
      'resets the stream with HTTP_1_1_REQUIRED',
      [resetStream(1, 13)],
      fails('network', 'HTTP_1_1_REQUIRED', RESET_HINT),
    ),
    h2(
      'RST_STREAM after the headers',
      'resets after the headers',
      [headers(1), wait(20), resetStream(1, 2)],
      fails('network', 'RST_STREAM INTERNAL_ERROR', RESET_HINT),
    ),
    h2(
      'RST_STREAM after content',
      'resets after content',
      [headers(1), data(1, HELLO), wait(20), resetStream(1, 2)],
      fails('truncated', 'RST_STREAM INTERNAL_ERROR'),
    ),
    h2(
      'RST_STREAM: cancel, after content',
      'resets with CANCEL after content',
      [headers(1), data(1, HELLO), wait(20), resetStream(1, 8)],
      fails('truncated', 'RST_STREAM CANCEL'),
    ),
    h2(
      'RST_STREAM: no error, after the end',
      'resets with NO_ERROR after a good answer',
      [headers(1), data(1, `${HELLO}${END}`, { end: true }), resetStream(1, 0)],
      ok,
    ),
    h2(
      'GOAWAY before the answer',
      'sends GOAWAY with NO_ERROR in place of an answer',
      [goaway(0, 0)],
      fails('network', 'closed the HTTP/2 session', 'restarting'),
    ),
    h2(
      'GOAWAY: enhance your calm',
      'sends GOAWAY with ENHANCE_YOUR_CALM',
      [goaway(0, 11)],
      fails('network', 'ENHANCE_YOUR_CALM', GOAWAY_HINT),
    ),
    h2(
      'GOAWAY: protocol error, after content',
      'sends GOAWAY with PROTOCOL_ERROR after content',
      [headers(1), data(1, HELLO), wait(20), goaway(1, 1), close],
      fails('truncated', 'GOAWAY PROTOCOL_ERROR'),
    ),
    h2(
      'GOAWAY, then the rest',
      'sends GOAWAY with NO_ERROR and finishes the answer',
      [headers(1), data(1, HELLO), goaway(1, 0), wait(20), data(1, END, { end: true })],
      ok,
    ),
    h2(
      'connection closed before the answer',
      'closes the connection',
      [close],
      fails('network', 'connection was lost', 'closed the connection'),
    ),
    h2(
      'connection reset before the answer',
      'resets the connection',
      [reset],
      fails('network', 'ECONNRESET', 'closed the connection'),
    ),
    h2(
      'connection closed after the headers',
      'closes after the headers',
      [headers(1), wait(20), close],
      fails('network', 'connection was lost', 'closed the connection'),
    ),
    h2(
      'connection closed after content',
      'closes after content',
      [headers(1), data(1, HELLO), wait(20), close],
      fails('truncated', 'connection was lost'),
    ),
    h2(
      'connection reset after content',
      'resets the connection after content',
      [headers(1), data(1, HELLO), wait(20), reset],
      fails('truncated', 'connection was lost'),
    ),
    h2(
      'ended after the headers',
      'ends the stream with its headers',
      [headers(1, { end: true })],
      fails('empty', 'the body is empty'),
    ),
    h2(
      'ended after content',
      'ends the stream after content',
      [headers(1), data(1, HELLO, { end: true })],
      fails('truncated', 'neither terminator nor finish reason'),
    ),
    h2(
      'ended before the terminator',
      'ends the stream after the finish reason',
      [headers(1), data(1, `${HELLO}${STOP}`, { end: true })],
      ok,
    ),
    h2(
      'frame of an unknown type',
      'sends a frame of type 200',
      [frame(200, 0, 0, 'hello'), headers(1), data(1, `${HELLO}${END}`, { end: true })],
      ok,
    ),
    h2('data before headers', 'sends DATA before HEADERS', [data(1, HELLO)], SILENT, LIMITED),
    h2('data on an unknown stream', 'sends DATA on stream 99', [data(99, HELLO)], SILENT, LIMITED),
    h2(
      'frame too large',
      'sends a frame of 1 MiB',
      [headers(1), frame(0, 0, 1, 'a'.repeat(1 << 20))],
      SILENT,
      LIMITED,
    ),
    h2(
      'headers that cannot be decoded',
      'sends HPACK garbage',
      [frame(1, 5, 1, Buffer.from('ffffffffffffffff', 'hex'))],
      SILENT,
      LIMITED,
    ),
    h2(
      'settings of the wrong length',
      'sends SETTINGS of 5 bytes',
      [frame(4, 0, 0, 'abcde')],
      SILENT,
      LIMITED,
    ),
    h2(
      'window update of 0',
      'sends WINDOW_UPDATE with 0',
      [frame(8, 0, 0, Buffer.alloc(4))],
      fails('network', 'violated the HTTP/2 protocol', '--http 1'),
    ),
    h2(
      '1,000 pings',
      'sends 1,000 pings before the answer',
      [
        ...Array.from({ length: 1_000 }, () => frame(6, 0, 0, Buffer.alloc(8))),
        headers(1),
        data(1, `${HELLO}${END}`, { end: true }),
      ],
      ok,
    ),
    h2(
      '10,000 empty DATA frames',
      'sends 10,000 empty DATA frames',
      [
        headers(1),
        Buffer.concat(Array.from({ length: 10_000 }, () => data(1, ''))),
        data(1, `${HELLO}${END}`, { end: true }),
      ],
      fails('network', 'Too many invalid HTTP/2 frames', '--http 1'),
    ),
    h2(
      'pushed stream',
      'sends PUSH_PROMISE, which was forbidden',
      [frame(5, 4, 1, Buffer.from([0, 0, 0, 2, 0x88])), headers(1), data(1, `${HELLO}${END}`, { end: true })],
      fails('network', 'violated the HTTP/2 protocol', '--http 1'),
    ),
    h2(
      'interim responses',
      'sends 103 and 102 first',
      [interim(1, 103), interim(1, 102), headers(1), data(1, `${HELLO}${END}`, { end: true })],
      ok,
    ),
    h2(
      'room for no stream',
      'lowers its limit to 0 streams during the answer, and raises it',
      [settings(0), headers(1), data(1, `${HELLO}${END}`, { end: true }), wait(50), settings(10)],
      ok,
    ),
    h2(
      'status 500',
      'answers 500',
      [headers(1, { status: 0x8e, end: true })],
      fails('http_error', 'HTTP 500'),
    ),
    h2(
      'status 404',
      'answers 404',
      [headers(1, { status: 0x8d, end: true })],
      fails('http_error', 'HTTP 404', "check the URL's path"),
    ),
    h2(
      'silence',
      'never answers',
      [],
      { ...fails('timeout', 'no byte of the body'), phase: 'first_byte' },
      { client: () => ({ connect: { http: 2 }, timeouts: { firstByteMs: 300 } }) },
    ),
    h2(
      'silence after content',
      'stops after content',
      [headers(1), data(1, HELLO)],
      { ...fails('timeout', 'no data for 300 ms'), phase: 'idle' },
      { client: () => ({ connect: { http: 2 }, timeouts: { idleMs: 300 } }) },
    ),
  ],
};

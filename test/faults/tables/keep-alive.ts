import { close, type FaultGroup, fails, ok, reset, row, type Step, wait } from '../fault.ts';
import { chunk, DONE, events, LAST, response, STOP, word } from '../http.ts';

const GOOD = events(word('Hello'), STOP, DONE);
/** In one write: what follows comes before the next request is sent. */
const followedBy = (more: string | Buffer): Step[] => [
  Buffer.concat([...GOOD, more].map((piece) => Buffer.from(piece as string))),
];
const PAUSE = { pauseMs: 150 };
const CLOSES =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n';
const BODY = [chunk(word('Hello')), chunk(STOP), chunk(DONE), LAST];
const good = { kind: 'ok', text: 'Hello' } as const;
const TIMEOUT = (seconds: number) =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nkeep-alive: timeout=${seconds}\r\ntransfer-encoding: chunked\r\n\r\n`;

/** What happens to a connection before, between and after answers. The next request is the test. */
export const KEEP_ALIVE: FaultGroup = {
  title: 'Connections between requests',
  faults: [
    row('closed after the answer', 'promises to keep the connection, and closes it', [...GOOD, close], good),
    row(
      'reset after the answer',
      'promises to keep the connection, and resets it',
      [...GOOD, wait(20), reset],
      good,
      PAUSE,
    ),
    row('connection: close', 'says that it closes, and closes', [CLOSES, ...BODY, close], good),
    row('connection: close, kept open', 'says that it closes, and does not', [CLOSES, ...BODY], good),
    row('keep-alive: timeout=0', 'says that connections last no time', [TIMEOUT(0), ...BODY], good),
    row('keep-alive: timeout=1', 'says that connections last a second', [TIMEOUT(1), ...BODY, close], good),
    row(
      'keep-alive of letters',
      'says keep-alive: timeout=soon',
      [
        `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nkeep-alive: timeout=soon\r\ntransfer-encoding: chunked\r\n\r\n`,
        ...BODY,
      ],
      good,
    ),
    row(
      'bytes after the answer',
      'sends a line of text after the end of the answer',
      followedBy('and one more thing\r\n'),
      good,
    ),
    row(
      'a second answer',
      'sends another answer that nobody asked for',
      followedBy(response('200 OK', '{"stale":true}')),
      good,
    ),
    row(
      'a second answer, later',
      'sends another answer 30 ms later',
      [...GOOD, wait(30), response('200 OK', '{"stale":true}')],
      good,
      PAUSE,
    ),
    row(
      'a second 408',
      'sends 408 on the idle connection, as some servers do, and closes',
      [...GOOD, wait(20), response('408 Request Timeout', '', 'text/plain', 'connection: close\r\n'), close],
      good,
      PAUSE,
    ),
    row(
      'empty lines after the answer',
      'sends empty lines after the end of the answer',
      followedBy('\r\n\r\n'),
      good,
    ),
    row(
      'answer before the request',
      'sends an answer as soon as the connection is open, and closes',
      [],
      good,
      { answer: undefined, onConnect: [...GOOD, close] },
    ),
    row(
      '408 before the request',
      'sends 408 as soon as the connection is open, and closes',
      [],
      fails('http_error', 'HTTP 408'),
      {
        answer: undefined,
        onConnect: [response('408 Request Timeout', '', 'text/plain', 'connection: close\r\n'), close],
      },
    ),
    row('opened ahead, closed at once', 'closes a connection that was opened ahead of need', [], good, {
      answer: undefined,
      warm: true,
      onConnect: [close],
      expect: { kind: 'ok', text: 'Hello world' },
    }),
    row('opened ahead, reset at once', 'resets a connection that was opened ahead of need', [], ok, {
      answer: undefined,
      warm: true,
      onConnect: [reset],
      expect: { kind: 'ok', text: 'Hello world' },
    }),
    row(
      'opened ahead, closed by the request',
      'closes a connection that was opened ahead when the request comes',
      [close],
      { kind: 'ok', text: 'Hello world' },
      { warm: true },
    ),
    row(
      'opened ahead, reset by the request',
      'resets a connection that was opened ahead when the request comes',
      [reset],
      { kind: 'ok', text: 'Hello world' },
      { warm: true },
    ),
    row(
      'opened ahead, cut in the head',
      'sends half a status line on a connection that was opened ahead, and closes',
      ['HTTP/1.1 2', close],
      fails('network', 'the server closed the connection', 'before its answer'),
      { warm: true },
    ),
  ],
};

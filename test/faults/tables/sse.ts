import { type FaultGroup, fails, ok, row } from '../fault.ts';
import { chunk, DONE, event, events, LAST, SSE, STOP, word } from '../http.ts';

const HELLO = word('Hello');
const GOOD = `${HELLO}${word(' world')}${STOP}${DONE}`;
const plain = { dialect: 'sse' };
const PIECE = HELLO.slice(0, -2).slice('data: '.length);
const bytes = (before: string, middle: readonly number[], after: string) =>
  Buffer.concat([Buffer.from(before), Buffer.from(middle), Buffer.from(after)]);
const inWord = (...middle: number[]) =>
  bytes(HELLO.slice(0, HELLO.indexOf('Hello')), middle, HELLO.slice(HELLO.indexOf('Hello') + 5));

/** Server-Sent Events. */
export const SSE_FRAMING: FaultGroup = {
  title: 'Framing of Server-Sent Events',
  faults: [
    row('CR line ends', 'ends lines with CR alone', events(GOOD.replaceAll('\n', '\r')), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row('CRLF line ends', 'ends lines with CRLF', events(GOOD.replaceAll('\n', '\r\n')), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row(
      'mixed line ends',
      'mixes the three kinds of line ends',
      events(HELLO.replaceAll('\n', '\r'), word(' world').replaceAll('\n', '\r\n'), STOP, DONE),
      { kind: 'ok', text: 'Hello world' },
    ),
    row('byte order mark', 'begins with a BOM', events(`\uFEFF${GOOD}`), { kind: 'ok', text: 'Hello world' }),
    row('byte order mark twice', 'begins with two BOMs', events(`\uFEFF\uFEFF${GOOD}`), { kind: 'ok' }),
    row('no blank line at the end', 'leaves out the last blank line', events(GOOD.slice(0, -1)), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row(
      'no blank lines',
      'separates events by one line end',
      events(GOOD.replaceAll('\n\n', '\n')),
      fails('truncated', 'after 0 content events'),
    ),
    row('no space after data:', 'writes data:{...}', events(GOOD.replaceAll('data: ', 'data:')), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row('two spaces after data:', 'writes data:  {...}', events(GOOD.replaceAll('data: ', 'data:  ')), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row(
      'DATA in capitals',
      'writes DATA: {...}',
      events(GOOD.replaceAll('data: ', 'DATA: ')),
      fails('not_a_stream', 'plain text', '--dialect raw'),
    ),
    row(
      'no field names',
      'sends the JSON without data:',
      events(GOOD.replaceAll('data: ', '')),
      fails('not_a_stream', 'one JSON document', 'check the path'),
    ),
    row(
      'NUL between events',
      'sends a NUL before an event',
      events(HELLO, `\0${word(' world')}`, STOP, DONE),
      ok,
    ),
    row('NUL in the text', 'has NUL, escaped, in the answer text', events(word('a\0b'), STOP, DONE), {
      kind: 'ok',
      text: 'a\0b',
    }),
    row('line of 1 MiB', 'sends an event of 1 MiB', events(word('a'.repeat(1 << 20)), STOP, DONE), ok),
    row('comment of 1 MiB', 'sends a comment of 1 MiB', events(`: ${'a'.repeat(1 << 20)}\n\n`, GOOD), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row(
      '10,000 comments',
      'sends 10,000 comments before the answer',
      events(': ping\n\n'.repeat(10_000), GOOD),
      { kind: 'ok', text: 'Hello world' },
    ),
    row(
      'comments only',
      'sends comments and ends the body',
      events(': ping\n\n: ping\n\n'),
      fails('truncated', 'after 0 content events'),
    ),
    row('empty data', 'sends empty events between the others', events('data:\n\ndata: \n\n', GOOD), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row('events without data', 'sends events with a name and no data', events('event: ping\n\n', GOOD), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row(
      '10,000 id and retry fields',
      'sends id: and retry: lines without end',
      events('id: 1\nretry: 1\n'.repeat(10_000), '\n', GOOD),
      { kind: 'ok', text: 'Hello world' },
    ),
    row('retry of letters', 'sends retry: soon', events('retry: soon\n\n', GOOD), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row('id with NUL', 'sends an id with a NUL', events(`id: a\0b\n${GOOD}`), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row('unknown fields', 'sends fields that SSE does not have', events('x-extra: 1\ncolor: red\n\n', GOOD), {
      kind: 'ok',
      text: 'Hello world',
    }),
    row('event after DONE', 'sends content after the terminator', events(GOOD, word('more')), ok),
    row(
      'error after DONE',
      'sends an error after the terminator',
      events(GOOD, event({ error: { message: 'too late' } })),
      { kind: 'ok', text: 'Hello world' },
    ),
    row('two DONE', 'sends the terminator twice', events(GOOD, DONE), { kind: 'ok', text: 'Hello world' }),
    row(
      'DONE first',
      'sends the terminator before the content',
      events(DONE, GOOD),
      fails('empty', 'no content'),
    ),
    row('DONE alone', 'sends the terminator and nothing else', events(DONE), fails('empty', 'no content')),
    row(
      'DONE in lower case',
      'writes [done]',
      events(HELLO, STOP, 'data: [done]\n\n'),
      fails('malformed', '[done]'),
    ),
    row('DONE with spaces', 'writes "data:   [DONE]  "', events(HELLO, STOP, 'data:   [DONE]  \n\n'), {
      kind: 'ok',
      text: 'Hello',
    }),
    row('finish reason twice', 'sends the finish reason twice', events(HELLO, STOP, STOP, DONE), {
      kind: 'ok',
      text: 'Hello',
    }),
    row(
      'finish reason without content',
      'sends the finish reason alone',
      events(STOP, DONE),
      fails('empty', 'had no content'),
    ),
    row(
      'content after the finish reason',
      'sends content after the finish reason',
      events(STOP, HELLO, DONE),
      { kind: 'ok', text: 'Hello' },
    ),
    row(
      'JSON over two data lines',
      'splits an object over two data: lines',
      events(HELLO.replace('"model"', '\ndata: "model"'), STOP, DONE),
      { kind: 'ok', text: 'Hello' },
    ),
    row(
      'two objects in one event',
      'puts two objects into one data: line',
      events(`data: ${PIECE}${PIECE}\n\n`, STOP, DONE),
      fails('malformed', 'expected a JSON object'),
    ),
    row(
      'event split over 200 chunks',
      'cuts an event into pieces of one byte',
      [SSE, Buffer.concat(Array.from(Buffer.from(GOOD), (byte) => chunk(Buffer.from([byte])))), LAST],
      { kind: 'ok', text: 'Hello world' },
    ),
    row(
      '1,000 events in one chunk',
      'sends 1,000 events at once',
      events(word('a').repeat(1_000), STOP, DONE),
      ok,
    ),
    row(
      'UTF-8 cut by a chunk',
      'ends a chunk in the middle of a character',
      [
        SSE,
        chunk(inWord(0xe4, 0xbd).subarray(0, -HELLO.length + HELLO.indexOf('Hello') + 5)),
        chunk(bytes('', [0xa0], HELLO.slice(HELLO.indexOf('Hello') + 5))),
        chunk(STOP),
        chunk(DONE),
        LAST,
      ],
      { kind: 'ok', text: '你' },
    ),
    row(
      'UTF-8 cut by the end',
      'ends the body in the middle of a character',
      [SSE, chunk(bytes(HELLO.slice(0, HELLO.indexOf('Hello')), [0xe4, 0xbd], '')), LAST],
      fails('truncated', 'neither terminator'),
    ),
    row('UTF-8 invalid', 'has the bytes FF FE in the text', events(inWord(0xff, 0xfe), STOP, DONE), {
      kind: 'ok',
      text: '\uFFFD\uFFFD',
    }),
    row(
      'UTF-8 overlong',
      'has an overlong slash (C0 AF) in the text',
      events(inWord(0xc0, 0xaf), STOP, DONE),
      { kind: 'ok', text: '\uFFFD\uFFFD' },
    ),
    row(
      'UTF-8 surrogate',
      'has a surrogate in UTF-8 (ED A0 80) in the text',
      events(inWord(0xed, 0xa0, 0x80), STOP, DONE),
      { kind: 'ok', text: '\uFFFD\uFFFD\uFFFD' },
    ),
    row(
      'UTF-16',
      'sends the stream in UTF-16',
      events(Buffer.from(GOOD, 'utf16le')),
      fails('not_a_stream', 'not UTF-8', 'check the URL'),
    ),
    row('line separator U+2028', 'has U+2028 in the text', events(word('a\u2028b'), STOP, DONE), {
      kind: 'ok',
      text: 'a\u2028b',
    }),
    row(
      'plain sse: CR only',
      'ends lines with CR alone',
      events('data: Hello\r\rdata:  world\r\r'),
      { kind: 'ok', text: 'Hello world' },
      plain,
    ),
    row(
      'plain sse: no events',
      'sends comments only',
      events(': ping\n\n'),
      fails('empty', 'had no content'),
      plain,
    ),
    row(
      'plain sse: error event',
      'sends event: error',
      events('data: Hello\n\nevent: error\ndata: overloaded\n\n'),
      fails('inband_error', 'overloaded'),
      plain,
    ),
    row(
      'plain ndjson: broken line',
      'sends half an object as a line',
      events('{"a":\n"Hello"\n'),
      fails('malformed', 'expected JSON'),
      { dialect: 'ndjson' },
    ),
  ],
};

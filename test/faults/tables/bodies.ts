import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { family } from '../families.ts';
import { close, type FaultGroup, fails, ok, reset, row, wait } from '../fault.ts';
import { chunk, DONE, head, LAST, openHead, response, SSE, STOP, word } from '../http.ts';

const BROKEN = 'violates HTTP/1.1';
const HELLO = word('Hello');
const GOOD = `${HELLO}${STOP}${DONE}`;
const WHOLE = family('openai-chat').whole;
const hex = (text: string) => Buffer.byteLength(text).toString(16);
const sized = (length: number | string) =>
  `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${length}\r\n\r\n`;
const packed = (encoding: string) => head('text/event-stream', `content-encoding: ${encoding}\r\n`);
const COMPRESSED = 'turn off compression for this path';
const whole = { mode: 'non-streaming' } as const;

/** The length of bodies, and what encodes them. */
export const BODIES: FaultGroup = {
  title: 'Length, chunks and compression of bodies',
  faults: [
    row(
      'chunk size of letters',
      'sends "zz" where the size of a chunk belongs',
      [SSE, 'zz\r\n', HELLO],
      fails('network', 'Invalid character in chunk size', BROKEN),
    ),
    row(
      'chunk size of letters, after content',
      'sends "zz" for the size of the second chunk',
      [SSE, chunk(HELLO), wait(30), 'zz\r\n'],
      fails('truncated', 'Invalid character in chunk size'),
    ),
    row(
      'chunk size negative',
      'sends the chunk size -5',
      [SSE, chunk(HELLO), wait(30), '-5\r\nhello\r\n'],
      fails('truncated', 'Invalid character in chunk size'),
    ),
    row(
      'chunk size beyond 64 bits',
      'sends a chunk size of 20 digits',
      [SSE, chunk(HELLO), wait(30), `${'f'.repeat(20)}\r\n`],
      fails('truncated', 'Chunk size overflow'),
    ),
    row(
      'chunk size empty',
      'sends an empty line for a chunk size',
      [SSE, chunk(HELLO), wait(30), '\r\nhello\r\n'],
      fails('truncated', 'Invalid character in chunk size'),
    ),
    row(
      'chunk size with an extension',
      'adds ;name=value to the chunk sizes',
      [SSE, `${hex(GOOD)};a=b\r\n${GOOD}\r\n`, LAST],
      ok,
    ),
    row(
      'chunk size with leading zeros',
      'writes the chunk size with zeros in front',
      [SSE, `000${hex(GOOD)}\r\n${GOOD}\r\n`, LAST],
      ok,
    ),
    row(
      'chunk without its CRLF',
      'leaves out the line end after a chunk',
      [SSE, `${hex(HELLO)}\r\n${HELLO}`, wait(30), '5\r\nhello\r\n'],
      fails('truncated', 'Expected LF after chunk data'),
    ),
    row(
      'chunk longer than its size',
      'sends more bytes than the size says',
      [SSE, `5\r\n${HELLO}\r\n`],
      fails('truncated', 'Expected LF after chunk data'),
    ),
    row(
      'chunk shorter than its size, closed',
      'sends fewer bytes than the size says, and closes',
      [SSE, `fff\r\n${HELLO}`, close],
      fails('truncated', 'the connection was lost'),
    ),
    row(
      'chunks of one byte',
      'sends each byte as a chunk',
      [SSE, Buffer.concat(Array.from(Buffer.from(GOOD), (byte) => chunk(Buffer.from([byte])))), LAST],
      ok,
    ),
    row(
      'last chunk missing',
      'closes after the terminator, without the last chunk',
      [SSE, chunk(GOOD), close],
      ok,
    ),
    row(
      'last chunk reset',
      'resets after the terminator, without the last chunk',
      [SSE, chunk(GOOD), wait(30), reset],
      ok,
    ),
    row(
      'last chunk, final CRLF missing',
      'sends "0" and one line end, and closes',
      [SSE, chunk(GOOD), '0\r\n', close],
      ok,
    ),
    row('last chunk never sent', 'keeps the connection open after the terminator', [SSE, chunk(GOOD)], ok),
    row(
      'trailers',
      'sends trailers after the last chunk',
      [SSE, chunk(GOOD), '0\r\nx-checksum: abc\r\n\r\n'],
      ok,
    ),
    row('trailer broken', 'sends a trailer without a colon', [SSE, chunk(GOOD), '0\r\nnonsense\r\n\r\n'], ok),
    row(
      'body not in chunks',
      'says chunked and sends the body as it is',
      [SSE, GOOD, close],
      fails('network', 'Invalid character in chunk size', BROKEN),
    ),
    row(
      'content-length too large, closed',
      'sends fewer bytes than content-length and closes',
      [sized(GOOD.length + 10), GOOD, close],
      ok,
    ),
    row(
      'content-length too large, no terminator',
      'sends content, fewer bytes than content-length, and closes',
      [sized(5_000), HELLO, close],
      fails('truncated', 'the connection was lost'),
    ),
    row(
      'content-length too small',
      'sends more bytes than content-length',
      [sized(HELLO.length), GOOD],
      fails('truncated', 'the body ended'),
    ),
    row(
      'content-length in the middle of an event',
      'cuts the stream by its own content-length',
      [sized(HELLO.length + 20), `${HELLO}${HELLO}`],
      fails('truncated', 'the body ended'),
    ),
    row(
      'content-length 0',
      'says that the stream has no bytes',
      [sized(0)],
      fails('empty', 'the body is empty'),
    ),
    row('empty stream', 'ends a chunked stream at once', [SSE, LAST], fails('empty', 'the body is empty')),
    row(
      'white space only',
      'sends only empty lines',
      [SSE, chunk('\n\n\n\n'), LAST],
      fails('empty', 'only white space'),
    ),
    row(
      'to the end of the connection',
      'neither length nor chunks: a good stream, then closed',
      [openHead('text/event-stream'), GOOD, close],
      ok,
    ),
    row(
      'to the end of the connection, reset',
      'neither length nor chunks: content, then RST',
      [openHead('text/event-stream'), HELLO, wait(30), reset],
      fails('truncated', 'the connection was lost'),
    ),
    row(
      'gzip',
      'compresses a good stream',
      [packed('gzip'), chunk(gzipSync(GOOD)), LAST],
      fails('not_a_stream', 'compressed (gzip)', COMPRESSED),
    ),
    row(
      'gzip, cut',
      'compresses, and closes in the middle',
      [packed('gzip'), chunk(gzipSync(GOOD).subarray(0, 30)), close],
      fails('truncated', 'the connection was lost'),
    ),
    row(
      'gzip, not declared',
      'sends gzip bytes without saying so',
      [SSE, chunk(gzipSync(GOOD)), LAST],
      fails('not_a_stream', 'compressed (gzip)', COMPRESSED),
    ),
    row(
      'gzip declared, plain',
      'says gzip and sends a good stream in plain',
      [packed('gzip'), chunk(GOOD), LAST],
      ok,
    ),
    row(
      'gzip declared, garbage',
      'says gzip and sends a sentence',
      [packed('gzip'), chunk('hello'), LAST],
      fails('not_a_stream', 'compressed (gzip)', COMPRESSED),
    ),
    row(
      'deflate',
      'compresses with deflate',
      [packed('deflate'), chunk(deflateSync(GOOD)), LAST],
      fails('not_a_stream', 'compressed (deflate)', COMPRESSED),
    ),
    row(
      'brotli',
      'compresses with brotli',
      [packed('br'), chunk(brotliCompressSync(GOOD)), LAST],
      fails('not_a_stream', 'compressed (br)', COMPRESSED),
    ),
    row('identity declared', 'says content-encoding: identity', [packed('identity'), chunk(GOOD), LAST], ok),
    row(
      'unknown encoding declared',
      'says content-encoding: rot13 and sends a good stream',
      [packed('rot13'), chunk(GOOD), LAST],
      ok,
    ),
    row(
      'whole answer: gzip',
      'compresses the whole answer',
      [response('200 OK', gzipSync(WHOLE), 'application/json', 'content-encoding: gzip\r\n')],
      fails('not_a_stream', 'compressed (gzip)', COMPRESSED),
      whole,
    ),
    row(
      'whole answer: content-length too small',
      'cuts the whole answer by its own content-length',
      [
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${WHOLE.length - 5}\r\n\r\n${WHOLE}`,
      ],
      fails('malformed', 'expected a JSON object'),
      whole,
    ),
    row(
      'whole answer: content-length too large',
      'closes 10 bytes before its content-length',
      [`HTTP/1.1 200 OK\r\ncontent-length: ${WHOLE.length + 10}\r\n\r\n${WHOLE}`, close],
      fails('truncated', 'the connection was lost'),
      whole,
    ),
    row(
      'whole answer: empty',
      'sends nothing',
      [response('200 OK', '')],
      fails('empty', 'the body is empty'),
      whole,
    ),
    row(
      'whole answer: null',
      'sends the JSON document null',
      [response('200 OK', 'null')],
      fails('not_a_stream', 'which the dialect openai-chat does not read', 'check the path'),
      whole,
    ),
    row(
      'whole answer: a page',
      'sends HTML',
      [response('200 OK', '<!doctype html><title>Log in</title>', 'text/html')],
      fails('not_a_stream', 'an HTML page', 'web page or a login'),
      whole,
    ),
    row(
      'whole answer: a stream',
      'ignores stream: false',
      [SSE, chunk(GOOD), LAST],
      fails('not_a_stream', 'ignored stream: false', '--mode streaming'),
      whole,
    ),
    row(
      'whole answer: NDJSON',
      'sends two JSON documents',
      [response('200 OK', '{"a":1}\n{"b":2}\n')],
      fails('not_a_stream', 'ignored stream: false', '--mode streaming'),
      whole,
    ),
    row(
      'whole answer: two documents',
      'sends the answer twice without a line end',
      [response('200 OK', WHOLE + WHOLE)],
      fails('malformed', 'expected a JSON object'),
      whole,
    ),
    row(
      'whole answer: of another dialect',
      'answers as Anthropic does',
      [response('200 OK', family('anthropic').whole)],
      fails('not_a_stream', 'another dialect (anthropic)', '--dialect anthropic'),
      whole,
    ),
    row(
      'whole answer: byte order mark',
      'begins with a BOM',
      [response('200 OK', `\uFEFF${WHOLE}`)],
      ok,
      whole,
    ),
    row(
      'stream: one whole answer',
      'ignores stream: true',
      [response('200 OK', WHOLE)],
      fails('not_a_stream', 'one JSON document', '--mode non-streaming'),
    ),
    row(
      'stream: a page',
      'sends HTML with status 200',
      [response('200 OK', '<html><body>Welcome to nginx!</body></html>', 'text/html')],
      fails('not_a_stream', 'an HTML page', 'web page or a login'),
    ),
    row(
      'stream: plain text',
      'sends a sentence',
      [response('200 OK', 'OK, here you are.', 'text/plain')],
      fails('not_a_stream', 'plain text', '--dialect raw'),
    ),
    row(
      'stream: XML',
      'sends an XML error with status 200',
      [response('200 OK', '<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', 'application/xml')],
      fails('not_a_stream', 'an XML document', 'check the URL and the path'),
    ),
    row(
      'stream: binary',
      'sends 1 KiB of random bytes',
      [
        response(
          '200 OK',
          Buffer.from(Array.from({ length: 1024 }, (_, i) => (i * 97 + 13) % 256)),
          'application/octet-stream',
        ),
      ],
      fails('not_a_stream', 'binary data', 'check the URL and the path'),
    ),
    row(
      'stream: NDJSON of Ollama',
      'answers as Ollama does',
      [head('application/x-ndjson'), chunk(Buffer.from(family('ollama-chat').content.join(''))), LAST],
      fails('not_a_stream', 'another dialect (ollama-chat)', '--dialect ollama-chat'),
    ),
    row(
      'stream: of Anthropic',
      'answers as Anthropic does',
      [SSE, chunk(`${family('anthropic').open}${family('anthropic').content[0]}`), LAST],
      fails('not_a_stream', 'another dialect (anthropic)', '--dialect anthropic'),
    ),
    row(
      'stream: JSON error with 200',
      'sends a JSON error with status 200',
      [response('200 OK', '{"error":{"message":"quota exceeded","code":"quota"}}')],
      fails('inband_error', 'quota exceeded'),
    ),
  ],
};

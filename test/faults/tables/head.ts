import { family } from '../families.ts';
import { close, type FaultGroup, fails, ok, reset, row, wait } from '../fault.ts';
import { chunk, DONE, events, LAST, response, SSE, STOP, word } from '../http.ts';

const CLOSED_EARLY = 'closed the connection before its answer';
const BROKEN = 'violates HTTP/1.1';
const NOT_HTTP = 'the server does not speak HTTP/1.1 there';
const BODY = [chunk(word('Hello world')), chunk(STOP), chunk(DONE), LAST];
const line = (status: string, fields: string) => `HTTP/1.1 ${status}\r\n${fields}\r\n`;
const WHOLE = family('openai-chat').whole;
const SSE_FIELDS = 'content-type: text/event-stream\r\n';
const CHUNKED = 'transfer-encoding: chunked\r\n';

const errorBody = (message: string) => `{"error":{"message":"${message}","type":"t","code":"c"}}`;

/** The status line and the headers. */
export const HEAD: FaultGroup = {
  title: 'Status line and headers',
  faults: [
    row(
      'cut before the status line',
      'closes the connection after the request',
      [close],
      fails('network', 'the server closed the connection', CLOSED_EARLY),
    ),
    row(
      'reset before the status line',
      'resets the connection after the request',
      [reset],
      fails('network', 'ECONNRESET', CLOSED_EARLY),
    ),
    row(
      'cut in the status line',
      'closes in the middle of the status line',
      ['HTTP/1.1 20', close],
      fails('network', 'the server closed the connection', CLOSED_EARLY),
    ),
    row(
      'reset in the status line',
      'resets in the middle of the status line',
      ['HTTP/1.1 20', wait(30), reset],
      fails('network', 'ECONNRESET', CLOSED_EARLY),
    ),
    row(
      'cut in the headers',
      'closes in the middle of a header',
      [line('200 OK', 'content-ty').slice(0, -2), close],
      fails('network', 'the server closed the connection', CLOSED_EARLY),
    ),
    row(
      'reset in the headers',
      'resets in the middle of a header',
      [line('200 OK', 'content-ty').slice(0, -2), wait(30), reset],
      fails('network', 'ECONNRESET', CLOSED_EARLY),
    ),
    row(
      'cut after the headers',
      'closes after the headers of a chunked body',
      [SSE, close],
      fails('network', 'the server closed the connection', CLOSED_EARLY),
    ),
    row(
      'reset after the headers',
      'resets after the headers of a chunked body',
      [SSE, wait(30), reset],
      fails('network', 'ECONNRESET', CLOSED_EARLY),
    ),
    row(
      'no status line',
      'begins with a header',
      ['content-type: text/plain\r\n\r\nhi'],
      fails('network', 'Expected HTTP/', NOT_HTTP),
    ),
    row(
      'garbage',
      'sends random bytes',
      [Buffer.from('00ff10e07f8081', 'hex')],
      fails('network', 'Expected HTTP/', NOT_HTTP),
    ),
    row(
      'empty lines, then garbage',
      'sends empty lines and a sentence',
      ['\r\n\r\nhello there\r\n\r\n'],
      fails('network', 'Expected HTTP/', NOT_HTTP),
    ),
    row(
      'empty lines first',
      'sends two empty lines before a good answer',
      ['\r\n\r\n', ...events(word('Hello'), STOP, DONE)],
      ok,
    ),
    row(
      'HTTP/0.9',
      'sends a body and no head',
      ['<html>hello</html>', close],
      fails('network', 'Expected HTTP/', NOT_HTTP),
    ),
    row(
      'HTTP/1.0',
      'answers in HTTP/1.0, to the end of the connection',
      [`HTTP/1.0 200 OK\r\n${SSE_FIELDS}\r\n${word('Hello')}${STOP}${DONE}`, close],
      ok,
    ),
    row(
      'HTTP/3.0 in the status line',
      'answers with an unknown version',
      ['HTTP/3.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'status of two digits',
      'answers with status 20',
      ['HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n'],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'status of four digits',
      'answers with status 2000',
      ['HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n'],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'status of letters',
      'answers with status abc',
      ['HTTP/1.1 abc OK\r\ncontent-length: 0\r\n\r\n'],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'status 999',
      'answers with status 999',
      [response('999 Request Denied', 'denied', 'text/plain')],
      fails('http_error', 'HTTP 999'),
    ),
    row(
      'status 600',
      'answers with status 600',
      [response('600 Odd', '', 'text/plain')],
      fails('http_error', 'HTTP 600'),
    ),
    row(
      'no reason phrase',
      'answers "HTTP/1.1 200"',
      [`HTTP/1.1 200\r\n${SSE_FIELDS}${CHUNKED}\r\n`, ...BODY],
      ok,
    ),
    row(
      'reason of UTF-8',
      'has letters beyond ASCII in the reason phrase',
      [line('200 Все хорошо', SSE_FIELDS + CHUNKED), ...BODY],
      ok,
    ),
    row(
      'header without a colon',
      'sends a header line without a colon',
      [line('200 OK', 'nonsense\r\ncontent-length: 0\r\n')],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'header name empty',
      'sends ": value"',
      [line('200 OK', ': value\r\ncontent-length: 0\r\n')],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'header name with a space',
      'sends "content type: x"',
      [line('200 OK', 'content type: x\r\ncontent-length: 0\r\n')],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'NUL in a header',
      'has a NUL in a header value',
      [line('200 OK', 'x-a: b\0c\r\ncontent-length: 0\r\n')],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'bytes beyond ASCII in a header',
      'has latin-1 bytes in a header value',
      [Buffer.from(line('200 OK', `x-a: \xe9\xff\r\n${SSE_FIELDS}${CHUNKED}`), 'latin1'), ...BODY],
      ok,
    ),
    row(
      'folded header',
      'continues a header on a second line',
      [line('200 OK', `x-a: b\r\n c\r\n${SSE_FIELDS}${CHUNKED}`), ...BODY],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'LF line ends',
      'ends the lines of the head with LF alone',
      [`HTTP/1.1 200 OK\ncontent-type: text/event-stream\ntransfer-encoding: chunked\n\n`, ...BODY],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'header of 1 MiB',
      'sends a header of 1 MiB',
      [line('200 OK', `x-a: ${'a'.repeat(1 << 20)}\r\ncontent-length: 0\r\n`)],
      fails('too_large', 'the response headers are larger than the limit of 64 KiB', 'limits.headers'),
    ),
    row(
      '20,000 headers',
      'sends 20,000 short headers',
      [line('200 OK', `${'x-a: b\r\n'.repeat(20_000)}content-length: 0\r\n`)],
      fails('too_large', 'the response headers are larger than the limit of 64 KiB', 'limits.headers'),
    ),
    row(
      'headers of 8 KiB',
      'sends 8 KiB of cookies before a good answer',
      [line('200 OK', `set-cookie: ${'a'.repeat(8_000)}\r\n${SSE_FIELDS}${CHUNKED}`), ...BODY],
      ok,
    ),
    row('content-type missing', 'names no content type', [line('200 OK', CHUNKED), ...BODY], ok),
    row(
      'content-type wrong',
      'calls a stream of events text/html',
      [line('200 OK', `content-type: text/html\r\n${CHUNKED}`), ...BODY],
      ok,
    ),
    row(
      'content-type twice',
      'sends two content types',
      [line('200 OK', `content-type: text/html\r\n${SSE_FIELDS}${CHUNKED}`), ...BODY],
      ok,
    ),
    row(
      'content-length twice, different',
      'sends content-length 5 and 6',
      [line('200 OK', 'content-length: 5\r\ncontent-length: 6\r\n'), 'hello'],
      fails('network', 'the body length does not match content-length', BROKEN),
    ),
    row(
      'content-length twice, equal',
      'sends content-length 2 twice',
      [line('200 OK', 'content-length: 2\r\ncontent-length: 2\r\n'), '{}'],
      fails('network', 'the body length does not match content-length', BROKEN),
    ),
    row(
      'content-length negative',
      'sends content-length -1',
      [line('200 OK', 'content-length: -1\r\n')],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'content-length of letters',
      'sends content-length abc',
      [line('200 OK', 'content-length: abc\r\n')],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'content-length beyond 64 bits',
      'sends a content-length of 24 digits',
      [line('200 OK', 'content-length: 999999999999999999999999\r\n')],
      fails('network', 'the body length does not match content-length', BROKEN),
    ),
    row(
      'content-length in hex',
      'sends content-length 0x10',
      [line('200 OK', 'content-length: 0x10\r\n')],
      fails('network', 'does not match the HTTP/1.1 protocol', BROKEN),
    ),
    row(
      'content-length and chunked',
      'sends both content-length and transfer-encoding',
      [line('200 OK', `content-length: 5\r\n${SSE_FIELDS}${CHUNKED}`), ...BODY],
      fails('network', 'the body length does not match content-length', BROKEN),
    ),
    row(
      'transfer-encoding unknown',
      'sends transfer-encoding: zip',
      [line('200 OK', `transfer-encoding: zip\r\n${SSE_FIELDS}`), word('Hello'), STOP, DONE, close],
      ok,
    ),
    row(
      'transfer-encoding chunked twice',
      'sends transfer-encoding: chunked, chunked',
      [line('200 OK', `transfer-encoding: chunked, chunked\r\n${SSE_FIELDS}`), ...BODY],
      ok,
    ),
    row(
      'continue before the answer',
      'sends 100 first',
      ['HTTP/1.1 100 Continue\r\n\r\n', ...events(word('Hello'), STOP, DONE)],
      ok,
    ),
    row(
      'early hints',
      'sends 103 with a link first',
      [
        'HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n',
        ...events(word('Hello'), STOP, DONE),
      ],
      ok,
    ),
    row(
      'processing, 1,000 times',
      'sends 102 a thousand times first',
      ['HTTP/1.1 102 Processing\r\n\r\n'.repeat(1_000), ...events(word('Hello'), STOP, DONE)],
      ok,
    ),
    row(
      'early hints, then closed',
      'sends 103 and closes',
      ['HTTP/1.1 103 Early Hints\r\n\r\n', close],
      fails('network', 'the server closed the connection', CLOSED_EARLY),
    ),
    row(
      'early hints, then garbage',
      'sends 103 and random bytes',
      ['HTTP/1.1 103 Early Hints\r\n\r\n', 'garbage\r\n\r\n'],
      fails('network', 'Expected HTTP/', NOT_HTTP),
    ),
    row(
      'switching protocols',
      'answers 101',
      ['HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'],
      fails('network', '101 Switching Protocols', 'WebSocket'),
    ),
    row(
      'no content',
      'answers 204',
      ['HTTP/1.1 204 No Content\r\n\r\n'],
      fails('empty', 'the body is empty'),
    ),
    row(
      'no content, with a body',
      'answers 204 and sends a body all the same',
      ['HTTP/1.1 204 No Content\r\n\r\n', word('Hello')],
      fails('empty', 'the body is empty'),
    ),
    row(
      'reset content',
      'answers 205 without a body',
      ['HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\n\r\n'],
      fails('empty', 'the body is empty'),
    ),
    row(
      'partial content',
      'answers 206 with half an event',
      [
        'HTTP/1.1 206 Partial Content\r\ncontent-type: text/event-stream\r\ncontent-length: 20\r\n\r\n',
        word('Hello').slice(0, 20),
      ],
      fails('truncated', 'neither terminator nor finish reason'),
    ),
    row(
      'accepted',
      'answers 202 with a job',
      [response('202 Accepted', '{"id":"job-1","status":"queued"}')],
      fails('not_a_stream', 'one JSON document', 'may not stream here'),
    ),
    row(
      'created',
      'answers 201 with a good stream',
      [line('201 Created', SSE_FIELDS + CHUNKED), ...BODY],
      ok,
    ),
    row(
      'redirect to itself',
      'answers 307 to its own path',
      [response('307 Temporary Redirect', '', 'text/plain', 'location: /\r\n')],
      fails('http_error', 'HTTP 307: redirect to /', 'redirects are not followed'),
    ),
    row(
      'redirect to a login page',
      'answers 302 to /login',
      [response('302 Found', '', 'text/plain', 'location: https://sso.test/login\r\n')],
      fails('http_error', 'redirect to', 'login page'),
    ),
    row(
      'redirect without a location',
      'answers 301 without a location',
      [response('301 Moved Permanently', '', 'text/plain')],
      fails('http_error', 'HTTP 301', 'redirects are not followed'),
    ),
    row(
      'redirect to another scheme',
      'answers 308 to https',
      [response('308 Permanent Redirect', '', 'text/plain', 'location: https://service.test/v1\r\n')],
      fails('http_error', 'redirect to https://service.test/v1', 'use the address it points to'),
    ),
    row(
      'not modified',
      'answers 304',
      ['HTTP/1.1 304 Not Modified\r\n\r\n'],
      fails('http_error', 'HTTP 304', 'redirects are not followed'),
    ),
    row(
      '400 with a JSON error',
      'answers 400 as OpenAI does',
      [response('400 Bad Request', errorBody('bad field'))],
      fails('http_error', 'HTTP 400: bad field'),
    ),
    row(
      '400 that names a field',
      'rejects max_tokens',
      [response('400 Bad Request', errorBody('temperature is not supported'))],
      fails('http_error', 'HTTP 400'),
    ),
    row(
      '401',
      'answers 401',
      [response('401 Unauthorized', errorBody('Incorrect API key'))],
      fails('http_error', 'Incorrect API key', 'check the key'),
    ),
    row(
      '402',
      'answers 402',
      [response('402 Payment Required', errorBody('Insufficient balance'))],
      fails('http_error', 'Insufficient balance', ''),
    ),
    row(
      '403 with a page',
      'answers 403 with HTML',
      [response('403 Forbidden', '<html><body>Attention Required! | Cloudflare</body></html>', 'text/html')],
      fails('http_error', 'HTTP 403', 'check the key'),
    ),
    row(
      '404 without a body',
      'answers 404 with nothing',
      [response('404 Not Found', '', 'text/plain')],
      fails('http_error', 'HTTP 404', "check the URL's path"),
    ),
    row(
      '404 of a model',
      'does not know the model',
      [response('404 Not Found', errorBody('The model `m` does not exist'))],
      fails('http_error', 'does not exist', "check the model's name"),
    ),
    row(
      '405',
      'takes a GET only',
      [response('405 Method Not Allowed', '', 'text/plain', 'allow: GET\r\n')],
      fails('http_error', 'HTTP 405', '--method GET'),
    ),
    row(
      '408',
      'answers 408',
      [response('408 Request Timeout', '', 'text/plain', 'connection: close\r\n'), close],
      fails('http_error', 'HTTP 408'),
    ),
    row(
      '413',
      'answers 413',
      [response('413 Content Too Large', 'too large', 'text/plain')],
      fails('http_error', 'HTTP 413'),
    ),
    row(
      '422 as FastAPI',
      'answers 422 with a list of errors',
      [
        response(
          '422 Unprocessable Entity',
          '{"detail":[{"loc":["body","stream"],"msg":"Field required","type":"missing"}]}',
        ),
      ],
      fails('http_error', 'Field required'),
    ),
    row(
      '429',
      'answers 429',
      [
        response(
          '429 Too Many Requests',
          errorBody('Rate limit reached'),
          'application/json',
          'retry-after: 1\r\n',
        ),
      ],
      fails('rate_limited', 'Rate limit reached'),
    ),
    row(
      '429 without a body',
      'answers 429 with nothing',
      [response('429 Too Many Requests', '', 'text/plain')],
      fails('rate_limited', 'HTTP 429'),
    ),
    row(
      '500 with a stack trace',
      'answers 500 with a Python stack trace',
      [
        response(
          '500 Internal Server Error',
          'Traceback (most recent call last):\n  File "app.py", line 1\nKeyError: x',
          'text/plain',
        ),
      ],
      fails('http_error', 'HTTP 500'),
    ),
    row(
      '500 with broken JSON',
      'answers 500 with half a JSON document',
      [response('500 Internal Server Error', '{"error":{"mess')],
      fails('http_error', 'HTTP 500'),
    ),
    row(
      '500 with a body of NULs',
      'answers 500 with 64 NUL bytes',
      [response('500 Internal Server Error', Buffer.alloc(64), 'application/octet-stream')],
      fails('http_error', 'HTTP 500'),
    ),
    row(
      '500 with an error of arrays',
      'answers 500 with [[[["deep"]]]]',
      [response('500 Internal Server Error', '{"error":[[[["deep"]]]]}')],
      fails('http_error', 'HTTP 500: deep'),
    ),
    row(
      '500 as a stream of events',
      'answers 500 with an error event',
      [
        `HTTP/1.1 500 Internal Server Error\r\n${SSE_FIELDS}${CHUNKED}\r\n`,
        chunk('event: error\ndata: {"error":{"message":"boom"}}\n\n'),
        LAST,
      ],
      fails('http_error', 'HTTP 500'),
    ),
    row(
      '500, body cut',
      'answers 500 and closes in the middle of the body',
      [
        'HTTP/1.1 500 Internal Server Error\r\ncontent-length: 100\r\n\r\n',
        '{"error":{"message":"half',
        close,
      ],
      fails('http_error', 'HTTP 500'),
    ),
    row(
      '500 with a body of 8 MiB',
      'answers 500 with 8 MiB of text',
      [response('500 Internal Server Error', 'a'.repeat(8 << 20), 'text/plain')],
      fails('http_error', 'HTTP 500'),
    ),
    row(
      '503 with a page',
      'answers 503 as nginx does',
      [
        response(
          '503 Service Temporarily Unavailable',
          '<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head></html>',
          'text/html',
        ),
      ],
      fails('http_error', 'HTTP 503'),
    ),
    row(
      '529',
      'answers 529 as Anthropic does when overloaded',
      [
        response(
          '529 Overloaded',
          '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
        ),
      ],
      fails('http_error', 'HTTP 529: Overloaded'),
      { dialect: 'anthropic' },
    ),
    row(
      'whole answer: 500',
      'answers 500 with text',
      [response('500 Internal Server Error', 'oops', 'text/plain')],
      fails('http_error', 'HTTP 500'),
      { mode: 'non-streaming' },
    ),
    row(
      'whole answer: no length',
      'sends a good answer to the end of the connection',
      [`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${WHOLE}`, close],
      ok,
      { mode: 'non-streaming' },
    ),
  ],
};

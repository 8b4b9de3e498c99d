import { connect } from 'node:net';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createToken } from '../../src/service/index.ts';
import { SECRET, startStack, type TestStack } from './support.ts';

// Every request here is written byte by byte, so that no client tidies it up. Each is answered with JSON and a status of
// its own, and the next caller notices nothing.

const CLOSE = ['connection: close'];
const BODY_LIMIT = 20_000;
const MESSAGE_LIMIT = 2_000;

let stack: TestStack;
let eternal: string;
let nobody: string;
let empty: string;
beforeAll(async () => {
  stack = await startStack({
    bodyLimitBytes: BODY_LIMIT,
    messageLimitBytes: MESSAGE_LIMIT,
    requestTimeoutMs: 2_000,
  });
  const key = new TextEncoder().encode(SECRET);
  const sign = (token: SignJWT) => token.setProtectedHeader({ alg: 'HS256' }).sign(key);
  eternal = await sign(new SignJWT({ sub: 'ada' }));
  empty = await createToken(SECRET, { subject: '' });
  nobody = await sign(new SignJWT({ exp: 4_000_000_000 }));
});
afterAll(() => stack.close());

/** Sends these bytes and gives all that comes back until the server closes, or until a whole response has come. */
function send(bytes: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(stack.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    const done = () => {
      socket.destroy();
      resolve(text);
    };
    socket.setEncoding('latin1');
    socket.on('data', (more) => {
      text += more;
      const [head = '', body] = text.split('\r\n\r\n');
      const length = /content-length: (\d+)/i.exec(head)?.[1];
      if (body !== undefined && length !== undefined && body.length >= Number(length)) done();
    });
    socket.on('end', done);
    socket.on('error', (error) => (text === '' ? reject(error) : done()));
    socket.write(bytes);
  });
}

interface Case {
  name: string;
  request: () => string | Buffer;
  status: number;
  code: string;
}

interface Parts {
  method?: string;
  path?: string;
  headers?: readonly string[];
  body?: string | Buffer;
  token?: string | null;
}

/** A request that is right, but for the parts that are given. */
function request({ method = 'POST', path = '/chat/stream', headers = [], body = '', token }: Parts): Buffer {
  const bearer = token === undefined ? stack.token : token;
  const head = [
    `${method} ${path} HTTP/1.1`,
    'host: x',
    ...(bearer === null ? [] : [`authorization: Bearer ${bearer}`]),
    ...headers,
  ];
  if (method === 'POST' && !headers.some((header) => /^(content-length|transfer-encoding):/i.test(header))) {
    head.push(`content-length: ${Buffer.byteLength(body)}`);
  }
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
}

const parts = (name: string, given: Parts | (() => Parts), status: number, code: string): Case => ({
  name,
  request: () => request(typeof given === 'function' ? given() : given),
  status,
  code,
});
const invalid = (name: string, body: unknown): Case =>
  parts(name, { body: typeof body === 'string' ? body : JSON.stringify(body) }, 400, 'invalid_request');
const notJson = (name: string, body: string | Buffer): Case => parts(name, { body }, 400, 'invalid_json');
const path = (name: string, at: string, status: number, code: string): Case =>
  parts(name, { path: at, body: '{"message":"x"}' }, status, code);
const raw = (name: string, bytes: string, status: number, code: string): Case => ({
  name,
  request: () => bytes,
  status,
  code,
});
const many = (count: number, item: unknown) => Array.from({ length: count }, () => item);
const token = (name: string, of: () => string | null, code = 'token_invalid'): Case =>
  parts(name, () => ({ token: of(), body: '{"message":"x"}' }), 401, code);

const CASES: Case[] = [
  // Paths.
  path('path traversal', '/api/v1/conversations/../../../etc/passwd/stream', 404, 'not_found'),
  path('encoded path traversal', '/api/v1/conversations/..%2f..%2fetc/stream', 400, 'invalid_request'),
  path('an encoded slash', '/api/v1/conversations/a%2Fb/stream', 400, 'invalid_request'),
  path('a NUL', '/api/v1/conversations/a%00b/stream', 400, 'invalid_request'),
  path('a line feed', '/api/v1/conversations/a%0ab/stream', 400, 'invalid_request'),
  path('a header in the path', '/api/v1/conversations/a%0d%0ax-evil:1/stream', 400, 'invalid_request'),
  path('an id of 129 characters', `/api/v1/conversations/${'a'.repeat(129)}/stream`, 400, 'invalid_request'),
  path(
    'an id of 10,000 characters',
    `/api/v1/conversations/${'a'.repeat(10_000)}/stream`,
    400,
    'invalid_request',
  ),
  path('half an escape', '/api/v1/conversations/%/stream', 400, 'invalid_request'),
  path('an escape that is no UTF-8', '/api/v1/conversations/%ff/stream', 400, 'invalid_request'),
  path('a quote and SQL', "/api/v1/conversations/x';DROP%20TABLE%20messages/stream", 400, 'invalid_request'),
  path('markup', '/api/v1/agents/%3Cscript%3E/chat/lumosai', 400, 'invalid_request'),
  path('no id', '/api/v1/conversations//stream', 404, 'not_found'),
  path('an unknown path', '/admin', 404, 'not_found'),
  path('two slashes', '//chat/stream', 404, 'not_found'),
  parts(
    'a session that is no name',
    { method: 'GET', path: '/sessions/a%20b/messages' },
    400,
    'invalid_request',
  ),
  parts(
    'a session that there is not',
    { method: 'GET', path: '/sessions/__proto__/messages' },
    404,
    'session_not_found',
  ),
  parts(
    'a ticket that there is not',
    { method: 'GET', path: '/chat/stream?ticket=__proto__' },
    401,
    'ticket_invalid',
  ),
  parts('two tickets', { method: 'GET', path: '/chat/stream?ticket=a&ticket=b' }, 401, 'ticket_invalid'),
  // Bodies that are not JSON.
  notJson('no body', ''),
  notJson('spaces', '   '),
  notJson('half an object', '{"message":'),
  notJson('two objects', '{"message":"x"}{"message":"y"}'),
  notJson('a form', 'message=x'),
  notJson('NaN', '{"message":"x","temperature":NaN}'),
  notJson('a bare NUL', '\0'),
  notJson('bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22])),
  notJson('UTF-16', Buffer.from('{"message":"x"}', 'utf16le')),
  notJson('18,000 brackets', '['.repeat(18_000)),
  // Bodies that are JSON and no request.
  invalid('null', 'null'),
  invalid('a number', '1e999'),
  invalid('a text', '"message"'),
  invalid('a list', []),
  invalid('deep lists', `${'['.repeat(500)}${']'.repeat(500)}`),
  notJson('deeper lists', `${'['.repeat(9_000)}${']'.repeat(9_000)}`),
  invalid('nothing', {}),
  invalid('__proto__ alone', '{"__proto__":{"message":"x"}}'),
  invalid('constructor alone', '{"constructor":{"prototype":{"message":"x"}}}'),
  invalid('a message that is a number', { message: 3 }),
  invalid('a message that is an object', { message: { toString: 'x' } }),
  invalid('an empty message', { message: '' }),
  invalid('half a character', '{"message":"\\ud800"}'),
  invalid('the other half', '{"message":"a\\udc00b"}'),
  invalid('a NUL in the message', '{"message":"a\\u0000b"}'),
  invalid('a NUL in a part', { messages: [{ role: 'user', content: [{ text: 'a\0' }] }] }),
  invalid('a huge number', '{"message":"x","max_tokens":1e308}'),
  invalid('more than a number can be', '{"message":"x","max_tokens":1e999}'),
  invalid('a negative number', { message: 'x', max_tokens: -1 }),
  invalid('a fraction', { message: 'x', max_tokens: 1.5 }),
  invalid('a temperature in words', { message: 'x', temperature: 'hot' }),
  invalid('a session id with a space', { message: 'x', session_id: 'a b' }),
  invalid('a session id of 129 characters', { message: 'x', session_id: 'a'.repeat(129) }),
  invalid('a model of 129 characters', { message: 'x', model: 'a'.repeat(129) }),
  invalid('a role that there is not', { messages: [{ role: 'root', content: 'x' }] }),
  invalid('a role called __proto__', { messages: [{ role: '__proto__', content: 'x' }] }),
  invalid('501 messages', { messages: many(501, { role: 'user', content: 'x' }).slice(0, 501) }),
  invalid('6,000 messages that are none', { messages: many(6_000, 1) }),
  invalid('101 parts', { messages: [{ role: 'user', content: many(101, 'x') }] }),
  invalid('a delay of a day', { message: 'x', text_delta_delay_ms: 86_400_000 }),
  parts(
    'an upstream called __proto__',
    { body: '{"message":"x","upstream":"__proto__"}' },
    403,
    'upstream_not_allowed',
  ),
  // Sizes.
  parts('a body that is too large', { body: 'x'.repeat(BODY_LIMIT + 1) }, 413, 'body_too_large'),
  parts('one that only says so', { headers: ['content-length: 999999999'] }, 413, 'body_too_large'),
  parts(
    'one in chunks',
    {
      headers: ['transfer-encoding: chunked'],
      body: `${(BODY_LIMIT + 1).toString(16)}\r\n${'x'.repeat(BODY_LIMIT + 1)}\r\n0\r\n\r\n`,
    },
    413,
    'body_too_large',
  ),
  parts(
    'a message that is too large',
    { body: JSON.stringify({ message: '世'.repeat(700) }) },
    413,
    'message_too_large',
  ),
  parts(
    'the last of several messages',
    {
      body: JSON.stringify({
        messages: ['a', 'b'.repeat(2_001)].map((content) => ({ role: 'user', content })),
      }),
    },
    413,
    'message_too_large',
  ),
  parts(
    'parts that are too large together',
    { body: JSON.stringify({ messages: [{ role: 'user', content: many(3, 'x'.repeat(1_000)) }] }) },
    413,
    'message_too_large',
  ),
  parts(
    'a message that is too large for a ticket',
    { path: '/chat/tickets', body: JSON.stringify({ message: 'x'.repeat(3_000) }) },
    413,
    'message_too_large',
  ),
  parts('20,000 bytes of headers', { headers: [`x-long: ${'a'.repeat(20_000)}`] }, 431, 'headers_too_large'),
  parts('a URL of 20,000 bytes', { path: `/${'a'.repeat(20_000)}` }, 431, 'headers_too_large'),
  parts(
    '10,000 bytes of headers and no token',
    { token: null, headers: [`x-long: ${'a'.repeat(10_000)}`] },
    401,
    'token_missing',
  ),
  // Time.
  parts('a body that stops', { headers: ['content-length: 50'], body: '{"message":"' }, 408, 'body_timeout'),
  raw('a head that stops', 'POST /chat/stream HTTP/1.1\r\nhost: x\r\nauthor', 408, 'request_timeout'),
  raw('a connection that says nothing', '', 408, 'request_timeout'),
  // Methods.
  ...['GET', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'SEARCH'].map((method) =>
    parts(`${method} /chat`, { method, path: '/chat' }, 405, 'method_not_allowed'),
  ),
  parts('POST /metrics', { path: '/metrics' }, 405, 'method_not_allowed'),
  parts('DELETE a session', { method: 'DELETE', path: '/sessions/s/messages' }, 405, 'method_not_allowed'),
  parts('TRACE', { method: 'TRACE' }, 405, 'method_not_allowed'),
  parts('CONNECT', { method: 'CONNECT', path: 'example.com:443' }, 405, 'method_not_allowed'),
  parts(
    'an upgrade',
    { method: 'GET', headers: ['connection: upgrade', 'upgrade: websocket'] },
    405,
    'method_not_allowed',
  ),
  raw('a method that there is not', 'FETCH / HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'bad_request'),
  // HTTP that is none.
  raw('no HTTP', 'hello\r\n\r\n', 400, 'bad_request'),
  raw('TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'bad_request'),
  raw('the HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad_request'),
  raw('no host', 'GET /metrics HTTP/1.1\r\n\r\n', 400, 'bad_request'),
  raw('a host that is none', 'GET /metrics HTTP/1.1\r\nhost: a b/c\r\n\r\n', 400, 'bad_request'),
  parts('two lengths', { headers: ['content-length: 1', 'content-length: 2'] }, 400, 'bad_request'),
  parts(
    'a length and chunks',
    { headers: ['content-length: 1', 'transfer-encoding: chunked'] },
    400,
    'bad_request',
  ),
  parts('a negative length', { headers: ['content-length: -1'] }, 400, 'bad_request'),
  parts(
    'a chunk without a size',
    { headers: ['transfer-encoding: chunked'], body: 'zz\r\n' },
    400,
    'bad_request',
  ),
  raw('a header with a NUL', 'GET /metrics HTTP/1.1\r\nhost: x\r\nx: a\0b\r\n\r\n', 400, 'bad_request'),
  parts('another expectation', { headers: ['expect: a-miracle'] }, 417, 'bad_request'),
  // Tokens.
  token('no token', () => null, 'token_missing'),
  token('a token of nonsense', () => 'nonsense'),
  token('a token without exp', () => eternal),
  token('a token without sub', () => nobody),
  token('a token with an empty sub', () => empty),
  token('a token of 9,000 characters', () => 'a'.repeat(9_000)),
  parts(
    'the right token after a wrong one',
    () => ({ token: 'x', headers: [`authorization: Bearer ${stack.token}`], body: '{"message":"x"}' }),
    401,
    'token_missing',
  ),
  parts(
    'a token by another scheme',
    () => ({ token: null, headers: [`authorization: Basic ${stack.token}`], body: '{"message":"x"}' }),
    401,
    'token_missing',
  ),
  parts(
    'a token in the URL',
    () => ({ token: null, path: `/chat/stream?token=${stack.token}`, body: '{"message":"x"}' }),
    401,
    'token_missing',
  ),
];

test('there are at least 60 cases', () => expect(CASES.length).toBeGreaterThanOrEqual(60));

describe('is answered, and the next request works', () => {
  test.concurrent.each(CASES)('$name: $status $code', async ({ request: bytes, status, code }) => {
    const answer = await send(bytes());
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/json');
    expect(JSON.parse(body)).toMatchObject({ error: { code, message: expect.any(String) } });
    expect(body.length).toBeLessThan(5_000);
    const next = await send(request({ path: '/chat', body: '{"message":"Hello"}' }));
    expect(next).toMatch(/^HTTP\/1\.1 200 /);
  });
});

test('refusals of large requests name the limit', async () => {
  expect(await send(request({ body: 'x'.repeat(BODY_LIMIT + 1) }))).toContain(`${BODY_LIMIT} bytes`);
  const message = await send(request({ body: JSON.stringify({ message: 'x'.repeat(MESSAGE_LIMIT + 1) }) }));
  expect(message).toContain(`${MESSAGE_LIMIT} bytes`);
});

test('unusual but valid requests are answered', async () => {
  const ok = async (given: Parts) =>
    expect(await send(request({ path: '/chat', body: '{"message":"x"}', ...given }))).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  await ok({});
  await ok({ headers: ['content-type: text/plain'] });
  await ok({ headers: ['content-type: application/json; charset=utf-8', 'content-type: text/plain'] });
  await ok({ headers: [`x-long: ${'a'.repeat(10_000)}`] });
  await ok({ body: '{"message":"\\ud83d\\ude00"}' });
  await ok({ body: '{"message":"x","message":"y"}' });
  const head = await send(request({ method: 'HEAD', path: '/api/v1/health/stream', headers: CLOSE }));
  expect(head).toMatch(/^HTTP\/1\.1 200 /);
  expect(await send(request({ method: 'OPTIONS', path: '/chat', headers: CLOSE }))).toMatch(
    /^HTTP\/1\.1 204 /,
  );
  expect(({} as { stream?: unknown }).stream).toBeUndefined();
});

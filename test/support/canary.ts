import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CHUNKED_END, chunked, SSE_HEAD } from './raw-server.ts';

/** A key that must not come out anywhere, and servers that send it back in every place. */

export const KEY = 'Xq9fT2+mW7pLz/0Rb4Kd8VnHs3Yc';

const hex = (text: string) => Buffer.from(text).toString('hex');

/** Ways to write the key, and what eight of its characters are in each, at least. */
export const SPELLINGS: Readonly<Record<string, { write(text: string): string; piece: number }>> = {
  plain: { write: (text) => text, piece: 8 },
  upper: { write: (text) => text.toUpperCase(), piece: 8 },
  url: { write: encodeURIComponent, piece: 10 },
  'url-lower': {
    write: (text) => encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
    piece: 10,
  },
  percent: { write: (text) => hex(text).replaceAll(/../g, '%$&'), piece: 24 },
  hex: { write: hex, piece: 16 },
  'hex-upper': { write: (text) => hex(text).toUpperCase(), piece: 16 },
  base64: { write: (text) => Buffer.from(text).toString('base64'), piece: 11 },
  base64url: { write: (text) => Buffer.from(text).toString('base64url'), piece: 11 },
  basic: { write: (text) => Buffer.from(`u:${text}`).toString('base64'), piece: 11 },
  shifted: { write: (text) => Buffer.from(`a${text}b`).toString('base64'), piece: 11 },
  unicode: {
    write: (text) =>
      [...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    piece: 48,
  },
};

// What surrounds the key in a spelling says nothing of it: the user's name before it, padding behind it.
const MARGIN = 4;

/** The pieces of `secret` that a text holds, in any spelling. Empty where it holds none. */
export function leaks(text: string, secret = KEY): string[] {
  const lower = text.toLowerCase();
  return Object.entries(SPELLINGS).flatMap(([name, { write, piece }]) => {
    const whole = write(secret).toLowerCase();
    const margin = /64|basic|shifted/.test(name) ? MARGIN : 0;
    for (let i = margin; i + piece <= whole.length - margin; i++) {
      const found = whole.slice(i, i + piece);
      const at = lower.indexOf(found);
      if (at !== -1) return [`${name}: ...${text.slice(Math.max(0, at - 60), at + piece + 20)}...`];
    }
    return [];
  });
}

/** Every file below a folder, as one text. */
export function everyFile(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.name}\n${readFileSync(join(entry.parentPath, entry.name)).toString('latin1')}`)
    .join('\n');
}

const plain = (status: string, headers: string, body: string) =>
  `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const json = (status: string, body: string) => plain(status, 'content-type: application/json\r\n', body);
const everyHeader = (echo: string) =>
  ['server', 'via', 'location', 'x-request-id', 'request-id', 'x-vercel-ai-ui-message-stream']
    .map((name) => `${name}: ${echo}\r\n`)
    .join('');
const sse = (...data: string[]) =>
  SSE_HEAD +
  data.map((text) => chunked(`data: ${text}\n\n`)).join('') +
  chunked('data: [DONE]\n\n') +
  CHUNKED_END;
const delta = (fields: string, finish = 'null') =>
  `{"id":"c","model":"m","choices":[{"index":0,"delta":{${fields}},"finish_reason":${finish}}]}`;
const inPieces = (text: string, size: number) =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));

/** Responses that send `echo` back. It is put into JSON as it is: an escape in it is one for the reader too. */
export const FAULTS: Readonly<Record<string, (echo: string) => string>> = {
  refusal: (echo) =>
    plain(
      `401 no ${echo}`,
      `${everyHeader(echo)}content-type: application/json; x=${echo}\r\n`,
      `{"error":{"message":"bad key ${echo}","code":"${echo}","type":"${echo}"}}`,
    ),
  'code alone': (echo) => json('400 Bad Request', `{"error":{"message":"no","code":"${echo}"}}`),
  'web page': (echo) =>
    plain('502 Bad Gateway', 'content-type: text/html\r\n', `<html><body>${echo}</body></html>`),
  'cut at 300': (echo) => json('400 Bad Request', `{"error":{"message":"${'x'.repeat(290)}${echo}"}}`),
  'cut at 500': (echo) => plain('500 Oops', 'content-type: text/plain\r\n', `${'y'.repeat(490)}${echo}`),
  'rate limit': (echo) =>
    plain('429 Slow', `retry-after: ${echo}\r\n`, `{"error":{"message":"key ${echo}","code":"${echo}"}}`),
  redirect: (echo) => plain('302 Found', `location: https://h/?k=${echo}\r\n`, ''),
  answer: (echo) =>
    sse(
      ...inPieces(echo, 3).map((piece) => delta(`"content":${JSON.stringify(piece)}`)),
      ...inPieces(echo, 5).map((piece) => delta(`"reasoning_content":${JSON.stringify(piece)}`)),
      delta(`"tool_calls":[{"index":0,"id":"${echo}","function":{"name":"${echo}","arguments":"${echo}"}}]`),
      `{"id":"${echo}","model":"${echo}","choices":[{"index":0,"delta":{"content":"${echo}"},"finish_reason":"${echo}"}]}`,
    ),
  'error inside': (echo) =>
    sse(delta('"content":"a"'), `{"error":{"message":"bad ${echo}","code":"${echo}"}}`),
  'finish error': (echo) => sse(delta('"content":"a"', `"${echo}"`)),
  empty: (echo) => sse(delta('', `"${echo}"`)),
  garbled: (echo) => sse(`{"choices": ${echo}`),
  'garbled and cut': (echo) => sse(`{"choices": ${'w'.repeat(95)}${echo}`),
  truncated: (echo) =>
    `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: ${delta(`"content":"${echo}"`)}\n\n`,
  'no stream': (echo) =>
    plain('200 OK', `content-type: text/${echo}\r\n${everyHeader(echo)}`, `<p>${echo}</p>`),
  'JSON error with 200': (echo) => json('200 OK', `{"error":{"message":"${echo}","code":"${echo}"}}`),
  compressed: (echo) => plain('200 OK', `content-encoding: ${echo}\r\n`, 'abc'),
  'other events': (echo) =>
    `${SSE_HEAD}${chunked(`event: ${echo}\ndata: {"${echo}":"${echo}"}\n\n: ${echo}\n\n`)}${CHUNKED_END}`,
  'not HTTP': (echo) => `${echo} ${echo}\r\n\r\n`,
};

/** The path of a fault in a spelling, for `faultAt`. */
export function faultPath(fault: string, spelling: string): string {
  return `/${encodeURIComponent(fault)}/${spelling}`;
}

/** The response for a request to such a path. */
export function faultAt(request: string): string {
  const [, fault = '', spelling = ''] = /^\w+ \/([^/]+)\/([\w-]+)/.exec(request) ?? [];
  return FAULTS[decodeURIComponent(fault)]!(SPELLINGS[spelling]!.write(KEY));
}

import { chunked } from '../support/raw-server.ts';
import type { Step } from './fault.ts';

/** The head of a response with a body in chunked encoding. */
export const head = (contentType: string, more = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\n${more}transfer-encoding: chunked\r\n\r\n`;

/** The head of a response that ends with its connection. */
export const openHead = (contentType: string, more = ''): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\n${more}connection: close\r\n\r\n`;

/** The head of a chunked stream of events. */
export const SSE = head('text/event-stream');

/** A piece of a chunked body, of text or of bytes. */
export const chunk = (bytes: string | Buffer): Buffer =>
  typeof bytes === 'string'
    ? Buffer.from(chunked(bytes))
    : Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

/** The end of a chunked body. */
export const LAST = '0\r\n\r\n';

/** A whole response with its length. */
export function response(status: string, body: string | Buffer, contentType = 'application/json', more = '') {
  const bytes = Buffer.from(body);
  const top = `HTTP/1.1 ${status}\r\ncontent-type: ${contentType}\r\ncontent-length: ${bytes.length}\r\n${more}\r\n`;
  return Buffer.concat([Buffer.from(top), bytes]);
}

/** A stream of events as one response: the pieces, each a chunk, and a proper end. */
export const events = (...pieces: readonly (string | Buffer)[]): Step[] => [
  SSE,
  ...pieces.map((piece) => chunk(piece)),
  LAST,
];

/** One SSE event. */
export const event = (data: unknown): string =>
  `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;

/** An event of the OpenAI chat dialect, as text: the bytes of a delta with this content. */
export const word = (text: string): string =>
  `data: {"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":${JSON.stringify(text)}},"finish_reason":null}]}\n\n`;

/** The finish reason of the OpenAI chat dialect. */
export const STOP =
  'data: {"id":"c1","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';

/** The terminator of the OpenAI dialects. */
export const DONE = 'data: [DONE]\n\n';

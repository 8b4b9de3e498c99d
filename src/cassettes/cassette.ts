/** A cassette: recorded exchanges with their bytes and arrival times, to be served again without the provider. */
export interface Cassette {
  /** Name and version of the program that recorded it. */
  program: string;
  /** ISO time. */
  recordedAt: string;
  /** In the order in which the requests were sent. */
  exchanges: readonly RecordedExchange[];
}

/** One request and its response. Times are in ms since the request was sent, to the microsecond. Holds no secret. */
export interface RecordedExchange {
  request: RecordedRequest;
  /** Absent if the connection was lost before it. */
  response?: RecordedResponse;
  /** The body in the order of its socket reads, without transfer framing and not decompressed. */
  reads: readonly RecordedRead[];
  end: RecordedEnd;
}

/** A recorded request. Headers that hold credentials are masked. */
export interface RecordedRequest {
  method: string;
  /** Scheme, host and port. */
  origin: string;
  /** Path and query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
  /** The dialect in which it was sent, such as `openai-chat`, and the text path of a plain one. */
  dialect: string;
  textPath?: string;
  /** False where one whole answer was requested. */
  stream: boolean;
}

/** Status and headers of a recorded response. */
export interface RecordedResponse {
  atMs: number;
  status: number;
  /** Names in lower case. */
  headers: Readonly<Record<string, string | readonly string[]>>;
  /** `h1` or `h2`. */
  protocol: string;
}

/** The body bytes of one socket read. */
export interface RecordedRead {
  atMs: number;
  bytes: Uint8Array;
}

/** How an exchange ended. */
export interface RecordedEnd {
  atMs: number;
  /**
   * - `complete`: the server ended the response;
   * - `cut`: the connection was lost, with `code`;
   * - `stopped`: the client stopped reading, as planned or on Ctrl-C;
   * - `silent`: the server sent nothing more until a time limit ended the request.
   */
  kind: (typeof END_KINDS)[number];
  /** The system's code, such as `ECONNRESET`. */
  code?: string;
}

/** The ways in which an exchange can end. */
export const END_KINDS = ['complete', 'cut', 'stopped', 'silent'] as const;

/** Schema of a cassette file. */
export const CASSETTE_SCHEMA = 'streambench/cassette@1';

/** The text of a cassette file: JSON lines, one for each request, response, read and end. */
export function writeCassette({ program, recordedAt, exchanges }: Cassette): string {
  const lines: object[] = [{ schema: CASSETTE_SCHEMA, program, recordedAt, exchanges: exchanges.length }];
  for (const { request, response, reads, end } of exchanges) {
    lines.push({ request });
    if (response !== undefined) lines.push({ response });
    for (const { atMs, bytes } of reads) lines.push({ atMs, ...encoded(bytes) });
    lines.push({ end });
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}

/** The name of the bytes is their encoding: text where they are UTF-8, base64 where not. */
function encoded(bytes: Uint8Array): { text: string } | { base64: string } {
  const text = utf8(bytes);
  return text === undefined ? { base64: Buffer.from(bytes).toString('base64') } : { text };
}

/** The bytes as text; undefined if they are not valid UTF-8. */
export function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** All body bytes of an exchange. */
export function bodyOf({ reads }: Pick<RecordedExchange, 'reads'>): Buffer {
  return Buffer.concat(reads.map(({ bytes }) => bytes));
}

/** The method and path of an exchange, without its query: what `replay` serves it at. */
export function endpointOf({ request: { method, path } }: RecordedExchange): string {
  return `${method} ${path.split('?', 1)[0]}`;
}

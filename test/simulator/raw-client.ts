import { connect, type Socket } from 'node:net';

/** An HTTP client of a few lines over a bare socket: a witness that shares no code with the library. */

/** A response, taken apart by hand. */
export interface RawResponse {
  status: number;
  headers: Record<string, string>;
  /** The chunks of a chunked body, in order; one piece where the body has a length. */
  chunks: string[];
  body: string;
  /** True when the body was there to its announced end. */
  whole: boolean;
  /** Milliseconds from sending to the head and to each read, by this process's clock. */
  readsMs: number[];
}

/** A request in bytes. */
export function requestBytes(method: string, path: string, body?: unknown): string {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  return `${method} ${path} HTTP/1.1\r\nhost: test\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** A chat request of the OpenAI kind. */
export function chatBody(model: string, text = 'What is learning?', more: object = {}): object {
  return {
    model,
    stream: true,
    stream_options: { include_usage: true },
    messages: [{ role: 'user', content: text }],
    ...more,
  };
}

export function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Sends one request over a connection of its own and reads until the response or the connection ends. */
export async function call(port: number, method: string, path: string, body?: unknown): Promise<RawResponse> {
  const socket = await open(port);
  const startedMs = performance.now();
  const reads: Buffer[] = [];
  const readsMs: number[] = [];
  socket.write(requestBytes(method, path, body));
  return new Promise((resolve, reject) => {
    const finish = () => {
      const response = parse(Buffer.concat(reads));
      if (response === undefined) return reject(new Error('no HTTP response'));
      socket.destroy();
      resolve({ ...response, readsMs });
    };
    socket.on('data', (read) => {
      readsMs.push(performance.now() - startedMs);
      reads.push(read);
      if (parse(Buffer.concat(reads))?.whole) finish();
    });
    socket.on('end', finish);
    socket.on('error', reject);
  });
}

function parse(bytes: Buffer): Omit<RawResponse, 'readsMs'> | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd === -1) return undefined;
  const [first = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  );
  const status = Number(first.split(' ')[1]);
  const rest = bytes.subarray(headEnd + 4);
  if (headers['transfer-encoding'] !== 'chunked') {
    const body = rest.toString('utf8');
    return {
      status,
      headers,
      chunks: [body],
      body,
      whole: rest.length === Number(headers['content-length']),
    };
  }
  const pieces: Buffer[] = [];
  let at = 0;
  let whole = false;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at);
    if (lineEnd === -1) break;
    const length = Number.parseInt(rest.subarray(at, lineEnd).toString('latin1'), 16);
    const from = lineEnd + 2;
    if (rest.length < from + length + 2) break;
    if (length === 0) {
      whole = true;
      break;
    }
    pieces.push(rest.subarray(from, from + length));
    at = from + length + 2;
  }
  const body = Buffer.concat(pieces).toString('utf8');
  return { status, headers, chunks: pieces.map((piece) => piece.toString('utf8')), body, whole };
}

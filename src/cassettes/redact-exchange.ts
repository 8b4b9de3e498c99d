import { brotliDecompressSync, constants, gunzipSync, inflateSync } from 'node:zlib';
import type { Redactor } from '../model/redaction/redactor.ts';
import { isCredentialName } from '../model/redaction/secrets.ts';
import { replaceUrlSecrets } from '../model/redaction/url-secrets.ts';
import { bodyOf, type RecordedExchange, type RecordedRead, utf8 } from './cassette.ts';
import { recordedEvents } from './recorded-events.ts';

const MASK = '[redacted]';

/** Named like credentials, but without information about the caller. */
const HARMLESS = /^(x-ratelimit-|access-control-|www-authenticate$|proxy-authenticate$)/;

/** A response that cannot be stored, because a secret in it cannot be hidden. The message completes "the response". */
export class UnhideableSecret extends Error {
  override readonly name = 'UnhideableSecret';
}

/**
 * The exchange without secrets: credentials in the request, cookies in the response, and echoes of the secrets everywhere.
 * A body in which nothing was hidden keeps its bytes. Throws `UnhideableSecret`.
 */
export function redactExchange(exchange: RecordedExchange, redactor: Redactor): RecordedExchange {
  const { request, response, reads } = exchange;
  const header = (name: string, value: string) =>
    isCredentialName(name) && !HARMLESS.test(name) ? MASK : redactor.text(value);
  const path = replaceUrlSecrets(request.path, () => MASK);
  const cleanReads = redactReads(exchange, redactor);
  refuseSplitSecrets({ ...exchange, reads: cleanReads }, redactor);
  const grown = size(cleanReads) - size(reads);
  return {
    ...exchange,
    request: {
      ...request,
      path: redactor.text(path),
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, header(name, value)]),
      ),
      body: request.body === undefined ? undefined : redactor.text(request.body),
    },
    response: response && {
      ...response,
      headers: Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => {
          if (typeof value !== 'string') return [name, value.map((one) => header(name, one))];
          // The announced length is that of the redacted body.
          if (name === 'content-length' && grown !== 0) return [name, String(Number(value) + grown)];
          return [name, header(name, value)];
        }),
      ),
    },
    reads: cleanReads,
  };
}

function redactReads(exchange: RecordedExchange, redactor: Redactor): readonly RecordedRead[] {
  const { reads, response } = exchange;
  if (!redactor.active || reads.length === 0) return reads;
  const body = bodyOf(exchange);
  const encoding = response?.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    const plain = decompressed(body, String(encoding));
    if (plain === undefined || !isClean(plain, redactor)) {
      throw new UnhideableSecret(`is compressed (${String(encoding)}) and may contain a secret`);
    }
    return reads;
  }
  return isClean(body, redactor) ? reads : withoutSecrets(reads, redactor);
}

/** Longer than any secret in any spelling; in characters. */
const WINDOW = 4096;

/** Reads between which a secret is cut become one, at the time of the later one. */
function withoutSecrets(reads: readonly RecordedRead[], redactor: Redactor): RecordedRead[] {
  // Binary data keeps one character per byte.
  const charset = reads.some(({ bytes }) => utf8(bytes) === undefined) ? 'latin1' : 'utf8';
  const texts = reads.map(({ bytes }) => Buffer.from(bytes).toString(charset));
  const all = texts.join('');
  const clean: { atMs: number; text: string }[] = [];
  let at = 0;
  for (const [index, text] of texts.entries()) {
    const { atMs } = reads[index] ?? { atMs: 0 };
    const [left, right] = [all.slice(Math.max(0, at - WINDOW), at), all.slice(at, at + WINDOW)];
    const last = clean.at(-1);
    if (last === undefined || redactor.text(left + right) === redactor.text(left) + redactor.text(right)) {
      clean.push({ atMs, text });
    } else {
      last.atMs = atMs;
      last.text += text;
    }
    at += text.length;
  }
  return clean.map(({ atMs, text }) => ({ atMs, bytes: Buffer.from(redactor.text(text), charset) }));
}

/** An answer can quote a secret in pieces, a few characters in each event. */
function refuseSplitSecrets(exchange: RecordedExchange, redactor: Redactor): void {
  if (!redactor.active || !exchange.request.stream) return;
  const texts = { answer: '', thinking: '', tools: '' };
  for (const event of recordedEvents(exchange).flatMap(({ events }) => events)) {
    if (event.type === 'message_chunk') texts.answer += event.text;
    else if (event.type === 'thinking') texts.thinking += event.text;
    else if (event.type === 'tool_call' || event.type === 'server_tool_call') texts.tools += event.arguments;
  }
  const isSafe = Object.values(texts).every((text) => redactor.text(text) === text);
  if (!isSafe) throw new UnhideableSecret('quotes a secret in pieces, over several events');
}

function isClean(body: Buffer, redactor: Redactor): boolean {
  const text = utf8(body) ?? body.toString('latin1');
  return redactor.text(text) === text;
}

/** The decompressed body, as far as it goes; undefined for an unknown encoding. */
function decompressed(body: Buffer, encoding: string): Buffer | undefined {
  const partial = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_PLAIN_BYTES };
  const flush = constants.BROTLI_OPERATION_FLUSH;
  try {
    switch (encoding.trim().toLowerCase()) {
      case 'gzip':
      case 'x-gzip':
        return gunzipSync(body, partial);
      case 'deflate':
        return inflateSync(body, partial);
      case 'br':
        return brotliDecompressSync(body, { finishFlush: flush, maxOutputLength: MAX_PLAIN_BYTES });
      default:
        return undefined;
    }
  } catch {
    return undefined;
  }
}

const MAX_PLAIN_BYTES = 256 * 2 ** 20;

function size(reads: readonly RecordedRead[]): number {
  return reads.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/** Limits of a request's body. */
export interface BodyLimits {
  bodyLimitBytes: number;
  /** From the request's head to the last byte of the body. */
  requestTimeoutMs: number;
}

/**
 * Reads the body of a request as text. Rejects with an `HttpError`: 413 as soon as the body is known to be too large, 408
 * when it does not arrive in time, 400 when it is cut off or not UTF-8. Reads Node's stream: a web `Request` costs more
 * than all other work on a small body.
 */
export function readBody(
  incoming: IncomingMessage,
  { bodyLimitBytes, requestTimeoutMs }: BodyLimits,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    const stopReading = () => {
      clearTimeout(timer);
      incoming.off('data', onData);
      incoming.off('end', onEnd);
    };
    const refuse = (status: 400 | 408 | 413, code: string, message: string) => {
      stopReading();
      incoming.resume();
      // The rest of the body is not read, so the connection cannot be reused.
      reject(new HttpError(status, code, message, { headers: { connection: 'close' } }));
    };
    const tooLarge = () =>
      refuse(413, 'body_too_large', `the body is larger than the limit of ${bodyLimitBytes} bytes`);
    const onData = (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > bodyLimitBytes) tooLarge();
      else pieces.push(piece);
    };
    const onEnd = () => {
      stopReading();
      const body = Buffer.concat(pieces);
      if (isUtf8(body)) resolve(body.toString('utf8'));
      else reject(new HttpError(400, 'invalid_json', 'the body is not UTF-8'));
    };
    const timer = setTimeout(() => {
      refuse(408, 'body_timeout', `the body was not complete within ${requestTimeoutMs / 1000} s`);
    }, requestTimeoutMs);
    // Node emits both when the connection breaks. The second one has no effect.
    incoming.once('error', () => refuse(400, 'body_cut', 'the body ended early'));
    incoming.once('close', () => refuse(400, 'body_cut', 'the body ended early'));
    if (Number(incoming.headers['content-length'] ?? 0) > bodyLimitBytes) return tooLarge();
    incoming.on('data', onData);
    incoming.once('end', onEnd);
  });
}

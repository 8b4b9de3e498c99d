import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/**
 * The body of a request as text. Rejects with an `HttpError` 413 as soon as it is known to be too large. Read from the
 * socket and not through a web `Request`, which would cost more than all other work on a small body.
 */
export function readBody(incoming: IncomingMessage, limitBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const tooLarge = () => {
      incoming.off('data', onData);
      incoming.resume();
      // What is left of the body is not waited for, so the connection cannot be used again.
      const headers = { connection: 'close' };
      reject(
        new HttpError(413, 'body_too_large', `the body is larger than ${limitBytes} bytes`, { headers }),
      );
    };
    const pieces: Buffer[] = [];
    let bytes = 0;
    const onData = (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > limitBytes) tooLarge();
      else pieces.push(piece);
    };
    if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) return tooLarge();
    incoming.on('data', onData);
    incoming.once('end', () => resolve(Buffer.concat(pieces).toString('utf8')));
    incoming.once('error', () =>
      reject(new HttpError(400, 'body_cut', 'the body ended before it was whole')),
    );
  });
}

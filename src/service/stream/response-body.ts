import { constants, createGzip } from 'node:zlib';

/**
 * How the body of a stream is compressed. `gzip` sends each event at once. `gzip-unflushed` leaves that to the compressor,
 * which holds events back until it has enough of them: it is there to show what that does to a stream.
 */
export type Compression = 'none' | 'gzip' | 'gzip-unflushed';

/** What a body is written to: a `ServerResponse`, or a part of one. */
export interface WritableBody {
  readonly destroyed: boolean;
  on(event: 'drain' | 'close' | 'error', listener: () => void): unknown;
  write(bytes: string | Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
}

/** Writes the body of one response. */
export interface ResponseBody {
  /** Returns false when the client is behind: `onDrain` follows. */
  write(text: string): boolean;
  end(): void;
}

/** The body writer of a response. `onDrain` is called when the client has caught up. */
export function openBody(res: WritableBody, compression: Compression, onDrain: () => void): ResponseBody {
  if (compression !== 'none') return gzipBody(res, compression === 'gzip', onDrain);
  res.on('drain', onDrain);
  return { write: (text) => res.write(text), end: () => res.end() };
}

// Characters that wait for the compressor before the model is slowed down.
const MAX_WAITING = 16_384;

function gzipBody(res: WritableBody, flushed: boolean, onDrain: () => void): ResponseBody {
  const gzip = createGzip({
    // A sync flush ends the current block: everything so far can be decompressed.
    flush: flushed ? constants.Z_SYNC_FLUSH : constants.Z_NO_FLUSH,
    // 100 KB for a stream instead of 270.
    windowBits: 13,
    memLevel: 7,
    level: 4,
  });
  let ending = false;
  let busy = false;
  let blocked = false;
  let waiting = '';
  // Each write is a job for a thread. What arrives during a job is compressed and flushed together by the next one.
  const compress = () => {
    if (busy || gzip.destroyed) return;
    if (waiting === '') {
      if (ending) gzip.end();
      if (blocked) onDrain();
      blocked = false;
      return;
    }
    busy = true;
    const text = waiting;
    waiting = '';
    gzip.write(text, () => {
      busy = false;
      compress();
    });
  };
  gzip.on('data', (bytes: Buffer) => {
    if (!res.write(bytes) && !ending) gzip.pause();
  });
  gzip.on('end', () => res.end());
  gzip.on('error', () => res.destroy());
  res.on('drain', () => gzip.resume());
  res.on('close', () => gzip.destroy());
  return {
    write(text) {
      waiting += text;
      compress();
      blocked ||= waiting.length > MAX_WAITING;
      return !blocked;
    },
    end() {
      // What is left is small. The limit for a client that does not read starts when the response is complete.
      ending = true;
      gzip.resume();
      compress();
    },
  };
}

/** True if an `accept-encoding` header allows gzip. */
export function acceptsGzip(header: string | undefined): boolean {
  const weights = new Map(
    (header ?? '').split(',').map((part) => {
      const [name = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
      const q = parameters.find((text) => text.startsWith('q='));
      return [name, q === undefined ? 1 : Number(q.slice(2))] as const;
    }),
  );
  return (weights.get('gzip') ?? weights.get('x-gzip') ?? weights.get('*') ?? 0) > 0;
}

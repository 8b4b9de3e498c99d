import { nodeModule } from '../model/node-modules.ts';

type Decompressor = import('node:zlib').Gunzip | import('node:zlib').BrotliDecompress;

/** Absent in browsers and workers, where `fetch` decompresses. */
const zlib = nodeModule('node:zlib');

/** Receives the decompressed bytes of one read. */
type OnInflated = (bytes: Uint8Array, atMs: number, read: number) => void;

interface Read {
  bytes: Uint8Array;
  atMs: number;
  read: number;
}

/** The encodings that this version of Node can decode. zstd needs Node 22.15 or 23.8. */
export const DECODED_ENCODINGS: readonly string[] = [
  'gzip',
  'x-gzip',
  'deflate',
  'br',
  ...(zlib !== undefined && 'createZstdDecompress' in zlib ? ['zstd'] : []),
];

/** True if a body of this encoding is decoded: the encoding is known, and the request's own header accepts it. */
export function isDecoded(encoding: string | undefined, accepted: string | undefined): boolean {
  const name = encoding?.trim().toLowerCase() ?? '';
  if (!DECODED_ENCODINGS.includes(name) || accepted === undefined) return false;
  return accepted.split(',').some((part) => {
    const word = part.replace(/;.*/, '').trim().toLowerCase();
    return word === name || word === '*' || `x-${word}` === name;
  });
}

/**
 * Decompresses one body read by read, so that the decompressed bytes keep the stamp of the read that brought them. zlib works
 * in a thread of its own, so reads are handled one after the other.
 */
export class Inflater {
  private readonly stream: Decompressor;
  private readonly waiting: Read[] = [];
  private readonly inflated: OnInflated;
  private current: Read | undefined;
  private ended: (() => void) | undefined;

  /** `failed` is called once, if the bytes are not of that encoding. */
  constructor(encoding: string, inflated: OnInflated, failed: (message: string) => void) {
    this.inflated = inflated;
    this.stream = decompressor(encoding.trim().toLowerCase());
    // A write completes only after its output was read, if the output exceeds the stream's buffer.
    this.stream.on('readable', this.drain).once('error', (error) => {
      // A body that was cut did not end properly: what could be decompressed was passed on.
      const wasCut = (error as NodeJS.ErrnoException).code === 'Z_BUF_ERROR';
      if (!wasCut) failed(`the ${encoding} body cannot be decompressed: ${error.message}`);
      this.waiting.length = 0;
      this.current = undefined;
      this.finish();
    });
  }

  /** One read of the body. The bytes may be overwritten when this has returned. */
  push(bytes: Uint8Array, atMs: number, read: number): void {
    this.waiting.push({ bytes: Uint8Array.from(bytes), atMs, read });
    this.next();
  }

  /** No more will come: calls back when everything was passed on. */
  end(done: () => void): void {
    this.ended = done;
    if (this.stream.destroyed) this.finish();
    else this.next();
  }

  close(): void {
    this.ended = undefined;
    this.stream.destroy();
  }

  private next(): void {
    if (this.current !== undefined) return;
    this.current = this.waiting.shift();
    if (this.current === undefined) {
      if (this.ended !== undefined) this.finish();
      return;
    }
    this.stream.write(this.current.bytes, (error) => {
      if (error) return;
      this.drain();
      this.current = undefined;
      this.next();
    });
  }

  private readonly drain = (): void => {
    if (this.current === undefined) return;
    const { atMs, read } = this.current;
    for (let bytes = this.stream.read(); bytes !== null; bytes = this.stream.read())
      this.inflated(bytes as Uint8Array, atMs, read);
  };

  private finish(): void {
    const { ended } = this;
    this.ended = undefined;
    this.stream.destroy();
    ended?.();
  }
}

function decompressor(encoding: string): Decompressor {
  // `!`: without it no encoding is decoded.
  const { createBrotliDecompress, createUnzip } = zlib!;
  if (encoding === 'br') return createBrotliDecompress();
  if (encoding === 'zstd')
    return (zlib as unknown as { createZstdDecompress: () => Decompressor }).createZstdDecompress();
  // Detects gzip and deflate.
  return createUnzip();
}

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

/**
 * Stands between TLS and a socket on the server's side, and can keep back what is written, so that several TLS records
 * leave in one write.
 */
export class BatchingSocket extends Duplex {
  private readonly raw: Socket;
  private kept: Buffer[] = [];
  private keeps = false;

  constructor(raw: Socket) {
    super();
    this.raw = raw;
    raw
      .on('data', (chunk: Buffer) => this.push(chunk))
      .on('end', () => this.push(null))
      .on('error', () => {});
  }

  /** Writes in one go what `write` writes to the TLS socket on top of this one. Each piece is a record of its own. */
  async batch(top: Duplex, pieces: readonly (string | Buffer)[]): Promise<void> {
    this.keeps = true;
    for (const piece of pieces) await new Promise((resolve) => top.write(piece, resolve));
    this.keeps = false;
    this.flush();
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.kept.push(chunk);
    if (!this.keeps) this.flush();
    done();
  }

  override _final(done: () => void): void {
    this.raw.end();
    done();
  }

  override _destroy(_error: Error | null, done: () => void): void {
    this.raw.destroy();
    done();
  }

  private flush(): void {
    if (this.kept.length > 0) this.raw.write(Buffer.concat(this.kept));
    this.kept = [];
  }
}

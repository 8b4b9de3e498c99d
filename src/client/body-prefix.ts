/** As much of a body as is kept to explain a failure: of a stream, and of what is said to be one document. */
const STREAM_BYTES = 2_048;
const DOCUMENT_BYTES = 16_384;

/** The beginning of a body. */
export class BodyPrefix {
  private readonly pieces: Uint8Array[] = [];
  private bytes = 0;
  private total = 0;
  private limit = STREAM_BYTES;

  /** The body is one document, of which more is worth keeping. */
  expectDocument(): void {
    this.limit = DOCUMENT_BYTES;
  }

  /** There was more of the body than is kept. */
  get isCut(): boolean {
    return this.total > this.bytes;
  }

  add(bytes: Uint8Array): void {
    this.total += bytes.byteLength;
    if (this.bytes >= this.limit) return;
    // A copy: the slice would keep the whole socket buffer alive.
    const piece = new Uint8Array(bytes.subarray(0, this.limit - this.bytes));
    this.pieces.push(piece);
    this.bytes += piece.byteLength;
  }

  text(): string {
    return Buffer.concat(this.pieces).toString('utf8');
  }
}

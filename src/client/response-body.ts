import type { Limits } from '../model/plan.ts';
import { type BodyReader, guardListeners, streamReader, wholeReader } from './body-reader.ts';
import type { ExchangeOptions } from './exchange-options.ts';
import { Inflater, isDecoded } from './inflater.ts';
import type { ObservationBuilder } from './observation-builder.ts';
import type { LimitExceeded } from './outcome/evidence.ts';
import type { ResponseHeaders } from './transport/connection.ts';

/** Runs `decode` for bytes that came out of the decompressor, outside of any call to `push`. */
export type OnInflated = (decode: () => void, atMs: number) => void;

/** The body of one response: decompressed where necessary, then read as a stream or as one whole answer. */
export class ResponseBody {
  /** The limit that the body exceeds, if any. Nothing is decoded after that. */
  exceeded: LimitExceeded | undefined;
  private readonly builder: ObservationBuilder;
  private readonly limits: Limits;
  private readonly acceptEncoding: string | undefined;
  private readonly onInflated: OnInflated;
  private readonly reader: BodyReader;
  private inflater: Inflater | undefined;
  private succeeded = false;
  private ignoredBytes = 0;
  private lastReadAt = 0;

  constructor(
    options: ExchangeOptions & { limits: Limits },
    builder: ObservationBuilder,
    onInflated: OnInflated,
  ) {
    this.builder = builder;
    this.limits = options.limits;
    this.acceptEncoding = options.request.headers['accept-encoding'];
    this.onInflated = onInflated;
    const reader = options.stream ? streamReader : wholeReader;
    this.reader = reader(options.dialect, builder, guardListeners(options), {
      limits: options.limits,
      onExceeded: (exceeded) => (this.exceeded ??= exceeded),
    });
  }

  /** Call this with the response headers, before the first `push`. `succeeded`: the status is 2xx. */
  open(succeeded: boolean, headers: ResponseHeaders): void {
    this.succeeded = succeeded;
    if (succeeded) this.openInflater(headers['content-encoding']);
  }

  /** One read of the body. The chunk may be overwritten when this has returned. HOT PATH. */
  push(chunk: Uint8Array, atMs: number, read: number): void {
    this.lastReadAt = atMs;
    if (!this.succeeded) this.ignore(chunk);
    else if (this.inflater !== undefined) this.inflater.push(chunk, atMs, read);
    else this.reader.push(chunk, atMs, read);
  }

  /** Calls back when all bytes so far are decompressed: at once where the body is not compressed. */
  whenInflated(done: () => void): void {
    if (this.inflater === undefined) done();
    else this.inflater.end(done);
  }

  /** No more will come. `eofAt` is when the server ended the body; undefined when it was cut. */
  end(lastReadAt: number, eofAt: number | undefined): void {
    if (this.succeeded) this.reader.end(lastReadAt, eofAt);
  }

  close(): void {
    this.inflater?.close();
  }

  /** The body of an error response: only its beginning is kept, and it need not end. */
  private ignore(chunk: Uint8Array): void {
    const { bodyBytes: limitBytes } = this.limits;
    this.ignoredBytes += chunk.byteLength;
    if (this.ignoredBytes > limitBytes) {
      this.exceeded = { limit: 'body', limitBytes, receivedBytes: this.ignoredBytes };
    }
  }

  // Like a browser: a body is decompressed if the request accepts its encoding.
  private openInflater(encoding: string | string[] | undefined): void {
    const name = Array.isArray(encoding) ? encoding.join(',') : encoding;
    if (name === undefined || !isDecoded(name, this.acceptEncoding)) return;
    const { builder } = this;
    builder.onInflate();
    this.inflater = new Inflater(
      name,
      (bytes, atMs, read) =>
        this.onInflated(() => {
          builder.onInflated(bytes);
          this.reader.push(bytes, atMs, read);
        }, atMs),
      (message) => {
        if (builder.isFinished) return;
        builder.onEvents([{ type: 'error', message, malformed: true }], this.lastReadAt, 0);
      },
    );
  }
}

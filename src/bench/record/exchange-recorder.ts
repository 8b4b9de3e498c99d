import type {
  RecordedEnd,
  RecordedExchange,
  RecordedRead,
  RecordedResponse,
} from '../../cassettes/cassette.ts';
import type { ExchangeTap, TappedRequest } from '../../client/exchange-tap.ts';
import type { Ending } from '../../client/outcome/evidence.ts';
import type { ConnectionInfo } from '../../model/record.ts';
import type { Redactor } from '../../model/redaction/redactor.ts';
import { microseconds } from '../../model/timeline.ts';

/** Records one exchange as it passes over the connection. */
export class ExchangeRecorder implements ExchangeTap {
  /** True when the body was longer than `maxBytes`: the rest is not recorded. */
  isFull = false;
  private readonly sent: TappedRequest;
  private readonly maxBytes: number;
  private protocol = 'h1';
  private sentAtMs: number | undefined;
  private response: RecordedResponse | undefined;
  private reads: { atMs: number; socketRead: number; pieces: Uint8Array[] }[] = [];
  private bytes = 0;
  private end: RecordedEnd | undefined;

  constructor(request: TappedRequest, maxBytes: number) {
    this.sent = request;
    this.maxBytes = maxBytes;
  }

  get redactor(): Redactor {
    return this.sent.redactor;
  }

  /** What was recorded, not yet redacted; undefined if the request was never sent. */
  result(): RecordedExchange | undefined {
    const { response, end, sentAtMs, reads } = this;
    if (sentAtMs === undefined || end === undefined) return undefined;
    const { method, origin, path, headers, body, dialect, textPath, stream } = this.sent;
    return {
      request: { method, origin, path, headers, body, dialect, textPath, stream },
      response,
      reads: reads.map(({ atMs, pieces }): RecordedRead => ({ atMs, bytes: Buffer.concat(pieces) })),
      end,
    };
  }

  onSocket({ protocol = 'h1' }: ConnectionInfo): void {
    this.protocol = protocol;
  }

  onSent(atMs: number): void {
    this.sentAtMs = atMs;
    this.response = undefined;
    this.reads = [];
  }

  onHeaders(atMs: number, status: number, headers: Readonly<Record<string, string | string[] | undefined>>) {
    const kept = Object.entries(headers).filter((entry): entry is [string, string | string[]] => {
      return entry[1] !== undefined && !entry[0].startsWith(':');
    });
    const { protocol } = this;
    this.response = { atMs: this.sinceSent(atMs), status, headers: Object.fromEntries(kept), protocol };
  }

  onRead(atMs: number, chunk: Uint8Array, socketRead: number): void {
    this.isFull ||= this.bytes + chunk.byteLength > this.maxBytes;
    if (this.isFull) return;
    this.bytes += chunk.byteLength;
    const piece = Uint8Array.from(chunk);
    const last = this.reads.at(-1);
    if (last?.socketRead === socketRead) last.pieces.push(piece);
    else this.reads.push({ atMs: this.sinceSent(atMs), socketRead, pieces: [piece] });
  }

  onOver(atMs: number, ending: Ending): void {
    const since = this.sentAtMs === undefined ? 0 : this.sinceSent(atMs);
    const lastMs = this.reads.at(-1)?.atMs ?? this.response?.atMs ?? 0;
    this.end = { atMs: Math.max(since, lastMs), ...(this.isFull ? { kind: 'stopped' } : endOf(ending)) };
  }

  /** Over HTTP/2 the kernel may confirm that the request was written after the response was read. */
  private sinceSent(atMs: number): number {
    return Math.max(0, microseconds(atMs - (this.sentAtMs ?? atMs)) / 1000);
  }
}

function endOf(ending: Ending): Pick<RecordedEnd, 'kind' | 'code'> {
  switch (ending.kind) {
    case 'eof':
      return { kind: 'complete' };
    case 'error':
      return { kind: 'cut', code: (ending.error as NodeJS.ErrnoException).code };
    case 'timeout':
      return { kind: 'silent' };
    case 'cancelled':
    case 'too_large':
    case 'planned_cut':
    case 'window_over':
    case 'fault':
      return { kind: 'stopped' };
    default:
      return ending satisfies never;
  }
}

import type { Frame } from '../../wire/framing/frame.ts';
import { FRAMINGS } from '../../wire/framing/framings.ts';

/** A position in a stream, as SSE clients send it in `Last-Event-ID`. */
export interface EventPosition {
  streamId: string;
  /** Number of the last event that the client has, from 1; 0 for none. */
  number: number;
}

/** Reads a `Last-Event-ID`; undefined if this service did not write it. */
export function readEventId(text: string): EventPosition | undefined {
  const [, streamId, number] = /^(msg_[\w-]{1,64})\.(\d{1,9})$/.exec(text) ?? [];
  return streamId === undefined ? undefined : { streamId, number: Number(number) };
}

/** Numbers the frames of a stream, and keeps the last ones for a client that reconnects. */
export class ReplayBuffer {
  private readonly streamId: string;
  private readonly maxBytes: number;
  private readonly frames: { text: string; bytes: number }[] = [];
  private last = 0;
  private kept = 0;

  constructor(streamId: string, maxBytes: number) {
    this.streamId = streamId;
    this.maxBytes = maxBytes;
  }

  /** Bytes of the frames that are kept. */
  get bytes(): number {
    return this.kept;
  }

  /** True when a stream without a client must wait: nothing is dropped while it has none. */
  get full(): boolean {
    return this.kept > 2 * this.maxBytes;
  }

  /** Writes a frame with its number, and keeps it. */
  encode(frame: Frame): string {
    const text = FRAMINGS.sse.write({ ...frame, id: `${this.streamId}.${++this.last}` }) as string;
    const bytes = Buffer.byteLength(text);
    this.frames.push({ text, bytes });
    this.kept += bytes;
    return text;
  }

  /** Drops the oldest frames over the limit. */
  trim(): void {
    while (this.kept > this.maxBytes && this.frames.length > 1) this.kept -= this.frames.shift()?.bytes ?? 0;
  }

  /** The text after the frame with this number; undefined if a part of it is no longer kept, or was never sent. */
  after(number: number): string | undefined {
    const first = this.last - this.frames.length;
    if (number < first || number > this.last) return undefined;
    return this.frames
      .slice(number - first)
      .map(({ text }) => text)
      .join('');
  }
}

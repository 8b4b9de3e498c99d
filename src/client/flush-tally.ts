import type { Flush } from '../model/record.ts';

/** Reads that follow each other this closely are one flush of the sender, cut up by packets and socket buffers; in ms. */
const SAME_FLUSH_MS = 2;

/** Finds the flush with the most content events in one stream. Keeps a few numbers, however long the stream is. */
export class FlushTally {
  private largest: Flush | undefined;
  private events = 0;
  private total = 0;
  private waitMs = 0;
  private firstAtMs = 0;
  private lastAtMs = 0;

  /** A content event arrived. `waitedSinceMs`: when the wait for the first one began. HOT PATH. */
  add(atMs: number, waitedSinceMs: number): void {
    if (this.events === 0 || atMs - this.lastAtMs > SAME_FLUSH_MS) {
      this.close();
      this.waitMs = atMs - (this.total === 0 ? waitedSinceMs : this.lastAtMs);
      this.firstAtMs = atMs;
    }
    this.events++;
    this.total++;
    this.lastAtMs = atMs;
  }

  /** The flush with the most events, the first of equals; undefined without content. */
  result(): Flush | undefined {
    this.close();
    return this.largest;
  }

  private close(): void {
    const { events, total, waitMs, firstAtMs, lastAtMs } = this;
    if (events > (this.largest?.events ?? 0))
      this.largest = { events, before: total - events, waitMs, spanMs: lastAtMs - firstAtMs };
    this.events = 0;
  }
}

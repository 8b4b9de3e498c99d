import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace-base';

/** Exports spans. Resolves with the cause of a failure, or undefined. Never rejects. */
export type ExportSpans = (batch: ReadableSpan[]) => Promise<string | undefined>;

const BATCH = 512;
/** Spans that may wait: about 100 MB. */
const MAX_WAITING = 50_000;

/**
 * Exports finished spans in batches, one batch at a time, and counts those that were lost. The SDK's own batch processor drops
 * spans silently where more than 2,048 wait.
 */
export class SpanQueue implements SpanProcessor {
  /** Why spans were lost, as far as known. */
  cause: string | undefined;
  /** Spans in total. */
  added = 0;
  private waiting: ReadableSpan[] = [];
  private lost = 0;
  private sending: Promise<void> | undefined;
  private unconfirmed = 0;
  private readonly exportSpans: ExportSpans;
  private readonly maxWaiting: number;

  constructor(exportSpans: ExportSpans, maxWaiting: number = MAX_WAITING) {
    this.exportSpans = exportSpans;
    this.maxWaiting = maxWaiting;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    this.added++;
    if (this.waiting.length >= this.maxWaiting) {
      this.lost++;
      this.cause ??= `the receiver is too slow: ${this.maxWaiting} spans were waiting`;
      return;
    }
    this.waiting.push(span);
  }

  /** Exports a batch of those that wait, unless one is under way. */
  kick(): void {
    if (this.waiting.length > 0) this.send();
  }

  /** Exports all that wait. */
  async drain(): Promise<void> {
    while (this.waiting.length > 0 || this.sending !== undefined) {
      this.send();
      await this.sending;
    }
  }

  /** Spans that were not exported, or not yet. */
  missing(): number {
    return this.lost + this.waiting.length + this.unconfirmed;
  }

  forceFlush(): Promise<void> {
    return this.drain();
  }

  shutdown(): Promise<void> {
    return this.drain();
  }

  private send(): void {
    this.sending ??= this.sendOne().finally(() => {
      this.sending = undefined;
      if (this.waiting.length >= BATCH) this.send();
    });
  }

  private async sendOne(): Promise<void> {
    const batch = this.waiting.splice(0, BATCH);
    this.unconfirmed = batch.length;
    const failure = await this.exportSpans(batch);
    this.unconfirmed = 0;
    if (failure === undefined) return;
    this.lost += batch.length;
    this.cause ??= failure;
  }
}

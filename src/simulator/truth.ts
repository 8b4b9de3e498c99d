import { isContent, type StreamEvent, type UsageEvent } from '../model/events.ts';
import type { ScriptEnding } from './script.ts';

/** What the simulator did, as it knows it: the truth that a client's measurement can be held against. */

/** One write of content. */
export interface TruthChunk {
  /** When the script wanted it to leave. */
  dueAtMs: number;
  /** Taken right before the bytes were handed to the kernel, so it is never later than any client's arrival. */
  sentAtMs: number;
  /** Content events in this write; 0 for a write that held only the start, the usage or the end. */
  contentEvents: number;
}

/** One request, from the inside. Times are `monotonicClock.now()`: comparable in all threads of one machine. */
export interface TruthEntry {
  /** As sent in the `x-request-id` header. */
  requestId: string;
  /** The model asked for, or `default`. */
  model: string;
  /** Name of the dialect. */
  dialect: string;
  mode: 'streaming' | 'whole';
  /** The request, body included, had been read. */
  receivedAtMs: number;
  /** Whether more than half of the prompt was in the cache; only for a profile that plays one. */
  cache?: 'hit' | 'miss';
  /** In the order of sending. A whole answer has one. */
  chunks: TruthChunk[];
  /** The last byte was handed over, or the client was found gone. */
  endAtMs: number;
  /** The client went away before the end. */
  aborted?: true;
  outcome: ScriptEnding | 'client_gone';
  /** HTTP status that was sent. */
  status: number;
  /** Answer text that was sent. Of a whole answer that was cut: the text in the body before the cut. */
  text: string;
  /** Reasoning text that was sent. */
  thinking: string;
  /** The usage that was sent, where the answer got so far. */
  usage?: UsageEvent;
}

/** What is known of a request before it is answered. */
export type TruthHead = Pick<
  TruthEntry,
  'requestId' | 'model' | 'dialect' | 'mode' | 'receivedAtMs' | 'cache'
>;

/** Takes notes of one request while it is answered. Chunks are kept flat: a run can have millions. */
export class TruthRecorder {
  private readonly head: TruthHead;
  private readonly flat: number[] = [];
  private text = '';
  private thinking = '';
  private usage: UsageEvent | undefined;
  private end: { outcome: TruthEntry['outcome']; atMs: number; status: number } | undefined;

  constructor(head: TruthHead) {
    this.head = head;
  }

  sent(events: readonly StreamEvent[], dueAtMs: number, sentAtMs: number): void {
    let contentEvents = 0;
    for (const event of events) {
      if (isContent(event)) contentEvents++;
      if (event.type === 'message_chunk') this.text += event.text;
      else if (event.type === 'thinking') this.thinking += event.text;
      else if (event.type === 'usage') this.usage = event;
    }
    this.flat.push(dueAtMs, sentAtMs, contentEvents);
  }

  ended(outcome: TruthEntry['outcome'], atMs: number, status: number): void {
    this.end = { outcome, atMs, status };
  }

  get isOver(): boolean {
    return this.end !== undefined;
  }

  /** The notes as an entry; only once `ended` was called. */
  entry(): TruthEntry {
    const { head, flat, text, thinking, usage } = this;
    const { outcome, atMs, status } = this.end!;
    const chunks: TruthChunk[] = [];
    for (let i = 0; i < flat.length; i += 3) {
      chunks.push({ dueAtMs: flat[i]!, sentAtMs: flat[i + 1]!, contentEvents: flat[i + 2]! });
    }
    return {
      ...head,
      chunks,
      endAtMs: atMs,
      ...(outcome === 'client_gone' ? { aborted: true } : {}),
      outcome,
      status,
      text,
      thinking,
      usage,
    };
  }
}

/** The newest recordings, in the order in which they ended. */
export class TruthLog {
  private readonly capacity: number;
  private ring: TruthRecorder[] = [];
  private oldest = 0;

  /** `capacity`: requests kept; 0 keeps none. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  add(recorder: TruthRecorder): void {
    if (this.ring.length < this.capacity) this.ring.push(recorder);
    else if (this.capacity > 0) {
      this.ring[this.oldest] = recorder;
      this.oldest = (this.oldest + 1) % this.capacity;
    }
  }

  entries(): TruthEntry[] {
    const { ring, oldest } = this;
    return [...ring.slice(oldest), ...ring.slice(0, oldest)].map((recorder) => recorder.entry());
  }
}

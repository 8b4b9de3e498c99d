import { isContent, type StreamEvent, type UsageEvent } from '../model/events.ts';
import type { ScriptEnding } from './script.ts';

// What the simulator sent and when: ground truth for a client's measurement.

/** One write of content. */
export interface TruthChunk {
  /** When it was due by the script. */
  dueAtMs: number;
  /** Taken directly before the bytes were passed to the kernel, so it is never later than a client's arrival time. */
  sentAtMs: number;
  /** Content events in this write; 0 for a write with only the start, usage or the end. */
  contentEvents: number;
}

/** One request as the simulator saw it. Times are `monotonicClock.now()`: comparable in all threads of one machine. */
export interface TruthEntry {
  /** As sent in the `x-request-id` header. */
  requestId: string;
  /** The requested model, or `default`. */
  model: string;
  /** Name of the dialect. */
  dialect: string;
  mode: 'streaming' | 'whole';
  /** The request, body included, had been read. */
  receivedAtMs: number;
  /** Whether more than half of the prompt was cached. Absent for profiles without a cache. */
  cache?: 'hit' | 'miss';
  /** In order of sending. A whole answer has one. */
  chunks: TruthChunk[];
  /** When the last byte was passed to the kernel, or the client had disconnected. */
  endAtMs: number;
  /** The client disconnected before the end. */
  aborted?: true;
  outcome: ScriptEnding | 'client_gone';
  /** HTTP status sent. */
  status: number;
  /** Answer text that was sent. Of a whole answer that was cut: the text in the body before the cut. */
  text: string;
  /** Reasoning text sent. */
  thinking: string;
  /** Usage, if it was sent. */
  usage?: UsageEvent;
}

/** The part of an entry that is known before the answer. */
export type TruthHead = Pick<
  TruthEntry,
  'requestId' | 'model' | 'dialect' | 'mode' | 'receivedAtMs' | 'cache'
>;

/** Records one request while it is answered. Chunks are stored in a flat array: a run can have millions. */
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

  /** The entry. Call only after `ended`. */
  entry(): TruthEntry {
    const { head, flat, text, thinking, usage } = this;
    if (this.end === undefined) throw new Error('the request has not ended');
    const { outcome, atMs, status } = this.end;
    const chunks: TruthChunk[] = [];
    // `!`: three numbers per chunk.
    for (let i = 0; i < flat.length; i += 3) {
      chunks.push({ dueAtMs: flat[i]!, sentAtMs: flat[i + 1]!, contentEvents: flat[i + 2]! });
    }
    return {
      ...head,
      chunks,
      endAtMs: atMs,
      aborted: outcome === 'client_gone' ? true : undefined,
      outcome,
      status,
      text,
      thinking,
      usage,
    };
  }
}

/** The newest requests, in order of their end. */
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

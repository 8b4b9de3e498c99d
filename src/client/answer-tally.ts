import type { StreamEvent } from '../model/events.ts';
import type { Flush, Mode, Observation } from '../model/record.ts';
import type { Marks } from '../model/timeline.ts';
import { KeptText } from './kept-answer.ts';
import { TokenTally } from './token-tally.ts';

/** An answer's end. */
export type CompleteEvent = Extract<StreamEvent, { type: 'complete' }>;

/** Bounds a record of an endless, fast stream: more gaps than this could not be written. */
const MAX_GAPS = 1_000_000;

/**
 * Counts the events of one answer: its content, the gaps between content events, its tokens, its text and how it ended. Sets
 * the marks of the answer. Times in ms from the origin of the marks.
 */
export class AnswerTally {
  /** Frames with content. */
  contentEvents = 0;
  /** Content events that shared a read with the one before. */
  coalesced = 0;
  /** Gaps between content events of different reads. */
  readonly gaps: number[] = [];
  /** Gaps beyond the number that is kept. */
  gapsLeftOut = 0;
  /** From the first content event to the second. */
  secondTokenGap: number | undefined;
  /** The first `error` event. */
  failure: Extract<StreamEvent, { type: 'error' }> | undefined;
  complete: CompleteEvent | undefined;
  private readonly marks: Marks;
  private readonly counts = new TokenTally();
  private readonly text: KeptText;
  private readonly flushes = new FlushTally();
  private lastRead = -1;
  private lastAtMs = 0;

  constructor(marks: Marks, keepText: boolean) {
    this.marks = marks;
    this.text = new KeptText(keepText);
  }

  /** Adds the events of one frame, whose last byte came with read number `read`. HOT PATH. */
  add(events: readonly StreamEvent[], at: number, read: number): void {
    const { marks, counts, text } = this;
    let hasContent = false;
    for (const event of events) {
      switch (event.type) {
        case 'message_chunk':
          marks.firstAnswer ??= at;
          counts.addAnswer(event.text);
          text.addAnswer(event.text);
          hasContent = true;
          break;
        case 'thinking':
          counts.addThinking(event.text);
          text.addThinking(event.text);
          hasContent = true;
          break;
        case 'tool_call':
        case 'server_tool_call':
          counts.addTool(event);
          text.addTool(event);
          hasContent = true;
          break;
        case 'media':
          marks.firstAnswer ??= at;
          counts.addMedia();
          hasContent = true;
          break;
        case 'answer_start':
          this.onAnswerStart(event.strip);
          break;
        case 'usage':
          counts.addUsage(event);
          break;
        case 'complete':
          this.complete = event;
          marks.end = at;
          break;
        case 'error':
          this.failure ??= event;
          break;
        case 'start':
        case 'tool_result':
        case 'step_complete':
        case 'memory_update':
        case 'metadata':
        case 'unknown':
          break;
        default:
          event satisfies never;
      }
    }
    if (hasContent) this.onContent(at, read);
  }

  // The text so far was reasoning, not answer. It still counts as content: only the figures of the answer change.
  private onAnswerStart(strip: number): void {
    this.counts.startAnswer(strip);
    this.marks.firstAnswer = undefined;
    this.text.startAnswer(strip);
  }

  private onContent(at: number, read: number): void {
    const { marks } = this;
    if (this.contentEvents === 0) {
      marks.firstToken = at;
    } else {
      const gap = at - this.lastAtMs;
      if (this.contentEvents === 1) this.secondTokenGap = gap;
      if (read === this.lastRead) this.coalesced++;
      else if (this.gaps.length < MAX_GAPS) this.gaps.push(gap);
      else this.gapsLeftOut++;
    }
    this.counts.endFrame(at, read);
    this.flushes.add(at, marks.sent ?? at);
    this.contentEvents++;
    marks.lastToken = at;
    this.lastRead = read;
    this.lastAtMs = at;
  }

  /** Characters of answer text and of reasoning. */
  get chars(): Observation['chars'] {
    return this.counts.chars;
  }

  /** The flush with the most content events, the first of equals; undefined without content. */
  largestFlush(): Flush | undefined {
    return this.flushes.result();
  }

  tokens(mode: Mode): Observation['tokens'] {
    return this.counts.tokens(mode, this.contentEvents);
  }

  /** The texts, where they are kept. */
  texts(): ReturnType<KeptText['fields']> {
    return this.text.fields();
  }
}

/** Reads that follow each other this closely are one flush of the sender, split by packets and socket buffers; in ms. */
const SAME_FLUSH_MS = 2;

/** Finds the flush with the most content events in one stream, in constant memory. */
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

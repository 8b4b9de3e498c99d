import type { StreamEvent } from '../../model/events.ts';
import type { Strategy } from '../defaults.ts';
import type { AssistantText, Conversation, MessageStore } from '../store.ts';
import { type AnswerUsage, type Price, usageOf } from '../usage-cost.ts';

/** When an answer is written. */
export interface WriteOptions {
  strategy: Strategy;
  /** Longest time that text stays unwritten, in ms: what a crash can lose. Default: no limit. */
  checkpointMs?: number;
}

/** True when a strategy writes now. `unwrittenChars` counts the characters since the last write. */
export function isWriteDue(strategy: Strategy, unwrittenChars: number): boolean {
  switch (strategy.kind) {
    case 'end':
      return false;
    case 'every-chunk':
      return unwrittenChars > 0;
    case 'every-n-chars':
      return unwrittenChars >= strategy.chars;
    default:
      return strategy satisfies never;
  }
}

/** Where an answer is written. */
export interface WriteTarget {
  store: MessageStore;
  conversation: Conversation;
  model?: string;
  /** The price of the model, if it is known. */
  price?: Price;
  /** A write failed. The stream continues: a full disk does not end a reader's answer. */
  onError(error: unknown): void;
  /** A write succeeded. */
  onWrite?(): void;
}

/** Writes one answer to the store while it is streamed. */
export class AnswerWriter {
  private readonly target: WriteTarget;
  private readonly options: WriteOptions;
  private content = new LongText();
  private readonly thinking = new LongText();
  private unwrittenChars = 0;
  private id: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private finished = false;
  private usage: AnswerUsage | undefined;

  constructor(target: WriteTarget, options: WriteOptions) {
    this.target = target;
    this.options = options;
  }

  // HOT PATH: runs for every event.
  add(event: StreamEvent): void {
    if (event.type === 'message_chunk') this.content.add(event.text);
    else if (event.type === 'thinking') this.thinking.add(event.text);
    else {
      if (event.type === 'answer_start') this.moveToThinking(event.strip);
      else if (event.type === 'usage') this.usage = usageOf(event, this.target.price);
      return;
    }
    this.unwrittenChars += event.text.length;
    if (isWriteDue(this.options.strategy, this.unwrittenChars)) this.writeProgress();
    else this.scheduleCheckpoint();
  }

  /** Writes the end of the answer: complete, or partial for a reason. Later calls do nothing. */
  finish(partialReason?: string): void {
    if (this.finished) return;
    this.finished = true;
    clearTimeout(this.timer);
    this.write({
      partial: partialReason !== undefined,
      reason: partialReason,
    });
  }

  // The text so far was reasoning, but for its last `strip` characters.
  private moveToThinking(strip: number): void {
    const text = this.content.toString();
    this.thinking.add(text.slice(0, Math.max(0, text.length - strip)));
    this.content = new LongText();
  }

  // Starts with the first unwritten text, not with each chunk, so that a stream that falls silent is written too.
  private scheduleCheckpoint(): void {
    const { checkpointMs } = this.options;
    if (checkpointMs === undefined || this.timer !== undefined) return;
    this.timer = setTimeout(() => this.writeProgress(), checkpointMs);
  }

  private writeProgress(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.write({ partial: true, reason: 'in_progress' });
  }

  private write(state: Pick<AssistantText, 'partial' | 'reason'>): void {
    const { store, conversation, model, onError, onWrite } = this.target;
    const content = this.content.toString();
    const thinking = this.thinking.toString();
    this.unwrittenChars = 0;
    try {
      const text = { content, thinking, ...state, model, usage: this.usage };
      if (this.id === undefined) this.id = store.addAssistant(conversation, text);
      else store.updateAssistant(this.id, text);
      onWrite?.();
    } catch (error) {
      onError(error);
    }
  }
}

const PIECE_LENGTH = 32_768;

/** A text that grows by small pieces. V8 keeps every piece that is appended to a string as an object until it flattens the string. */
class LongText {
  private readonly pieces: string[] = [];
  private tail = '';

  add(text: string): void {
    this.tail += text;
    if (this.tail.length < PIECE_LENGTH) return;
    // Reading a character makes V8 flatten the string, which frees its pieces.
    this.tail.charCodeAt(0);
    this.pieces.push(this.tail);
    this.tail = '';
  }

  toString(): string {
    return this.pieces.join('') + this.tail;
  }
}

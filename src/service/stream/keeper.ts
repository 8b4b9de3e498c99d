import type { StreamEvent } from '../../model/events.ts';
import type { AssistantText, Conversation, MessageStore } from '../store.ts';

/**
 * When an answer that is being streamed is written.
 * - `end`: once, whole, when the stream is over;
 * - `every-chunk`: at each piece of text;
 * - `every-n-chars`: each time `chars` more characters have come.
 * All of them write the end.
 */
export type Strategy =
  | { kind: 'end' }
  | { kind: 'every-chunk' }
  | { kind: 'every-n-chars' /** At least 1. */; chars: number };

/** How an answer is kept. */
export interface KeepOptions {
  strategy: Strategy;
  /** Text is never unwritten for longer than this, in ms: what a crash can lose. Default: no limit. */
  checkpointMs?: number;
}

/** True when a strategy writes now. `unwritten` counts what has come since the last write. */
export function isDue(strategy: Strategy, unwritten: { chars: number }): boolean {
  switch (strategy.kind) {
    case 'end':
      return false;
    case 'every-chunk':
      return unwritten.chars > 0;
    case 'every-n-chars':
      return unwritten.chars >= strategy.chars;
    default:
      return strategy satisfies never;
  }
}

/** Where an answer goes, and who is told when it cannot be written. */
export interface KeeperTarget {
  store: MessageStore;
  conversation: Conversation;
  model?: string;
  /** A write failed. The stream goes on: the reader's answer is not lost because the disk is full. */
  onError(error: unknown): void;
  /** A write was done. */
  onWrite?(): void;
}

/** Keeps one answer while it is streamed. */
export class AnswerKeeper {
  private readonly target: KeeperTarget;
  private readonly options: KeepOptions;
  private content = new LongText();
  private readonly thinking = new LongText();
  private unwrittenChars = 0;
  private id: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private over = false;

  constructor(target: KeeperTarget, options: KeepOptions) {
    this.target = target;
    this.options = options;
  }

  // HOT PATH: runs for every event.
  add(event: StreamEvent): void {
    if (event.type === 'message_chunk') this.content.add(event.text);
    else if (event.type === 'thinking') this.thinking.add(event.text);
    else {
      if (event.type === 'answer_start') this.begin(event.strip);
      return;
    }
    this.unwrittenChars += event.text.length;
    if (isDue(this.options.strategy, { chars: this.unwrittenChars })) this.writeProgress();
    else this.watch();
  }

  // What was kept as the answer was reasoning.
  private begin(strip: number): void {
    const text = this.content.toString();
    this.thinking.add(text.slice(0, Math.max(0, text.length - strip)));
    this.content = new LongText();
  }

  /** The answer is over: whole, or partial for a reason. Later calls do nothing. */
  finish(partialReason?: string): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    this.write({
      partial: partialReason !== undefined,
      reason: partialReason,
    });
  }

  // Set when text begins to wait, not at every chunk, so that a stream that falls silent is written too.
  private watch(): void {
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
      const text = { content, thinking, ...state, model };
      if (this.id === undefined) this.id = store.addAssistant(conversation, text);
      else store.updateAssistant(this.id, text);
      onWrite?.();
    } catch (error) {
      onError(error);
    }
  }
}

const PIECE_LENGTH = 32_768;

/** A text that grows by small pieces. Added to a string, each of them would stay an object of its own until the end. */
class LongText {
  private readonly pieces: string[] = [];
  private tail = '';

  add(text: string): void {
    this.tail += text;
    if (this.tail.length < PIECE_LENGTH) return;
    // Reading a character makes the engine join the pieces in memory, and let go of them.
    this.tail.charCodeAt(0);
    this.pieces.push(this.tail);
    this.tail = '';
  }

  toString(): string {
    return this.pieces.join('') + this.tail;
  }
}

import type { StreamEvent } from '../model/events.ts';
import type { Decoder, Dialect } from './dialect.ts';

// Some models send their reasoning inside the answer text, between `<think>` and `</think>`. An opening tag counts only at
// the start of the answer or directly after another block, with white space at most before it. An answer that mentions the
// tag, in prose or in code, is not changed. A tag may be split over any number of chunks.
//
// The templates of R1 and QwQ put `<think>` into the prompt, so the answer starts inside the block and only `</think>` is
// sent. The text before it was already emitted as answer text: holding it back would hide the arrival times of tokens. An
// `answer_start` event then marks that text as reasoning. A `</think>` is ordinary text after `<think>`, in quotes, and
// after reasoning in a separate field.

const OPEN = '<think>';
const CLOSE = '</think>';

/** Events that do not interrupt a text. */
const BETWEEN = new Set<StreamEvent['type']>(['start', 'usage', 'metadata', 'unknown']);

/** The position in an answer: before any text, inside a block, or in the answer text. */
type Position = 'before' | 'inside' | 'answer';

/** Characters that quote a tag. */
const QUOTES = new Set(['`', '"', "'"]);

/** Separates reasoning from answer text, chunk by chunk. White space around the tags is answer text. */
export class ThinkTags {
  private position: Position = 'before';
  /** Text that may be the start of a tag. */
  private held = '';
  /** A `</think>` without `<think>` may still come. */
  private watching = true;
  /** While watching: the last characters of the answer, which may be the start of a tag, and the character before them. */
  private tail = '';
  private answered = false;

  /** True once no more tags are recognised. */
  get settled(): boolean {
    return this.position === 'answer' && !this.watching;
  }

  /** True for a piece of the answer that contains no part of a tag. HOT PATH: nearly all pieces. */
  isPlain(piece: string): boolean {
    if (this.position !== 'answer' || piece.includes('<') || this.tail.includes('<')) return false;
    this.tail = piece.slice(-1);
    return true;
  }

  /** Adds the events for this piece of text, as far as they are certain. */
  text(piece: string, out: StreamEvent[]): void {
    let rest = this.held + piece;
    this.held = '';
    while (rest !== '') rest = this.position === 'inside' ? this.inside(rest, out) : this.outside(rest, out);
  }

  /** Emits the held text: it was not a tag. */
  flush(out: StreamEvent[]): void {
    if (this.held === '') return;
    const { held } = this;
    this.held = '';
    if (this.position === 'before') this.position = 'answer';
    emit(this.position === 'inside' ? 'thinking' : 'message_chunk', held, '', out);
    this.answered ||= this.position === 'answer';
  }

  /** Reasoning arrived in a separate field: a `</think>` without `<think>` is ordinary text. */
  reasoned(): void {
    this.watching = false;
  }

  private outside(text: string, out: StreamEvent[]): string {
    if (this.position === 'answer') return this.answer(text, out);
    const at = text.search(/\S/);
    if (at === -1) return this.answer(text, out);
    if (text.startsWith(OPEN, at)) {
      this.position = 'inside';
      this.watching = false;
      return emit('message_chunk', text.slice(0, at), text.slice(at + OPEN.length), out);
    }
    if (OPEN.startsWith(text.slice(at))) {
      this.held = text.slice(at);
      return this.answer(text.slice(0, at), out);
    }
    this.position = 'answer';
    return this.answer(text, out);
  }

  private answer(text: string, out: StreamEvent[]): string {
    const at = this.watching ? this.unopenedEnd(text) : undefined;
    if (at === undefined) {
      this.answered ||= text !== '';
      return emit('message_chunk', text, '', out);
    }
    // `at` is negative if the tag started in an earlier piece.
    const before = text.slice(0, Math.max(0, at));
    emit(this.answered ? 'message_chunk' : 'thinking', before, '', out);
    if (this.answered) out.push({ type: 'answer_start', strip: Math.max(0, -at) });
    this.watching = false;
    this.position = 'before';
    return text.slice(at + CLOSE.length);
  }

  // Index of the `</think>` of a block that was opened in the prompt.
  private unopenedEnd(text: string): number | undefined {
    const seen = this.tail + text;
    const close = seen.indexOf(CLOSE);
    const open = seen.indexOf(OPEN);
    const isOpened = open !== -1 && (close === -1 || open < close);
    if (isOpened || QUOTES.has(seen[close - 1] ?? '')) {
      this.watching = false;
      return undefined;
    }
    if (close !== -1) return close - this.tail.length;
    this.tail = seen.slice(-CLOSE.length);
    return undefined;
  }

  private inside(text: string, out: StreamEvent[]): string {
    const at = text.indexOf(CLOSE);
    if (at !== -1) {
      this.position = 'before';
      return emit('thinking', text.slice(0, at), text.slice(at + CLOSE.length), out);
    }
    const cut = text.lastIndexOf('<');
    if (cut === -1 || !CLOSE.startsWith(text.slice(cut))) return emit('thinking', text, '', out);
    this.held = text.slice(cut);
    return emit('thinking', text.slice(0, cut), '', out);
  }
}

function emit(type: 'message_chunk' | 'thinking', text: string, rest: string, out: StreamEvent[]): string {
  if (text !== '') out.push({ type, text });
  return rest;
}

/**
 * The dialect with `<think>` blocks in the answer decoded as reasoning. An `answer_start` is encoded as the `</think>` that
 * it was decoded from.
 */
export function withThinkTags(dialect: Dialect): Dialect {
  return {
    ...dialect,
    decoder() {
      const inner = dialect.decoder();
      const tags = new ThinkTags();
      return {
        decode: (frame) => split(tags, inner.decode(frame)),
        end() {
          const out = [...split(tags, inner.end())];
          tags.flush(out);
          return out;
        },
      } satisfies Decoder;
    },
    encoder(context) {
      const encode = dialect.encoder(context);
      return (event) =>
        encode(
          event.type === 'answer_start' ? { type: 'message_chunk', text: CLOSE.slice(event.strip) } : event,
        );
    },
    decodeWhole: (body) => split(new ThinkTags(), dialect.decodeWhole(body)),
  };
}

function split(tags: ThinkTags, events: readonly StreamEvent[]): readonly StreamEvent[] {
  // HOT PATH: nearly all events of nearly all answers.
  if (tags.settled) return events;
  const only = events[0];
  if (events.length === 1 && only?.type === 'message_chunk' && tags.isPlain(only.text)) return events;
  const out: StreamEvent[] = [];
  for (const event of events) {
    if (event.type === 'message_chunk') {
      tags.text(event.text, out);
    } else {
      // Usage may come with every chunk, also between two parts of a tag.
      if (!BETWEEN.has(event.type)) tags.flush(out);
      if (event.type === 'thinking') tags.reasoned();
      out.push(event);
    }
  }
  return out;
}

import type { StreamEvent } from '../model/events.ts';
import type { Decoder, Dialect } from './dialect.ts';

// Models that were taught to think aloud put their reasoning into the answer itself, between `<think>` and
// `</think>`. Only a tag with nothing but white space before it counts, at the beginning of the answer or right after
// another block: an answer that talks about the tag, in prose or in code, stays as it is. A tag may be cut anywhere.
//
// The templates of R1 and QwQ put `<think>` into the prompt, so that the answer begins inside the block and only `</think>`
// is sent. The text before it has been passed on as answer by then: holding it back would hide when tokens come. So an
// `answer_start` event says afterwards that it was reasoning. A `</think>` after `<think>`, in quotes, or after reasoning
// that came in a place of its own is a mention of the tag.

const OPEN = '<think>';
const CLOSE = '</think>';

/** Events that do not part one piece of text from the next. */
const BETWEEN = new Set<StreamEvent['type']>(['start', 'usage', 'metadata', 'unknown']);

/** Where in an answer we are: before any text, inside a block, or in the answer proper. */
type Place = 'before' | 'inside' | 'answer';

/** What stands before a tag that is quoted. */
const QUOTES = new Set(['`', '"', "'"]);

/** Tells the reasoning from the answer, text by text. White space around the tags stays with the answer. */
export class ThinkTags {
  private place: Place = 'before';
  /** The beginning of what may be a tag. */
  private held = '';
  /** An end without a beginning may still come. */
  private watching = true;
  /** The end of the answer so far, while watching: what may be the beginning of a tag, and the character before it. */
  private tail = '';
  private answered = false;

  /** True once no more tags can come. */
  get settled(): boolean {
    return this.place === 'answer' && !this.watching;
  }

  /** True for a piece of the answer with no sign of a tag in it. HOT PATH: nearly all pieces. */
  isPlain(piece: string): boolean {
    if (this.place !== 'answer' || piece.includes('<') || this.tail.includes('<')) return false;
    this.tail = piece.slice(-1);
    return true;
  }

  /** The events that this piece of text makes certain. */
  text(piece: string, out: StreamEvent[]): void {
    let rest = this.held + piece;
    this.held = '';
    while (rest !== '') rest = this.place === 'inside' ? this.inside(rest, out) : this.outside(rest, out);
  }

  /** What was held back was no tag. */
  flush(out: StreamEvent[]): void {
    if (this.held === '') return;
    const { held } = this;
    this.held = '';
    if (this.place === 'before') this.place = 'answer';
    give(this.place === 'inside' ? 'thinking' : 'message_chunk', held, '', out);
    this.answered ||= this.place === 'answer';
  }

  /** Reasoning came in a place of its own: an end without a beginning is no tag. */
  reasoned(): void {
    this.watching = false;
  }

  private outside(text: string, out: StreamEvent[]): string {
    if (this.place === 'answer') return this.answer(text, out);
    const at = text.search(/\S/);
    if (at === -1) return this.answer(text, out);
    if (text.startsWith(OPEN, at)) {
      this.place = 'inside';
      this.watching = false;
      return give('message_chunk', text.slice(0, at), text.slice(at + OPEN.length), out);
    }
    if (OPEN.startsWith(text.slice(at))) {
      this.held = text.slice(at);
      return this.answer(text.slice(0, at), out);
    }
    this.place = 'answer';
    return this.answer(text, out);
  }

  private answer(text: string, out: StreamEvent[]): string {
    const at = this.watching ? this.unopenedEnd(text) : undefined;
    if (at === undefined) {
      this.answered ||= text !== '';
      return give('message_chunk', text, '', out);
    }
    // `at` is negative where the tag began in an earlier piece.
    const before = text.slice(0, Math.max(0, at));
    give(this.answered ? 'message_chunk' : 'thinking', before, '', out);
    if (this.answered) out.push({ type: 'answer_start', strip: Math.max(0, -at) });
    this.watching = false;
    this.place = 'before';
    return text.slice(at + CLOSE.length);
  }

  // Where in the text the end of a block begins that was opened in the prompt.
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
      this.place = 'before';
      return give('thinking', text.slice(0, at), text.slice(at + CLOSE.length), out);
    }
    const cut = text.lastIndexOf('<');
    if (cut === -1 || !CLOSE.startsWith(text.slice(cut))) return give('thinking', text, '', out);
    this.held = text.slice(cut);
    return give('thinking', text.slice(0, cut), '', out);
  }
}

function give(type: 'message_chunk' | 'thinking', text: string, rest: string, out: StreamEvent[]): string {
  if (text !== '') out.push({ type, text });
  return rest;
}

/**
 * The same dialect, but for `<think>` blocks in the answer, which are decoded as reasoning. An `answer_start` is encoded as
 * the `</think>` that it came from.
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
      // Counts may come with every piece, also between the two halves of a tag.
      if (!BETWEEN.has(event.type)) tags.flush(out);
      if (event.type === 'thinking') tags.reasoned();
      out.push(event);
    }
  }
  return out;
}

import type { StreamEvent } from '../model/events.ts';
import type { Decoder, WireFormat } from './format.ts';

// Models that were taught to think aloud put their reasoning into the answer itself, between `<think>` and
// `</think>`. Only a tag with nothing but white space before it counts, at the beginning of the answer or right after
// another block: an answer that talks about the tag, in prose or in code, stays as it is. A tag may be cut anywhere.

const OPEN = '<think>';
const CLOSE = '</think>';

/** Events that do not part one piece of text from the next. */
const BETWEEN = new Set<StreamEvent['type']>(['start', 'usage', 'metadata', 'unknown']);

/** Where in an answer we are: before any text, inside a block, or in the answer proper. */
type Place = 'before' | 'inside' | 'answer';

/** Tells the reasoning from the answer, text by text. White space around the tags stays with the answer. */
export class ThinkTags {
  private place: Place = 'before';
  /** The beginning of what may be a tag. */
  private held = '';

  /** True once no more tags can come. */
  get settled(): boolean {
    return this.place === 'answer';
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
    out.push({ type: this.place === 'inside' ? 'thinking' : 'message_chunk', text: this.held });
    this.held = '';
    if (this.place === 'before') this.place = 'answer';
  }

  private outside(text: string, out: StreamEvent[]): string {
    if (this.place === 'answer') return give('message_chunk', text, '', out);
    const at = text.search(/\S/);
    if (at === -1) return give('message_chunk', text, '', out);
    if (text.startsWith(OPEN, at)) {
      this.place = 'inside';
      return give('message_chunk', text.slice(0, at), text.slice(at + OPEN.length), out);
    }
    if (OPEN.startsWith(text.slice(at))) {
      this.held = text.slice(at);
      return give('message_chunk', text.slice(0, at), '', out);
    }
    this.place = 'answer';
    return give('message_chunk', text, '', out);
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

/** The same format, but for `<think>` blocks in the answer, which are decoded as reasoning. */
export function withThinkTags(format: WireFormat): WireFormat {
  return {
    ...format,
    decoder() {
      const inner = format.decoder();
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
    decodeWhole: (body) => split(new ThinkTags(), format.decodeWhole(body)),
  };
}

function split(tags: ThinkTags, events: readonly StreamEvent[]): readonly StreamEvent[] {
  // HOT PATH: nearly all events of nearly all answers.
  if (tags.settled) return events;
  const out: StreamEvent[] = [];
  for (const event of events) {
    if (event.type === 'message_chunk') {
      tags.text(event.text, out);
    } else {
      // Counts may come with every piece, also between the two halves of a tag.
      if (!BETWEEN.has(event.type)) tags.flush(out);
      out.push(event);
    }
  }
  return out;
}

import type { Substrings } from './substrings.ts';
import { isCommon } from './vocabulary.ts';

/** Redacts one text that comes in pieces. A secret may be cut anywhere. */
export interface TextRedactor {
  /** What can be shown by now. A tail that may be the beginning of a secret is held back. */
  push(text: string): string;
  /** What was still held back: the text is over. */
  end(): string;
}

// Longer than any common word.
const LOOK_BACK = 64;

/** Replaces pieces of secrets: `least` characters in a row, and more. */
export class PieceRedactor implements TextRedactor {
  private readonly reader: { step(code: number): number };
  private readonly least: number;
  private readonly name: string;
  /** Characters that may still turn out to be the beginning of a piece. */
  private held = '';
  /** The end of what came so far. */
  private seen = '';
  /** The last thing that was let out is a name, and what follows may belong to the same secret. */
  private named = false;

  constructor(substrings: Substrings, least: number, name: string) {
    this.reader = substrings.reader();
    this.least = least;
    this.name = name;
  }

  push(text: string): string {
    const all = this.held + text;
    const before = this.seen;
    // What is known of `all`: shown up to `from`, the rest waits.
    let out = '';
    let from = 0;
    let matched = 0;
    for (let at = this.held.length; at < all.length; at++) {
      matched = this.reader.step(all.charCodeAt(at));
      if (matched < this.least) continue;
      const begin = Math.max(from, at + 1 - matched);
      if (
        matched <= LOOK_BACK &&
        isCommon((before + text).slice(0, before.length + at + 1 - this.held.length).slice(-matched))
      )
        continue;
      if (begin > from || !this.named) out += all.slice(from, begin) + this.name;
      this.named = true;
      from = at + 1;
    }
    // Half a piece is worth waiting for; less is too common in any text, and would hold every word's end back.
    const waits = matched * 2 >= this.least ? Math.min(matched, all.length - from) : 0;
    const shown = all.slice(from, all.length - waits);
    if (shown !== '') this.named = false;
    this.held = all.slice(all.length - waits);
    this.seen = (before + text).slice(-LOOK_BACK);
    return out + shown;
  }

  end(): string {
    const { held } = this;
    this.held = '';
    return held;
  }
}

/** Redactors one after another, one for each encoding. */
export class Chain implements TextRedactor {
  private readonly links: readonly TextRedactor[];

  constructor(links: readonly TextRedactor[]) {
    this.links = links;
  }

  push(text: string): string {
    return this.links.reduce((rest, link) => (rest === '' ? '' : link.push(rest)), text);
  }

  end(): string {
    return this.links.reduce((rest, link) => link.push(rest) + link.end(), '');
  }
}

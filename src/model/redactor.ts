import { createRedactor, type Secret } from '../model/secrets.ts';
import { Substrings } from './substrings.ts';

/** Keeps the secrets of a service out of all that leaves it. */
export interface Scrubber {
  /** A whole text, such as an error message: secrets and long pieces of them are replaced by their names. */
  text(text: string): string;
  /** A text that comes in pieces, such as an answer. */
  stream(): TextScrubber;
}

/** Scrubs one text that comes in pieces. A secret may be cut anywhere. */
export interface TextScrubber {
  /** What can be shown by now. A tail that may be the beginning of a secret is held back. */
  push(text: string): string;
  /** What was still held back: the text is over. */
  end(): string;
}

// A value this short (a port, a model size) would blank out innocent text wherever it occurs.
const MIN_SECRET = 6;

// How many characters of a secret in a row count as a piece of it. In a message, where a provider quotes a key, shorter
// ones than in an answer, which holds far more innocent text.
const PIECE_IN_MESSAGE = 6;
const PIECE_IN_ANSWER = 8;
// What a quoted key has in the place of its middle.
const MASK = /\*{2,}|•{2,}|…|\.{3,}/g;
const LONGEST_QUOTE = 200;
const MIN_QUOTED = 3;

// Characters for private use, which no text has a meaning for.
const FIRST_MARK = 0xe000;
const MARKS = /[\ue000-\uf8ff]/g;

/** An encoding of secrets: what they look like in it, and how many characters it makes of one. */
interface Encoding {
  expansion: number;
  spellings(value: string): string[];
}

const ENCODINGS: readonly Encoding[] = [
  { expansion: 1, spellings: (value) => [value, JSON.stringify(value).slice(1, -1), urlEncoded(value)] },
  { expansion: 4 / 3, spellings: base64Spellings },
  { expansion: 2, spellings: (value) => [Buffer.from(value).toString('hex')] },
  {
    expansion: 6,
    spellings: (value) => [
      Array.from({ length: value.length }, (_, i) => `\\u${hex4(value.charCodeAt(i))}`).join(''),
    ],
  },
];

interface Pattern {
  substrings: Substrings;
  inMessage: number;
  inAnswer: number;
}

/** A scrubber for these secrets; undefined where there is nothing to hide. Values of under 6 characters are not hidden. */
export function createScrubber(secrets: readonly Secret[]): Scrubber | undefined {
  const hidden = secrets.filter(({ value }) => value.length >= MIN_SECRET);
  if (hidden.length === 0) return undefined;
  const shortest = Math.min(...hidden.map(({ value }) => value.length));
  const name = hidden.length === 1 ? hidden[0]!.name : '[secret]';
  // In a message names are put in last, so that no name is taken for a piece of a secret.
  const marked = hidden.map(({ value }, i): Secret => ({ name: String.fromCharCode(FIRST_MARK + i), value }));
  const redact = createRedactor(marked);
  const patterns = ENCODINGS.map(({ expansion, spellings }): Pattern => {
    const least = (characters: number) => Math.floor(Math.min(characters, shortest) * expansion);
    return {
      substrings: new Substrings(new Set(hidden.flatMap(({ value }) => spellings(value)))),
      inMessage: least(PIECE_IN_MESSAGE),
      inAnswer: least(PIECE_IN_ANSWER),
    };
  });
  const chain = (least: 'inMessage' | 'inAnswer') =>
    new Chain(patterns.map((pattern) => new PieceScrubber(pattern.substrings, pattern[least], name)));
  return {
    text(text) {
      const scrubber = chain('inMessage');
      // Whole secrets and quotes of them first, each under its own name.
      const clean = marked.reduce((result, secret) => withoutQuotes(result, secret), redact(text));
      const named = scrubber.push(clean) + scrubber.end();
      return named.replaceAll(MARKS, (mark) => hidden[mark.charCodeAt(0) - FIRST_MARK]?.name ?? mark);
    },
    stream: () => chain('inAnswer'),
  };
}

/** Replaces pieces of `least` characters and more. */
class PieceScrubber implements TextScrubber {
  private readonly reader: { step(code: number): number };
  private readonly least: number;
  private readonly name: string;
  /** Characters that may still turn out to be the beginning of a piece. */
  private held = '';
  /** The last thing that was let out is a name, and what follows may belong to the same secret. */
  private named = false;

  constructor(substrings: Substrings, least: number, name: string) {
    this.reader = substrings.reader();
    this.least = least;
    this.name = name;
  }

  push(text: string): string {
    const all = this.held + text;
    // What is known of `all`: shown up to `from`, the rest waits.
    let out = '';
    let from = 0;
    let matched = 0;
    for (let at = this.held.length; at < all.length; at++) {
      matched = this.reader.step(all.charCodeAt(at));
      if (matched < this.least) continue;
      const begin = Math.max(from, at + 1 - matched);
      if (begin > from || !this.named) out += all.slice(from, begin) + this.name;
      this.named = true;
      from = at + 1;
    }
    // Half a piece is worth waiting for; less is too common in any text, and would hold every word's end back.
    const waits = matched * 2 >= this.least ? Math.min(matched, all.length - from) : 0;
    const shown = all.slice(from, all.length - waits);
    if (shown !== '') this.named = false;
    this.held = all.slice(all.length - waits);
    return out + shown;
  }

  end(): string {
    const { held } = this;
    this.held = '';
    return held;
  }
}

/** Scrubbers one after another, one for each encoding. */
class Chain implements TextScrubber {
  private readonly links: readonly TextScrubber[];

  constructor(links: readonly TextScrubber[]) {
    this.links = links;
  }

  push(text: string): string {
    return this.links.reduce((rest, link) => (rest === '' ? '' : link.push(rest)), text);
  }

  end(): string {
    return this.links.reduce((rest, link) => link.push(rest) + link.end(), '');
  }
}

/** Replaces a quoted secret of which only the ends are shown, such as `sk-ab***yz`. */
function withoutQuotes(text: string, { name, value }: Secret): string {
  let out = '';
  let from = 0;
  for (const { 0: mask, index } of text.matchAll(MASK)) {
    const before = overlap(text.slice(Math.max(from, index - LONGEST_QUOTE), index), value);
    const end = index + mask.length;
    const after = overlap(value, text.slice(end, end + LONGEST_QUOTE));
    if (Math.max(before, after) < MIN_QUOTED) continue;
    out += text.slice(from, index - before) + name;
    from = end + after;
  }
  return out + text.slice(from);
}

/** The length of the longest end of `left` that `right` begins with. */
function overlap(left: string, right: string): number {
  for (let length = Math.min(left.length, right.length); length > 0; length--) {
    if (left.endsWith(right.slice(0, length))) return length;
  }
  return 0;
}

/** What the bytes of a value look like inside a longer base64 text, wherever it begins there. */
function base64Spellings(value: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(value)]);
    // Characters that hold bits of the neighbours as well are not known.
    const first = [0, 2, 3][offset]!;
    const last = Math.floor((bytes.length * 8) / 6);
    return [bytes.toString('base64').slice(first, last), bytes.toString('base64url').slice(first, last)];
  });
}

function urlEncoded(value: string): string {
  return encodeURIComponent(Buffer.from(value).toString());
}

function hex4(code: number): string {
  return code.toString(16).padStart(4, '0');
}

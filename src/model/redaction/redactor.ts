import { type Secret, secretParts } from './secrets.ts';
import { ENCODINGS } from './spellings.ts';
import { Substrings } from './substrings.ts';
import { Chain, PieceRedactor, type TextRedactor } from './text-redactor.ts';
import { isCommon } from './vocabulary.ts';

export type { TextRedactor } from './text-redactor.ts';

/**
 * Keeps secrets out of all that is shown or stored: the values themselves, in every spelling of `ENCODINGS`, and
 * pieces of them. A text that holds none comes back as it is.
 */
export interface Redactor {
  /** False where there is nothing to hide. */
  readonly active: boolean;
  /**
   * A short text of someone else's, such as an error message: also pieces of 6 characters, and quotes such as `sk-ab***yz`.
   * `cut`: the text was cut at its end, so its last 4 characters may already be the beginning of a secret.
   */
  message(text: string, options?: { cut?: boolean }): string;
  /** Any other text: pieces of 8 characters and more. */
  text(text: string): string;
  /** A JSON value with every text in it redacted, names of fields included. The value itself where nothing was hidden. */
  value<T>(value: T): T;
  /** A text that comes in pieces, such as an answer: as `text`. */
  stream(): TextRedactor;
}

/** A value shorter than this (a port, a model's size) is not hidden: it would blank out innocent text. */
const MIN_SECRET = 6;

// How many characters of a secret in a row count as a piece of it. In a message, where a provider quotes a key, shorter
// ones than in an answer, which holds far more innocent text.
const PIECE_IN_MESSAGE = 6;
const PIECE_IN_TEXT = 8;
const PIECE_AT_CUT = 4;
// What a quoted key has in the place of its middle.
const MASK = /\*{2,}|•{2,}|…|\.{3,}/g;
const LONGEST_QUOTE = 200;
const MIN_QUOTED = 3;

// Data of a server can be nested as deep as it likes, the stack of calls cannot.
const MAX_DEPTH = 200;

// Characters for private use, which no text has a meaning for.
const FIRST_MARK = 0xe000;
const LAST_MARK = 0xf8ff;
const MARKS = /[\ue000-\uf8ff]/g;

interface Pattern {
  substrings: Substrings;
  inMessage: number;
  inText: number;
}

const INACTIVE: Redactor = {
  active: false,
  message: (text) => text,
  text: (text) => text,
  value: (value) => value,
  stream: () => new Chain([]),
};

/** A redactor for these secrets and their parts. Values of under 6 characters, and common words, are not hidden. */
export function createRedactor(secrets: readonly Secret[]): Redactor {
  const hidden = distinct(secrets.flatMap(secretParts).filter(isHidden));
  const [first] = hidden;
  if (first === undefined) return INACTIVE;
  const name = hidden.every((secret) => secret.name === first.name) ? first.name : '[secret]';
  // Names are put in last, so that no name is taken for a piece of a secret.
  const marked = hidden.map((secret, i) => ({ ...secret, name: markOf(i) }));
  const spellings = wholeSpellings(marked);
  const patterns = patternsOf(hidden);
  const all = new Substrings(spellings.map(({ value }) => value));
  const chain = (least: 'inMessage' | 'inText') =>
    new Chain(patterns.map((pattern) => new PieceRedactor(pattern.substrings, pattern[least], name)));
  const pieces = (text: string, least: 'inMessage' | 'inText') => {
    const redactor = chain(least);
    const clean = redactor.push(text) + redactor.end();
    return clean.replaceAll(MARKS, (mark) => hidden[mark.charCodeAt(0) - FIRST_MARK]?.name ?? mark);
  };
  const whole = (text: string) =>
    spellings.reduce((result, spelling) => result.replaceAll(spelling.value, spelling.name), text);

  const redactor: Redactor = {
    active: true,
    message(text, { cut = false } = {}) {
      const ended = cut ? withoutCutEnd(text, spellings) : text;
      // One pass tells that there is nothing to hide, as in nearly every text.
      const clean = ended === text && ended.search(MASK) === -1 && !all.occursIn(ended, PIECE_IN_MESSAGE);
      if (clean) return text;
      return pieces(
        marked.filter((secret) => !secret.whole).reduce(withoutQuotes, whole(ended)),
        'inMessage',
      );
    },
    text: (text) => (all.occursIn(text, MIN_SECRET) ? pieces(whole(text), 'inText') : text),
    value: <T>(value: T) => redactValue(value, redactor.text, 0) as T,
    stream: () => chain('inText'),
  };
  return redactor;
}

/** A copy of a JSON value with every text in it redacted by `redact`, names of fields included. */
export function redactValue(value: unknown, redact: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return redact(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) return '[nested too deeply]';
  if (Array.isArray(value)) {
    // Gaps can be many thousands.
    if (value.every((item) => typeof item === 'number')) return value;
    const items = value.map((item: unknown) => redactValue(item, redact, depth + 1));
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  const entries = Object.entries(value);
  let same = true;
  const clean = entries.map(([key, item]) => {
    const cleanKey = redact(key);
    const cleanItem = redactValue(item, redact, depth + 1);
    same &&= cleanKey === key && cleanItem === item;
    return [cleanKey, cleanItem] as const;
  });
  // fromEntries defines own properties, so a key named __proto__ stays a key.
  return same ? value : Object.fromEntries(clean);
}

// A word that the program itself writes everywhere (a target's key may be just "testing") cannot be hidden.
function isHidden({ value }: Secret): boolean {
  return value.length >= MIN_SECRET && !isCommon(value);
}

// The first name wins: a variable's name says more than a mask. Pieces are hidden where one of the two asks for it.
function distinct(secrets: readonly Secret[]): Secret[] {
  const byValue = new Map<string, Secret>();
  for (const secret of secrets) {
    const before = byValue.get(secret.value);
    if (before === undefined) byValue.set(secret.value, secret);
    else if (before.whole && !secret.whole) byValue.set(secret.value, { ...before, whole: false });
  }
  return [...byValue.values()];
}

function markOf(index: number): string {
  return String.fromCharCode(Math.min(FIRST_MARK + index, LAST_MARK));
}

/** Every spelling with its secret's name; the longest first, as one secret may hold another. */
function wholeSpellings(secrets: readonly Secret[]): Secret[] {
  const names = new Map<string, string>();
  for (const { name, value } of secrets) {
    for (const spelling of ENCODINGS.flatMap((encoding) => encoding.spellings(value))) {
      if (!names.has(spelling)) names.set(spelling, name);
    }
  }
  return Array.from(names, ([value, name]) => ({ name, value })).sort(
    (a, b) => b.value.length - a.value.length,
  );
}

function patternsOf(secrets: readonly Secret[]): Pattern[] {
  const divisible = secrets.filter(({ whole }) => !whole);
  const shortest = Math.min(...divisible.map(({ value }) => value.length));
  return ENCODINGS.flatMap(({ expansion, spellings }): Pattern[] => {
    const least = (characters: number, length: number) =>
      Math.floor(Math.min(characters, length) * expansion);
    const substrings = (some: readonly Secret[]) =>
      new Substrings(new Set(some.flatMap(({ value }) => spellings(value))));
    return [
      ...(divisible.length === 0
        ? []
        : [
            {
              substrings: substrings(divisible),
              inMessage: least(PIECE_IN_MESSAGE, shortest),
              inText: least(PIECE_IN_TEXT, shortest),
            },
          ]),
      // Of these, a piece is all of the value; in base64 less its first and last character.
      ...secrets
        .filter(({ whole }) => whole)
        .map((secret) => {
          const all = Math.min(...spellings(secret.value).map(({ length }) => length));
          return { substrings: substrings([secret]), inMessage: all, inText: all };
        }),
    ];
  });
}

/** Replaces the end of a text that was cut inside a secret. */
function withoutCutEnd(text: string, spellings: readonly Secret[]): string {
  let longest = 0;
  let name = '';
  for (const spelling of spellings) {
    const length = overlap(text.slice(-spelling.value.length), spelling.value);
    if (length < PIECE_AT_CUT || length <= longest) continue;
    longest = length;
    name = spelling.name;
  }
  return longest === 0 ? text : text.slice(0, -longest) + name;
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

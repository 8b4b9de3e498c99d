import { readSync } from 'node:fs';
import type { DatasetFormat } from '../model/prompt.ts';

/** Where one entry of a dataset file is: bytes `from` to `to`, without its line break or comma. */
export interface EntryBounds {
  from: number;
  to: number;
  /** Line on which it begins, from 1. */
  line: number;
}

/** Why a file as a whole cannot be used. */
export interface BrokenFile {
  cause: string;
  remedy: string;
  /** From 1; absent where the problem is not at one place. */
  line?: number;
}

const CHUNK_BYTES = 2 ** 18;
const [LF, QUOTE, COMMA, BACKSLASH] = [0x0a, 0x22, 0x2c, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Finds entries in the bytes of a file. All separators are ASCII, which no other character contains in UTF-8. */
interface Splitter {
  /** The next bytes, the first of which is at `base`. */
  feed(bytes: Uint8Array, base: number): void;
  /** The end of the file, which has `size` bytes. Returns why it is broken. */
  end(size: number): BrokenFile | undefined;
}

/**
 * Reads a file once, in pieces, and passes the bounds of its entries to `found`. Returns why it is broken, if it is. `observe` gets
 * all bytes.
 */
export function findEntries(
  file: number,
  format: Exclude<DatasetFormat, 'text'>,
  found: (bounds: EntryBounds) => void,
  observe: (bytes: Uint8Array) => void,
): BrokenFile | undefined {
  const splitter = format === 'json' ? arraySplitter(found) : lineSplitter(found, format === 'csv');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let base = 0; ; ) {
    const read = readSync(file, chunk, 0, chunk.byteLength, base);
    if (read === 0) return splitter.end(base);
    const bytes = chunk.subarray(0, read);
    observe(bytes);
    splitter.feed(bytes, base);
    base += read;
  }
}

/** Lines. With `quotes`, a line break between two quotes does not end a line. */
function lineSplitter(found: (bounds: EntryBounds) => void, quotes: boolean): Splitter {
  let from = 0;
  let line = 1;
  let startLine = 1;
  let inQuotes = false;
  return {
    feed(bytes, base) {
      for (let index = 0; index < bytes.length; index++) {
        const byte = bytes[index];
        if (byte === QUOTE && quotes) inQuotes = !inQuotes;
        if (byte !== LF) continue;
        line += 1;
        if (inQuotes) continue;
        found({ from, to: base + index, line: startLine });
        from = base + index + 1;
        startLine = line;
      }
    },
    end(size) {
      if (inQuotes) {
        return { cause: 'a quote is not closed', remedy: 'close the quote of this record', line: startLine };
      }
      if (from < size) found({ from, to: size, line: startLine });
      return undefined;
    },
  };
}

const NOT_A_LIST = 'a .json dataset is one JSON list of entries; for one entry in each line use .jsonl';

/** The elements of one JSON list. Their content is not checked here. */
function arraySplitter(found: (bounds: EntryBounds) => void): Splitter {
  let depth = 0;
  let line = 1;
  let from: number | undefined;
  let startLine = 1;
  let inString = false;
  let escaped = false;
  let ended = false;
  let elements = 0;
  let problem: BrokenFile | undefined;
  const element = (to: number) => {
    found({ from: from ?? to, to, line: from === undefined ? line : startLine });
    from = undefined;
    elements += 1;
  };
  const step = (byte: number, at: number) => {
    if (byte === LF) line += 1;
    if (inString) {
      if (escaped) escaped = false;
      else if (byte === BACKSLASH) escaped = true;
      else if (byte === QUOTE) inString = false;
      return;
    }
    if (byte <= 0x20) return;
    if (ended) {
      problem ??= { cause: 'text after the end of the list', remedy: NOT_A_LIST, line };
      return;
    }
    if (depth === 0) {
      // The byte order mark.
      if (at < 3 && byte >= 0xbb) return;
      if (byte !== OPEN_LIST) problem ??= { cause: 'the file is not a JSON list', remedy: NOT_A_LIST, line };
      depth = 1;
      return;
    }
    if (depth === 1 && byte === COMMA) return element(at);
    if (depth === 1 && byte === CLOSE_LIST) {
      // Nothing after the last comma is an element too, and a broken one; an empty list has none.
      if (from !== undefined || elements > 0) element(at);
      ended = true;
      return;
    }
    if (from === undefined) {
      from = at;
      startLine = line;
    }
    if (byte === QUOTE) inString = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
  };
  return {
    feed(bytes, base) {
      // `!`: below the length.
      for (let index = 0; index < bytes.length; index++) step(bytes[index]!, base + index);
    },
    end(size) {
      if (problem !== undefined || ended || size === 0) return problem;
      return {
        cause: 'the list is not closed',
        remedy: 'the file may have been cut: copy it again',
        line: startLine,
      };
    },
  };
}

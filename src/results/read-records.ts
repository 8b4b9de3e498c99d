import { open } from 'node:fs/promises';
import { CellMap } from '../model/cells.ts';
import { formatProblem } from '../model/errors.ts';
import type { Cell } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';
import { type CheckedLine, checkLine } from './check-record.ts';

const PAGE = 65_536;

/** Remembers which numbers came, a bit each. */
class Seen {
  // Not one array: a damaged record may hold any number.
  private readonly pages = new Map<number, Uint8Array>();

  /** Takes in a whole number of 0 or more. False where it came before. */
  add(value: number): boolean {
    const page = Math.floor(value / PAGE);
    let bits = this.pages.get(page);
    if (bits === undefined) {
      bits = new Uint8Array(PAGE / 8);
      this.pages.set(page, bits);
    }
    const at = value % PAGE;
    const mask = 1 << (at & 7);
    const isNew = (bits[at >> 3]! & mask) === 0;
    bits[at >> 3]! |= mask;
    return isNew;
  }
}

/** Lines of a records file that could not be used. */
export interface Unreadable {
  /** Lines that were left out, the cut last one apart. */
  lines: number;
  /** The first few, with file, line and reason. */
  examples: string[];
}

/** What reading a records file found; complete once it has been read to the end. */
export interface ReadResult {
  records: number;
  unreadable: Unreadable;
  /** Says that the last line has no end and is no record, as a crash leaves it. */
  cut?: string;
  /** Bytes up to the end of the last record. */
  wholeBytes: number;
  /** Lines that are no record and that have a record behind them. */
  unreadableInside: number;
}

const EXAMPLES = 5;
const LINE_FEED = 0x0a;
const CHUNK_BYTES = 256 * 1024;

/** An empty result, to be given to `readRecords`. */
export function newReadResult(): ReadResult {
  return { records: 0, unreadable: { lines: 0, examples: [] }, wholeBytes: 0, unreadableInside: 0 };
}

/**
 * The records of a file, in the order of its lines, several at a time. Each is parsed when it is asked for, so that no more
 * than one need be in memory; those that were not asked for when the next several are, are read all the same. Lines that
 * hold no record of these cells, and records that came before, are left out and counted in `result`.
 */
export async function* readRecords(
  path: string,
  cells: readonly Cell[],
  result: ReadResult,
): AsyncGenerator<Iterable<RequestRecord>> {
  const planned = new CellMap<true>();
  for (const cell of cells) planned.set(cell, true);
  const seen = new Seen();
  let line = 0;

  const refuse = (message: string) => {
    result.unreadable.lines += 1;
    if (result.unreadable.examples.length < EXAMPLES) {
      result.unreadable.examples.push(formatProblem({ message, place: { file: path, line } }));
    }
  };
  const check = (text: string): CheckedLine => {
    const checked = checkLine(text);
    if ('wrong' in checked) return checked;
    const { record } = checked;
    if (planned.get(record) === undefined)
      return { wrong: 'this record is of a cell that the run did not plan' };
    return seen.add(record.seq) ? checked : { wrong: `record ${record.seq} is there twice` };
  };
  const counted = (bytes: number) => {
    result.records += 1;
    result.wholeBytes = bytes;
    result.unreadableInside = result.unreadable.lines;
  };

  // One buffer for the whole file: a stream's are garbage that is collected late.
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** Bytes in the buffer. */
  let filled = 0;
  /** Where the next line begins in the buffer. */
  let from = 0;
  /** Where the search for its end goes on. */
  let searched = 0;
  /** Where the buffer begins in the file. */
  let offset = 0;
  // Without `return`: a consumer that stops in the middle of these has not done with the file.
  const records: IterableIterator<RequestRecord> = {
    [Symbol.iterator]: () => records,
    next() {
      for (;;) {
        const to = lineFeed(buffer, searched, filled);
        if (to === -1) return { done: true, value: undefined };
        const text = buffer.toString('utf8', from, to);
        from = to + 1;
        searched = from;
        line += 1;
        if (text === '' || text.trim() === '') continue;
        const checked = check(text);
        if ('record' in checked) {
          counted(offset + from);
          return { done: false, value: checked.record };
        }
        refuse(checked.wrong);
      }
    },
  };
  const file = await open(path);
  try {
    for (;;) {
      if (filled === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
      yield records;
      for (const _ of records);
      buffer.copyWithin(0, from, filled);
      offset += from;
      filled -= from;
      from = 0;
      // What is left holds no line feed.
      searched = filled;
    }
  } finally {
    await file.close();
  }
  // Only a line without a line feed can have been cut by a crash, and it may be whole all the same.
  const last = buffer.toString('utf8', 0, filled);
  if (last.trim() === '') return;
  line += 1;
  const checked = check(last);
  if ('record' in checked) {
    counted(offset + filled);
    yield [checked.record];
  } else {
    result.cut = `${path}:${line}: the last record was cut off and is left out`;
  }
}

function lineFeed(buffer: Buffer, from: number, to: number): number {
  const at = buffer.indexOf(LINE_FEED, from);
  return at < to ? at : -1;
}

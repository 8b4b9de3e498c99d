import { open } from 'node:fs/promises';
import { CellMap } from '../model/cells.ts';
import { formatProblem } from '../model/errors.ts';
import type { Cell } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';
import { type CheckedLine, checkLine } from './check-record.ts';

const PAGE = 65_536;

/** A set of sequence numbers, one bit each. */
class SeqSet {
  // In pages: a damaged record may hold any number.
  private readonly pages = new Map<number, Uint8Array>();

  /** Adds an integer of 0 or more. Returns false where it was present. */
  add(value: number): boolean {
    const page = Math.floor(value / PAGE);
    let bits = this.pages.get(page);
    if (bits === undefined) {
      bits = new Uint8Array(PAGE / 8);
      this.pages.set(page, bits);
    }
    const at = value % PAGE;
    const mask = 1 << (at & 7);
    const before = bits[at >> 3] ?? 0;
    bits[at >> 3] = before | mask;
    return (before & mask) === 0;
  }
}

/** Unusable lines of a records file. */
export interface Unreadable {
  /** Skipped lines, without a cut last one. */
  lines: number;
  /** The first ones, with file, line and reason. */
  examples: string[];
}

/** The result of reading a records file; complete after the last record. */
export interface ReadResult {
  records: number;
  unreadable: Unreadable;
  /** A sentence where the last line is cut, as after a crash. */
  cut?: string;
  /** Bytes up to the end of the last record. */
  wholeBytes: number;
  /** Invalid lines that are followed by a record. */
  unreadableInside: number;
}

const EXAMPLES = 5;
const LINE_FEED = 0x0a;
const CHUNK_BYTES = 256 * 1024;

/** An empty result for `readRecords`. */
export function newReadResult(): ReadResult {
  return { records: 0, unreadable: { lines: 0, examples: [] }, wholeBytes: 0, unreadableInside: 0 };
}

/**
 * Reads the records of a file in batches, in file order. A record is parsed when it is taken from its batch, so that only one has to
 * be in memory; records that were not taken are read before the next batch. Lines without a record of these cells and repeated
 * records are skipped and counted in `result`.
 */
export async function* readRecords(
  path: string,
  cells: readonly Cell[],
  result: ReadResult,
): AsyncGenerator<Iterable<RequestRecord>> {
  const planned = new CellMap<true>();
  for (const cell of cells) planned.set(cell, true);
  const seen = new SeqSet();
  let line = 0;

  const skip = (message: string) => {
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
      return { wrong: 'this record belongs to a cell that the run did not plan' };
    return seen.add(record.seq) ? checked : { wrong: `record ${record.seq} is a duplicate` };
  };
  const counted = (bytes: number) => {
    result.records += 1;
    result.wholeBytes = bytes;
    result.unreadableInside = result.unreadable.lines;
  };

  // One buffer for the whole file: the buffers of a stream would be collected late.
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** Bytes in the buffer. */
  let filled = 0;
  /** Where the next line begins in the buffer. */
  let from = 0;
  /** Where the search for its end continues. */
  let searched = 0;
  /** Where the buffer begins in the file. */
  let offset = 0;
  // Without `return`: a consumer may stop in the middle of a batch, and the rest is still read.
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
        skip(checked.wrong);
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
      // The remaining bytes contain no line feed.
      searched = filled;
    }
  } finally {
    await file.close();
  }
  // A line without a line feed may have been cut by a crash, or be complete.
  const last = buffer.toString('utf8', 0, filled);
  if (last.trim() === '') return;
  line += 1;
  const checked = check(last);
  if ('record' in checked) {
    counted(offset + filled);
    yield [checked.record];
  } else {
    result.cut = `${path}:${line}: the last record was cut off and is skipped`;
  }
}

function lineFeed(buffer: Buffer, from: number, to: number): number {
  const at = buffer.indexOf(LINE_FEED, from);
  return at < to ? at : -1;
}

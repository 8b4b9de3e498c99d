import { open } from 'node:fs/promises';
import { CellMap } from '../model/cells.ts';
import { formatProblem } from '../model/errors.ts';
import type { Cell } from '../model/plan.ts';
import type { RequestRecord } from '../model/record.ts';
import { checkLine } from './check-record.ts';

const PAGE = 65_536;

/** Remembers which numbers came, a bit each. */
export class Seen {
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
 * The records of a file, in the order of its lines, several at a time. Lines that hold no record of these cells, and
 * records that came before, are left out and counted in `result`.
 */
export async function* readRecords(
  path: string,
  cells: readonly Cell[],
  result: ReadResult,
): AsyncGenerator<RequestRecord[]> {
  const planned = new CellMap<true>();
  for (const cell of cells) planned.set(cell, true);
  const seen = new Seen();
  let line = 0;
  let batch: RequestRecord[] = [];

  const refuse = (message: string) => {
    result.unreadable.lines += 1;
    if (result.unreadable.examples.length < EXAMPLES) {
      result.unreadable.examples.push(formatProblem({ message, place: { file: path, line } }));
    }
  };
  const take = (text: string): string | undefined => {
    const checked = checkLine(text);
    if ('wrong' in checked) return checked.wrong;
    const { record } = checked;
    if (planned.get(record) === undefined) return 'this record is of a cell that the run did not plan';
    if (!seen.add(record.seq)) return `record ${record.seq} is there twice`;
    batch.push(record);
    return undefined;
  };
  const counted = (bytes: number) => {
    result.records += 1;
    result.wholeBytes = bytes;
    result.unreadableInside = result.unreadable.lines;
  };

  // One buffer for the whole file: a stream's are garbage that is collected late.
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** Bytes of the buffer that are the beginning of a line, and where they stand in the file. */
  let kept = 0;
  let offset = 0;
  const file = await open(path);
  try {
    for (;;) {
      if (kept === buffer.length) buffer = Buffer.concat([buffer, Buffer.allocUnsafe(buffer.length)]);
      const { bytesRead } = await file.read(buffer, kept, buffer.length - kept);
      if (bytesRead === 0) break;
      const filled = kept + bytesRead;
      let from = 0;
      // What is kept holds no line feed.
      for (let to = lineFeed(buffer, kept, filled); to !== -1; to = lineFeed(buffer, from, filled)) {
        const text = buffer.toString('utf8', from, to);
        from = to + 1;
        line += 1;
        if (text === '' || text.trim() === '') continue;
        const wrong = take(text);
        if (wrong === undefined) counted(offset + from);
        else refuse(wrong);
      }
      buffer.copyWithin(0, from, filled);
      kept = filled - from;
      offset += from;
      if (batch.length > 0) yield batch;
      batch = [];
    }
  } finally {
    await file.close();
  }
  // Only a line without a line feed can have been cut by a crash, and it may be whole all the same.
  const last = buffer.toString('utf8', 0, kept);
  if (last.trim() === '') return;
  line += 1;
  if (take(last) === undefined) {
    counted(offset + kept);
    yield batch;
  } else {
    result.cut = `${path}:${line}: the last record was cut off and is left out`;
  }
}

function lineFeed(buffer: Buffer, from: number, to: number): number {
  const at = buffer.indexOf(LINE_FEED, from);
  return at < to ? at : -1;
}

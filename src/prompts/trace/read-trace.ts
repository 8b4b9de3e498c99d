import { createHash } from 'node:crypto';
import { readSync } from 'node:fs';
import type { Trace, TraceFormat } from '../../model/trace.ts';
import type { BrokenFile } from '../entry-bounds.ts';
import { type BrokenLine, isBrokenLine, type TraceEntry, traceLines } from './trace-entry.ts';

/** How a trace is read. */
export interface TraceOptions {
  format: TraceFormat;
  /** At most this many requests, from the first. Default: all. */
  limit?: number;
  /** Tokens of a block of prefix ids. */
  blockTokens: number;
}

/** A trace in which every used line was read; or what is wrong, with the line where there is one. */
export type CheckedTrace =
  | { trace: Omit<Trace, 'file'>; digest: string }
  | { problems: readonly BrokenFile[]; more: number };

/** Problems of a trace that are listed. */
const MAX_PROBLEMS = 10;
const CHUNK_BYTES = 2 ** 20;
const MAX_LINE_BYTES = 64 * 2 ** 20;

/** Reads and checks an open file, up to the limit. */
export function readTrace(file: number, { format, limit, blockTokens }: TraceOptions): CheckedTrace {
  const readLine = traceLines(format, blockTokens);
  const entries: TraceEntry[] = [];
  const problems: BrokenFile[] = [];
  let broken = 0;
  let line = 0;
  const hash = createHash('sha256');
  const fail = (problem: BrokenLine) => {
    broken += 1;
    if (problems.length < MAX_PROBLEMS) problems.push({ ...problem, line });
  };
  for (const text of linesOf(file)) {
    line += 1;
    if (text.trim() === '') continue;
    if (text.length > MAX_LINE_BYTES) {
      fail({ cause: 'this line is too long', remedy: `check that the file is a ${format} trace` });
      break;
    }
    const entry = readLine(text, line);
    if (entry === undefined) continue;
    hash.update(text).update('\n');
    if (isBrokenLine(entry)) {
      fail(entry);
      // Without a header no line can be read.
      if (entries.length === 0 && format === 'azure' && line === 1) break;
      continue;
    }
    const before = entries.at(-1);
    if (format !== 'streambench' && before !== undefined && entry.atMs < before.atMs) {
      fail({
        cause: `out of order: ${+(before.atMs - entry.atMs).toFixed(3)} ms before the request above it`,
        remedy: 'sort the lines by time, or remove the line',
      });
      continue;
    }
    entries.push(entry);
    if (format !== 'streambench' && entries.length === limit) break;
  }
  if (broken > 0) return { problems, more: broken - problems.length };
  if (entries.length === 0) {
    return {
      problems: [{ cause: 'it has no request', remedy: `check that the file is a ${format} trace` }],
      more: 0,
    };
  }
  // Records are in the order in which requests ended.
  if (format === 'streambench') entries.sort((a, b) => a.atMs - b.atMs);
  return { trace: compact(entries.slice(0, limit), format, blockTokens), digest: hash.digest('hex') };
}

function compact(
  entries: readonly TraceEntry[],
  format: TraceFormat,
  blockTokens: number,
): Omit<Trace, 'file'> {
  const firstMs = entries[0]?.atMs ?? 0;
  const trace: Omit<Trace, 'file'> = {
    format,
    atMs: Float64Array.from(entries, ({ atMs }) => atMs - firstMs),
    inputTokens: Uint32Array.from(entries, ({ inputTokens }) => inputTokens),
    outputTokens: Uint32Array.from(entries, ({ outputTokens }) => outputTokens),
  };
  if (!entries.some(({ blocks }) => blocks !== undefined)) return trace;
  const starts = new Uint32Array(entries.length + 1);
  for (const [index, { blocks = [] }] of entries.entries()) {
    // `!`: a start for each entry and one more.
    starts[index + 1] = starts[index]! + blocks.length;
  }
  const ids = Float64Array.from(entries.flatMap(({ blocks = [] }) => blocks));
  return { ...trace, blocks: { tokens: blockTokens, ids, starts } };
}

/** The lines of a file, without keeping all of it in memory. */
function* linesOf(file: number): Generator<string> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let open = '';
  const decoder = new TextDecoder('utf-8', { ignoreBOM: false });
  for (;;) {
    const size = readSync(file, chunk, 0, CHUNK_BYTES, null);
    open += decoder.decode(chunk.subarray(0, size), { stream: size > 0 });
    const lines = open.split(/\r?\n/);
    open = size === 0 ? '' : (lines.pop() ?? '');
    yield* lines;
    if (size === 0) return;
    if (open.length > MAX_LINE_BYTES) {
      yield open;
      return;
    }
  }
}

import { formatCount } from '../format.ts';

/** Fitting a long text into a place that takes only so many bytes. */

/** A part of a text whose rows can be left out from the end. */
export interface Part {
  /** What stands above the rows, a table's head for one; empty where there is nothing. */
  head: string;
  rows: readonly string[];
}

/**
 * The parts with a blank line between them. Where they take more than `maxBytes` of UTF-8, the longest lose their last
 * rows and say so: a part may take half of what is left when its turn comes, or all that later ones do not need.
 */
export function fitParts(parts: readonly Part[], maxBytes: number): string {
  const full = parts.map(textOf);
  let later = full.reduce((sum, text) => sum + bytesOf(text), 0);
  if (later <= maxBytes) return full.join('');
  // Room for the sentences that say what was left out.
  let left = maxBytes - parts.length * SENTENCE_BYTES;
  return parts
    .map((part, index) => {
      const size = bytesOf(full[index]!);
      later -= size;
      const allowed = Math.max(left / 2, left - later);
      const text = size <= allowed ? full[index]! : shortened(part, allowed, maxBytes);
      left -= Math.min(allowed, bytesOf(text));
      return text;
    })
    .join('');
}

const SENTENCE_BYTES = 200;

function shortened({ head, rows }: Part, allowed: number, maxBytes: number): string {
  let used = bytesOf(textOf({ head, rows: [] }));
  let kept = 0;
  while (kept < rows.length && used + bytesOf(rows[kept]!) + 1 <= allowed) {
    used += bytesOf(rows[kept]!) + 1;
    kept += 1;
  }
  const sentence = `*${formatCount(rows.length - kept)} of ${formatCount(rows.length)} lines are left out here, to keep this within ${formatCount(maxBytes)} bytes; the run's report.json has them all.*`;
  return textOf({ head: kept > 0 ? head : '', rows: [...rows.slice(0, kept), '', sentence] });
}

function textOf({ head, rows }: Part): string {
  return `${[...(head === '' ? [] : [head]), ...rows].join('\n')}\n\n`;
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

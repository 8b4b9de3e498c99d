import type { RequestRecord } from './record.ts';
import { microseconds } from './timeline.ts';

/** What a chunk contains: see `KeptChunks.kinds`. */
export type ChunkKind = 'answer' | 'thinking' | 'tool' | 'other';

/**
 * The arrival of every chunk of one response. A chunk is an SSE or NDJSON event, comments apart, or a whole answer; also
 * content that only the end of the body releases. Chunks of one socket read share a stamp, so all but the first have delta 0.
 */
export interface KeptChunks {
  /** Microseconds from the chunk before; of the first, from `marks.started`. Sums are exactly the marks of the record. */
  deltasUs: number[];
  /**
   * What the chunks contain, as runs: `[['other', 1], ['answer', 200], ['other', 2]]`. `answer` is text or media, `thinking`
   * reasoning, `tool` a piece of a tool call, `other` no content: a role, usage, the end.
   */
  kinds: [kind: ChunkKind, chunks: number][];
  /** Chunks that are not in the lists, which hold the first million. Absent if there are none. */
  leftOut?: number;
}

/** What is read of a record here. */
type ChunkRecord = Pick<RequestRecord, 'marks' | 'chunks'>;

/**
 * When each chunk arrived, in ms since the request was sent (like TTFT), in order; since its start if it was not sent.
 * Undefined if the run did not keep them (`--keep-chunks`). At most a million: see `chunks.leftOut`.
 */
export function arrivalsOf({ marks, chunks }: ChunkRecord): number[] | undefined {
  if (chunks === undefined) return undefined;
  let atUs = microseconds(marks.started) - microseconds(marks.sent ?? marks.started);
  return chunks.deltasUs.map((deltaUs) => {
    atUs += deltaUs;
    return atUs / 1000;
  });
}

/** The same of the chunks with content: answer text, reasoning, tool calls. */
export function contentArrivalsOf(record: ChunkRecord): number[] | undefined {
  const arrivals = arrivalsOf(record);
  if (arrivals === undefined) return undefined;
  const content: number[] = [];
  let at = 0;
  for (const [kind, count] of record.chunks?.kinds ?? []) {
    if (kind !== 'other') for (const arrival of arrivals.slice(at, at + count)) content.push(arrival);
    at += count;
  }
  return content;
}

import { contentArrivalsOf } from '../../model/chunks.ts';
import type { RequestRecord } from '../../model/record.ts';

/**
 * The time between neighbouring content chunks, in ms: of every chunk, so 0 for one that shares a read with the chunk before. In
 * no particular order. A text: why the record does not contain them.
 */
export function chunkGapsOf(record: RequestRecord): readonly number[] | string {
  if (record.mode !== 'streaming') return 'the requests were not streamed';
  const arrivals = contentArrivalsOf(record);
  if (arrivals !== undefined && record.chunks?.leftOut === undefined)
    return arrivals.slice(1).map((at, i) => at - (arrivals[i] ?? at));
  if (record.unobserved?.includes('gaps')) return 'the records contain no arrival times of chunks';
  if (record.gapsLeftOut !== undefined) return 'the records contain only the first million gaps of a stream';
  // Chunks of one read are left out of `gaps`.
  return [...record.gaps, ...new Array<number>(record.coalesced).fill(0)];
}

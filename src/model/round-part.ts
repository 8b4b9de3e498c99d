import type { RequestRecord } from './record.ts';

/** Which stretch of a cell was measured at once: a round, or a part of one that was continued with --resume. */
export type RoundPart = Pick<RequestRecord, 'round' | 'part'>;

// More than a run has.
const MOST_ROUNDS = 2 ** 32;

/** One number for each stretch of a cell, for use as a key. */
export function roundPartKey({ round, part = 0 }: RoundPart): number {
  return part * MOST_ROUNDS + round;
}

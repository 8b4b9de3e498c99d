import { UserError } from '../../model/errors.ts';
import type { RunOptions } from '../run/run.ts';

/** Rejects what cannot be decided or measured by one machine of several, with a `UserError` (`usage`). */
export function rejectForShard({
  shard,
  resume,
  baseline,
  ab,
}: Pick<RunOptions, 'shard' | 'resume' | 'baseline' | 'ab'>): void {
  if (shard === undefined) return;
  const problem =
    resume !== undefined
      ? {
          message: 'a shard cannot be continued: the other shards have ended, so the load would be lower',
          hint: 'run all shards again, or merge the others with the records that this one has',
        }
      : baseline !== undefined || ab !== undefined
        ? {
            message: 'a shard cannot be compared: its figures are those of one machine',
            hint: 'compare the merged run: streambench merge RUN... --baseline NAME',
          }
        : undefined;
  if (problem !== undefined) throw new UserError('usage', problem);
}

import type { ClientBehaviour, RequestBehaviour } from '../model/behaviour.ts';
import { createRandom } from '../model/seeded-random.ts';

// Half of a whole number's smallest share: `7 / 0.07` is a little more or less than 100.
const ROUNDING = 1e-9;

/**
 * Selects a share of numbered requests, exactly: of each 1 / share requests one is selected, at a random place. Of the first n
 * requests it selects n x share, rounded up or down. The same seed selects the same requests.
 */
export function exactShare(
  share: number,
  seed: number,
): { has(number: number): boolean; before(number: number): number } {
  const start = (group: number) => Math.floor(group / share + ROUNDING);
  const groupOf = (number: number) => {
    let group = Math.floor(number * share);
    while (start(group + 1) <= number) group++;
    while (start(group) > number) group--;
    return group;
  };
  const chosen = (group: number) => {
    const size = start(group + 1) - start(group);
    // A generator for each group: a thread sees only some of the numbers.
    return start(group) + createRandom(seed * GROUP_SEEDS + group).below(size);
  };
  return {
    has: (number) => share > 0 && chosen(groupOf(number)) === number,
    before(number) {
      if (share <= 0) return 0;
      const group = groupOf(number);
      return group + (chosen(group) < number ? 1 : 0);
    },
  };
}

// Seeds are whole numbers: far enough apart that two seeds share no group.
const GROUP_SEEDS = 1_000_003;

/**
 * What each request of a cell does on purpose, by its number in the cell; undefined for an ordinary one. The same seed gives
 * the same assignment in every cell, so that cells that are compared are treated alike.
 */
export function assignBehaviours(
  { cancel, slowReaders }: ClientBehaviour,
  seed: number,
): (number: number) => RequestBehaviour | undefined {
  const cancels = exactShare(cancel?.share ?? 0, seed);
  // Of the requests that are not cancelled.
  const slow = exactShare((slowReaders?.share ?? 0) / (1 - (cancel?.share ?? 0)), seed + 1);
  return (number) => {
    if (cancel !== undefined && cancels.has(number)) return { kind: 'cancel', after: cancel.after };
    if (slowReaders === undefined || !slow.has(number - cancels.before(number))) return undefined;
    return { kind: 'slow', bytesPerSecond: slowReaders.bytesPerSecond };
  };
}

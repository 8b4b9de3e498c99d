import { hashText } from '../model/keyed-random.ts';
import { createRandom, shuffledIndexes } from '../model/seeded-random.ts';

// Which requests of a cell belong to which part of them. Functions of the request's number, so that all threads agree.

/**
 * True for a share of all numbers: of the first n numbers, for every n, it is true for n times `share`, rounded down or up. `key`
 * decides which of the two.
 */
export function isInShare(number: number, share: number, key: string): boolean {
  const shift = hashText(key) / 2 ** 32;
  return countTo(number + 1, share, shift) > countTo(number, share, shift);
}

// Shares such as 0.35 are not exact in binary: without the small amount, 20 times 0.35 could be 6.999.
function countTo(number: number, share: number, shift: number): number {
  return Math.floor(number * share + shift + 1e-9);
}

/** A part of a mix, and the number of the request among those of this part. */
export interface Pick {
  part: number;
  number: number;
}

/**
 * The part of each number, by whole weights: in each run of as many numbers as the weights sum up to, every part occurs as often
 * as its weight, in a random order. Weights with a common divisor repeat sooner.
 */
export function weightedParts(weights: readonly number[], key: string): (number: number) => Pick {
  const divisor = weights.reduce(greatestDivisor);
  const shares = weights.map((weight) => weight / divisor);
  const parts = shares.flatMap((share, part) => Array<number>(share).fill(part));
  const seed = hashText(key);
  let drawn: { turn: number; picks: Pick[] } | undefined;
  return (number) => {
    const turn = Math.floor(number / parts.length);
    if (drawn?.turn !== turn) {
      const seen = shares.map((share) => turn * share);
      const order = shuffledIndexes(parts.length, createRandom(seed + turn * 2 ** 32));
      // `!`: the order holds indexes of `parts`, and `seen` has a count for every part.
      const picks = Array.from(order, (index) => ({ part: parts[index]!, number: seen[parts[index]!]!++ }));
      drawn = { turn, picks };
    }
    // `!`: a turn has as many picks as parts.
    return drawn.picks[number % parts.length]!;
  };
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}

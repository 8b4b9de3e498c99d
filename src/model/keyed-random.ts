// Random numbers by key: the same key gives the same numbers on every machine, in any order of use. Not the generator of
// seeded-random.ts, whose seed is one number: a key of 96 bits does not collide, and the answers of a seed are pinned.

/** Returns the next number of a key's sequence, uniform over [0, 1). */
export type KeyedRandom = () => number;

/** A random quantity. Its unit depends on the field that uses it. */
export interface RandomQuantity {
  /** Mean of the shape, before `min` and `max` are applied. */
  mean: number;
  /** Standard deviation; that of a constant is 0, and that of an exponential equals its mean. */
  sd: number;
  /** Samples below are raised to this. Default 0. */
  min?: number;
  /** Samples above are lowered to this. Default: none. */
  max?: number;
  shape: 'constant' | 'uniform' | 'normal' | 'lognormal' | 'exponential';
}

/**
 * 32 bits that depend on every character of `text` and on `basis`. FNV-1a (Fowler, Noll, Vo) over UTF-16 units;
 * its weak high bits are then mixed by the finaliser of MurmurHash3 (Austin Appleby).
 */
export function hashText(text: string, basis = 0): number {
  let hash = 0x811c9dc5 ^ Math.imul(basis, 0x9e3779b1);
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A 64-bit hash of `text` as 16 hexadecimal digits, used as a short key. */
export function fingerprint(text: string): string {
  return [1, 2].map((basis) => hashText(text, basis).toString(16).padStart(8, '0')).join('');
}

/**
 * The random sequence of a key. Algorithm: sfc32 by Chris Doty-Humphrey (PractRand), 128 bits of state, 32 bits per step.
 * Seeded with three hashes of the key. The first outputs are discarded, as the author advises.
 */
export function keyedRandom(key: string): KeyedRandom {
  let a = hashText(key, 1) | 0;
  let b = hashText(key, 2) | 0;
  let c = hashText(key, 3) | 0;
  let counter = 1;
  const step = (): number => {
    const out = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + out) | 0;
    return (out >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 15; i++) step();
  return step;
}

/** An integer from 0 to `below` - 1. */
export function randomInt(random: KeyedRandom, below: number): number {
  return Math.floor(random() * below);
}

/** A random entry of a list, which must not be empty (`!`). */
export function pick<T>(random: KeyedRandom, list: readonly T[]): T {
  return list[randomInt(random, list.length)]!;
}

/** One sample, at least 0. */
export function sample(distribution: RandomQuantity, random: KeyedRandom): number {
  const { min = 0, max = Number.POSITIVE_INFINITY } = distribution;
  return Math.min(max, Math.max(min, 0, draw(distribution, random)));
}

function draw({ shape, mean, sd }: RandomQuantity, random: KeyedRandom): number {
  switch (shape) {
    case 'constant':
      return mean;
    case 'uniform':
      // A uniform distribution is sqrt(12) standard deviations wide.
      return mean + sd * Math.sqrt(12) * (random() - 0.5);
    case 'normal':
      return mean + sd * standardNormal(random);
    case 'lognormal': {
      if (mean <= 0) return 0;
      // Parameters of the underlying normal distribution for the given mean and standard deviation.
      const variance = Math.log(1 + (sd / mean) ** 2);
      return Math.exp(Math.log(mean) - variance / 2 + Math.sqrt(variance) * standardNormal(random));
    }
    case 'exponential':
      return -mean * Math.log(1 - random());
    default: {
      const impossible: never = shape;
      return impossible;
    }
  }
}

// Box-Muller. 1 - random() is never 0, whose logarithm is infinite.
function standardNormal(random: KeyedRandom): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

// Seeded random numbers: the same seed gives the same numbers on every machine.

/** A random number generator. */
export interface Random {
  /** Uniform over [0, 1), 32 bits. */
  next(): number;
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number;
  /** Standard normal. */
  normal(): number;
}

/**
 * A gamma variable of this shape (> 0) and scale 1. Algorithm: G. Marsaglia and W. W. Tsang, A simple method for generating
 * gamma variables (ACM TOMS 26, 2000); shapes below 1 are reduced to one above by a power of a uniform variable.
 */
export function drawGamma(random: Random, shape: number): number {
  if (shape < 1) return drawGamma(random, shape + 1) * (1 - random.next()) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random.next()) < x ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}

/**
 * A generator for a seed (any number; different integers give different sequences). Algorithm: xoshiro128** 1.1 by David
 * Blackman and Sebastiano Vigna (public domain, prng.di.unimi.it), period 2^128 - 1. SplitMix32 fills its state, as the
 * authors advise, so that 0 and neighbouring seeds are as good as any.
 */
export function createRandom(seed: number): Random {
  let filler = Math.trunc(seed) ^ Math.trunc(seed / 2 ** 32);
  const fill = (): number => {
    filler = (filler + 0x9e3779b9) | 0;
    let mixed = Math.imul(filler ^ (filler >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
  let a = fill();
  let b = fill();
  let c = fill();
  let d = fill();
  let spare: number | undefined;

  const next = (): number => {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result / 4_294_967_296;
  };

  return {
    next,
    below: (limit) => Math.floor(next() * limit),
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Box and Muller (1958); 1 - next() because 0 has no logarithm.
      const radius = Math.sqrt(-2 * Math.log(1 - next()));
      const angle = 2 * Math.PI * next();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
  };
}

/** The numbers from 0 to `count` - 1 in a random order. */
export function shuffledIndexes(count: number, random: Pick<Random, 'below'>): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = random.below(i + 1);
    // `!`: i and j are below `count`.
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

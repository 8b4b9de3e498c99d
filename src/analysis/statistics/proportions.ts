import { normalQuantile } from './distributions.ts';

/** A confidence interval. */
export interface Interval {
  low: number;
  high: number;
}

/** By level: the quantile is found by bisection, and a sweep computes thousands of intervals of one level. */
const standardScores = new Map<number, number>();

function standardScore(level: number): number {
  const known = standardScores.get(level) ?? normalQuantile(0.5 + level / 2);
  standardScores.set(level, known);
  return known;
}

/**
 * Wilson's score interval for a share: `hits` of `n`. Valid also at 0 and at n hits, unlike the normal approximation. E. B. Wilson, JASA 22
 * (1927). `level` is two-sided. Without any trial: 0 to 1.
 */
export function wilsonInterval(hits: number, n: number, level = 0.9): Interval {
  if (n === 0) return { low: 0, high: 1 };
  const z = standardScore(level);
  const share = hits / n;
  const centre = share + (z * z) / (2 * n);
  const spread = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  const scale = 1 + (z * z) / n;
  return {
    low: hits === 0 ? 0 : (centre - spread) / scale,
    high: hits === n ? 1 : (centre + spread) / scale,
  };
}

/**
 * Newcombe's interval for the difference of two independent shares, next - base: method 10, from two Wilson
 * intervals. R. G. Newcombe, Statistics in Medicine 17 (1998), 873-890.
 */
export function newcombeInterval(
  base: { hits: number; n: number },
  next: { hits: number; n: number },
  level = 0.9,
): Interval {
  if (base.n === 0 || next.n === 0) return { low: -1, high: 1 };
  const before = wilsonInterval(base.hits, base.n, level);
  const after = wilsonInterval(next.hits, next.n, level);
  const p = next.hits / next.n;
  const q = base.hits / base.n;
  return {
    low: p - q - Math.hypot(p - after.low, before.high - q),
    high: p - q + Math.hypot(after.high - p, q - before.low),
  };
}

import { normalCdf } from './distributions.ts';

/** Whether one of two samples tends to be larger, by ranks. Ignores drift, so it decides nothing. */
export interface MannWhitney {
  /** Pairs in which the new value is larger; an equal pair counts half. */
  u: number;
  /** P(new > base) + P(equal) / 2: 0.5 where neither tends to be larger. */
  superiority: number;
  /** Two-sided. */
  p: number;
  /** True where p was computed exactly, false where it is the normal approximation. */
  exact: boolean;
}

/** Up to this many values in the two samples together, without ties, p is exact. */
const EXACT_UP_TO = 40;

/**
 * The test of Mann and Whitney (1947). Exact for small samples without ties, else the normal approximation with
 * corrections for ties and for continuity. Infinite values are ranked like any other. Null where a sample is empty.
 */
export function mannWhitney(base: ArrayLike<number>, next: ArrayLike<number>): MannWhitney | null {
  const m = base.length;
  const n = next.length;
  if (m === 0 || n === 0) return null;
  const a = Float64Array.from(base).sort();
  const b = Float64Array.from(next).sort();
  // Both are sorted: for each new value, count the old ones below it and those equal to it.
  let u = 0;
  let below = 0;
  let upTo = 0;
  for (const value of b) {
    while (below < m && a[below]! < value) below += 1;
    while (upTo < m && a[upTo]! <= value) upTo += 1;
    u += below + (upTo - below) / 2;
  }
  const ties = tieSum(a, b);
  const superiority = u / (m * n);
  if (ties === 0 && m + n <= EXACT_UP_TO) return { u, superiority, p: exactP(u, m, n), exact: true };
  const total = m + n;
  const variance = ((m * n) / 12) * (total + 1 - ties / (total * (total - 1)));
  const distance = Math.max(0, Math.abs(u - (m * n) / 2) - 0.5);
  const p = variance > 0 ? Math.min(1, 2 * normalCdf(-distance / Math.sqrt(variance))) : 1;
  return { u, superiority, p, exact: false };
}

/** The sum of t^3 - t over groups of t equal values. */
function tieSum(a: Float64Array, b: Float64Array): number {
  const all = new Float64Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  all.sort();
  let sum = 0;
  for (let from = 0; from < all.length; ) {
    let to = from + 1;
    while (to < all.length && all[to] === all[from]) to += 1;
    const t = to - from;
    sum += t * t * t - t;
    from = to;
  }
  return sum;
}

/** Counts the orderings whose U is at least as far from its mean. */
function exactP(u: number, m: number, n: number): number {
  // ways[k]: orderings of the values so far in which the new ones beat k old ones. Each factor is a Gaussian binomial step.
  let ways = new Float64Array(m * n + 1);
  ways[0] = 1;
  for (let i = 1; i <= n; i++) {
    const wider = new Float64Array(m * n + 1);
    for (let k = 0; k <= m * n; k++) wider[k] = ways[k]! - (k >= m + i ? ways[k - m - i]! : 0);
    for (let k = i; k <= m * n; k++) wider[k]! += wider[k - i]!;
    ways = wider;
  }
  const extreme = Math.min(u, m * n - u);
  let tail = 0;
  let all = 0;
  for (const [k, count] of ways.entries()) {
    all += count;
    if (k <= extreme) tail += count;
  }
  return Math.min(1, (2 * tail) / all);
}

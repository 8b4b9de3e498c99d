/** The normal and Student's t distribution, to about ten digits. Called a few times per comparison: simple, not fast. */

/** P(Z <= z) of the standard normal. */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return Number.NaN;
  if (z < 0) return 1 - normalCdf(-z) < 1e-6 ? upperTail(-z) : 1 - normalCdf(-z);
  return z > 5 ? 1 - upperTail(z) : 0.5 + series(z);
}

// Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software 11 (4), 2004.
function series(z: number): number {
  let term = z;
  let sum = z;
  for (let i = 3; term > sum * 1e-17 && i < 1000; i += 2) {
    term *= (z * z) / i;
    sum += term;
  }
  return sum * density(z);
}

// The continued fraction of Mills' ratio: for far tails, where 1 - cdf would lose all digits.
function upperTail(z: number): number {
  if (z > 38) return 0;
  let ratio = z;
  for (let i = 60; i >= 1; i--) ratio = z + i / ratio;
  return density(z) / ratio;
}

function density(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
}

/** The quantile of the standard normal: P(Z <= result) = p, p from 0 to 1. */
export function normalQuantile(p: number): number {
  return quantile(p, normalCdf);
}

/** P(T <= t) of Student's distribution with `df` degrees of freedom (may be fractional; infinity gives the normal). */
export function studentCdf(t: number, df: number): number {
  if (!Number.isFinite(df) || df > 1e6) return normalCdf(t);
  if (t === Number.POSITIVE_INFINITY) return 1;
  if (t === Number.NEGATIVE_INFINITY) return 0;
  const tail = 0.5 * incompleteBeta(df / (df + t * t), df / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** The quantile of Student's distribution, p from 0 to 1. */
export function studentQuantile(p: number, df: number): number {
  return quantile(p, (t) => studentCdf(t, df));
}

// Bisection, after the lower bound was moved below the quantile.
function quantile(p: number, cdf: (x: number) => number): number {
  if (p <= 0) return Number.NEGATIVE_INFINITY;
  if (p >= 1) return Number.POSITIVE_INFINITY;
  if (p > 0.5) return -quantile(1 - p, cdf);
  let low = -1;
  while (cdf(low) > p && low > -1e12) low *= 2;
  let high = 0;
  for (let i = 0; i < 200 && high - low > 1e-12 * Math.max(1, -low); i++) {
    const middle = (low + high) / 2;
    if (cdf(middle) > p) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** The regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast only on this side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(a * Math.log(x) + b * Math.log(1 - x) - Math.log(a) - logBeta(a, b));
  const term = (n: number): number => {
    const m = Math.floor(n / 2);
    return n % 2 === 0
      ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
      : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
  };
  // Lentz's method, as modified by Thompson and Barnett.
  const tiny = 1e-300;
  let c = 1;
  let d = 0;
  let fraction = 1;
  for (let n = 1; n < 500; n++) {
    d = 1 + term(n) * d;
    d = 1 / (Math.abs(d) < tiny ? tiny : d);
    c = 1 + term(n) / c;
    if (Math.abs(c) < tiny) c = tiny;
    fraction *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return front / fraction;
}

let lastBeta = { low: Number.NaN, high: Number.NaN, log: Number.NaN };

/** The logarithm of the beta function. Keeps the last one: a t distribution asks for the same one at each value. */
function logBeta(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  if (lastBeta.low !== low || lastBeta.high !== high)
    lastBeta = { low, high, log: logGamma(low) + logGamma(high) - logGamma(low + high) };
  return lastBeta.log;
}

/** The logarithm of the gamma function for x > 0: Stirling's series, after shifting x up to where it is accurate. */
export function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += Math.log(z);
  const inverse = 1 / (z * z);
  const correction =
    (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1260 - inverse * (1 / 1680 - inverse / 1188)))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + correction - shift;
}

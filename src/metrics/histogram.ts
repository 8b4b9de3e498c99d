import {
  type Histogram as Buckets,
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
} from 'hdr-histogram-js';
import { UserError } from '../model/errors.ts';
import type { Unit } from '../model/format.ts';
import { rankOf } from './percentile.ts';

/**
 * The only user of hdr-histogram-js. Its buckets hold integers from 1 to 3.6e9 with three digits: 1 us to 1 h for times. The
 * library truncates fractions, records NaN as 0 and returns 0 if empty, so values are checked here. Exact figures are kept
 * separately.
 */

const LOWEST = 1;
const HIGHEST = 3_600_000_000;
const DIGITS = 3;

/** Bucket steps per unit: microseconds for times, thousandths for rates and ratios, ones for counts and bytes. */
const BUCKETS_PER_UNIT: Readonly<Record<Unit, number>> = {
  ms: 1000,
  '1/s': 1000,
  ratio: 1000,
  count: 1,
  bytes: 1,
};

/** A distribution in buckets: constant memory (185 KiB), values accurate to 0.1 %. */
export interface Histogram {
  readonly unit: Unit;
  readonly n: number;
  /** Exact, as are max and the sums; 0 while n is 0. */
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Values above the range, counted in the highest bucket. */
  readonly clamped: number;
  /** False, and nothing is recorded, for NaN, infinite and negative values. */
  add(value: number): boolean;
  /** Adds all values of another histogram. Throws a `RangeError` if the units differ. */
  merge(other: Histogram): void;
  /** The value at rank ceil(q n), accurate to 0.1 %; null when n is 0. */
  percentile(q: number): number | null;
  /** HdrHistogram V2, compressed, base64. */
  encode(): string;
}

/** The figures that cannot be restored exactly from buckets. */
export type ExactFigures = Pick<Histogram, 'min' | 'max' | 'sum' | 'sumOfSquares'>;

function newBuckets(): Buckets {
  return build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: LOWEST,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: DIGITS,
    useWebAssembly: false,
  });
}

function isRecordable(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

/** The bucket value: 0 stays 0, any other value is at least 1. */
function step(value: number, unit: Unit): number {
  const scaled = value * BUCKETS_PER_UNIT[unit];
  return scaled === 0 ? 0 : Math.min(HIGHEST, Math.max(LOWEST, Math.round(scaled)));
}

/** Methods of the library's histogram class that its interface does not declare. */
interface Counts {
  incrementCountAtIndex(index: number): void;
  incrementTotalCount(): void;
  updateMinAndMax(value: number): void;
}

/** Sub-buckets per half bucket, as a power of two, for three digits. */
const HALF_MAGNITUDE = 10;
const LARGEST_INT = 2 ** 31 - 1;

/**
 * The library's `recordValue` without its logarithm and its powers, which took a quarter of a report's time. HOT PATH: called
 * for every gap of every record.
 */
function record(buckets: Buckets, value: number): void {
  if (value > LARGEST_INT) {
    buckets.recordValue(value);
    return;
  }
  const bucket = Math.max(0, 31 - Math.clz32(value) - HALF_MAGNITUDE);
  const counts = buckets as unknown as Counts;
  counts.incrementCountAtIndex((bucket << HALF_MAGNITUDE) + (value >> bucket));
  counts.updateMinAndMax(value);
  counts.incrementTotalCount();
}

class HdrHistogram implements Histogram {
  readonly unit: Unit;
  readonly buckets: Buckets;
  n = 0;
  min = 0;
  max = 0;
  sum = 0;
  sumOfSquares = 0;
  clamped = 0;

  constructor(unit: Unit, buckets: Buckets) {
    this.unit = unit;
    this.buckets = buckets;
  }

  add(value: number): boolean {
    if (!isRecordable(value)) return false;
    if (value * BUCKETS_PER_UNIT[this.unit] > HIGHEST) this.clamped += 1;
    record(this.buckets, step(value, this.unit));
    this.min = this.n === 0 ? value : Math.min(this.min, value);
    this.max = Math.max(this.max, value);
    this.sum += value;
    this.sumOfSquares += value * value;
    this.n += 1;
    return true;
  }

  merge(other: Histogram): void {
    if (!(other instanceof HdrHistogram) || other.unit !== this.unit) {
      throw new RangeError(`a histogram in ${other.unit} cannot be merged into one in ${this.unit}`);
    }
    if (other.n === 0) return;
    this.buckets.add(other.buckets);
    this.min = this.n === 0 ? other.min : Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.sum += other.sum;
    this.sumOfSquares += other.sumOfSquares;
    this.clamped += other.clamped;
    this.n += other.n;
  }

  percentile(q: number): number | null {
    if (this.n === 0) return null;
    const rank = rankOf(q, this.n);
    if (rank === this.n) return this.max;
    // The library rounds percent * n to a rank: rank / n selects exactly this rank.
    const value = this.buckets.getValueAtPercentile((rank / this.n) * 100) / BUCKETS_PER_UNIT[this.unit];
    return Math.min(this.max, Math.max(this.min, value));
  }

  encode(): string {
    return encodeIntoCompressedBase64(this.buckets);
  }
}

/** An empty histogram. Takes 185 KiB: create at most one per metric and cell, never one per request. */
export function createHistogram(unit: Unit): Histogram {
  return new HdrHistogram(unit, newBuckets());
}

// Shared, as encoding is synchronous; created on first use, so that the import costs no memory.
let scratch: Buckets | undefined;

/** Encodes values as a histogram. Values that cannot be recorded are skipped. */
export function encodeValues(values: Iterable<number>, unit: Unit): string {
  scratch ??= newBuckets();
  scratch.reset();
  for (const value of values) {
    if (isRecordable(value)) record(scratch, step(value, unit));
  }
  return encodeIntoCompressedBase64(scratch);
}

/**
 * Decodes a histogram. The encoding does not include exact figures: pass `exact` if known, else they are derived from the
 * buckets (accurate to 0.1 %). Throws a `UserError` (`results_invalid`) for anything that `encode` did not write, because
 * adding buckets of another layout loses values silently.
 */
export function decodeHistogram(encoded: string, unit: Unit, exact?: ExactFigures): Histogram {
  const buckets = decodeBuckets(encoded);
  const histogram = new HdrHistogram(unit, buckets);
  histogram.n = buckets.totalCount;
  if (histogram.n > 0) {
    const scale = BUCKETS_PER_UNIT[unit];
    const mean = buckets.mean / scale;
    const sd = buckets.stdDeviation / scale;
    histogram.min = exact?.min ?? buckets.getValueAtPercentile(0) / scale;
    histogram.max = exact?.max ?? buckets.maxValue / scale;
    histogram.sum = exact?.sum ?? mean * histogram.n;
    histogram.sumOfSquares = exact?.sumOfSquares ?? (sd * sd + mean * mean) * histogram.n;
  }
  return histogram;
}

function decodeBuckets(encoded: string): Buckets {
  let buckets: Buckets;
  try {
    buckets = decodeFromCompressedBase64(encoded, 64, false);
  } catch {
    throw new UserError('results_invalid', {
      message: 'a histogram cannot be read: it is not an HdrHistogram in V2 compressed base64',
      hint: 'the report was truncated or changed; rebuild it from the run with: streambench report RUN -f json',
    });
  }
  if (buckets.highestTrackableValue !== HIGHEST || buckets.numberOfSignificantValueDigits !== DIGITS) {
    throw new UserError('results_invalid', {
      message: `a histogram has another layout (${buckets.numberOfSignificantValueDigits} digits up to ${buckets.highestTrackableValue})`,
      hint: `only histograms of ${DIGITS} digits up to ${HIGHEST} can be merged`,
    });
  }
  return buckets;
}

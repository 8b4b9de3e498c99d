import type { Knee } from '../../model/sweep.ts';

/**
 * The knee of a curve of throughput over load: V. Satopaa, J. Albrecht, D. Irwin, B. Raghavan, "Finding a 'Kneedle' in a
 * Haystack: Detecting Knee Points in System Behavior", ICDCS Workshops 2011. Both axes are scaled to 0..1, and the knee is where
 * the curve is furthest above the diagonal.
 */

/** One point of the curve. */
export interface CurvePoint {
  level: number;
  /** Requests or tokens per second. */
  throughput: number;
}

const LEAST_POINTS = 4;
/** A curve that is nowhere further above the diagonal is a line with noise. */
const LEAST_DISTANCE = 0.1;

/** The knee of the curve; null where it has none. `points` in order of the level. */
export function findKnee(points: readonly CurvePoint[]): Knee | null {
  const [first, last] = [points[0], points.at(-1)];
  if (points.length < LEAST_POINTS || first === undefined || last === undefined) return null;
  const values = points.map(({ throughput }) => throughput);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (most <= least) return null;
  const distances = points.map(
    ({ level, throughput }) =>
      (throughput - least) / (most - least) - (level - first.level) / (last.level - first.level),
  );
  const largest = Math.max(...distances);
  const knee = points[distances.indexOf(largest)];
  return knee === undefined || largest < LEAST_DISTANCE ? null : { level: knee.level, method: 'kneedle' };
}

/** A figure that is compared. */
export interface ComparedFigure {
  metric: string;
  /** A percentile (`p50`, `p99.9`) or `mean`. */
  statistic: string;
  /** By how much the sides may differ and still be equivalent, as a share. Default 0.1 for p50 and mean, 0.15 for others. */
  tolerance?: number;
}

/** The tolerance of a compared figure. */
export function toleranceOf({ statistic, tolerance }: ComparedFigure): number {
  return tolerance ?? (statistic === 'p50' || statistic === 'mean' ? 0.1 : 0.15);
}

/**
 * A histogram of very many values. The client libraries hash the labels of each value, which takes several microseconds; the gaps
 * of a run are up to 50,000 values per second.
 */
export class BucketCounter {
  /** Upper bounds, ascending and inclusive. */
  readonly bounds: readonly number[];
  /** Values by bucket: one more than there are bounds. */
  readonly counts: number[];
  sum = 0;
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** Adds values, each multiplied by `scale`. */
  addAll(values: ArrayLike<number>, scale: number): void {
    const { bounds, counts } = this;
    for (let i = 0; i < values.length; i++) {
      const value = (values[i] ?? 0) * scale;
      let low = 0;
      let high = bounds.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (value <= (bounds[middle] ?? 0)) high = middle;
        else low = middle + 1;
      }
      counts[low] = (counts[low] ?? 0) + 1;
      this.sum += value;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
    }
    this.count += values.length;
  }
}

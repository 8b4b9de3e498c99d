/** What a metric's values are measured in. Times are ms, rates are per second. */
export type Unit = 'ms' | '1/s' | 'count' | 'bytes' | 'ratio';

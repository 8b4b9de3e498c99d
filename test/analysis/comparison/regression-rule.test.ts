import { expect, test } from 'vitest';
import { toleranceOf } from '../../../src/analysis/comparison/regression-rule.ts';

test('the tolerance is 10 % for medians and means, 15 % for other percentiles, or the stated one', () => {
  const of = (statistic: string, tolerance?: number) => toleranceOf({ metric: 'ttft', statistic, tolerance });
  expect([of('p50'), of('mean'), of('p95'), of('p99.9'), of('p50', 0.3), of('p95', 0)]).toEqual([
    ...[0.1, 0.1, 0.15, 0.15, 0.3, 0],
  ]);
});

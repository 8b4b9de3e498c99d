import { describe, expect, test } from 'vitest';
import { detectableWith, timesFor } from '../../../src/analysis/regression/planning.ts';

const check = (history: number[], sampling: number) => ({
  series: { history, sampling: { history: sampling, next: sampling }, assumedSpread: 0.05 },
  tolerance: 0.02,
  level: 0.05,
});

describe('what a check can detect', () => {
  test('with one accepted run, by hand: (1.645 + 0.842) sqrt(2 (0.05² + 0.0025))', () => {
    expect(detectableWith(check([0], 0.0025), 1)).toBeCloseTo(2.4865 * Math.sqrt(2 * 0.005), 3);
    // With very many requests the spread between runs remains.
    expect(detectableWith(check([0], 0.0025), 1e9)).toBeCloseTo(2.4865 * Math.sqrt(2 * 0.0025), 3);
  });

  test('is less with more requests, and with a measured spread that is small', () => {
    const restless = [0.03, -0.03, 0.02, -0.02, 0.01, -0.01];
    expect(detectableWith(check(restless, 1e-4), 4)).toBeLessThan(detectableWith(check(restless, 1e-4), 1));
    expect(detectableWith(check([0, 0.001, -0.001, 0, 0], 0), 1)).toBeLessThan(0.03);
  });

  test('the number of requests for a change is the one that detects it', () => {
    const one = check([0], 0.04);
    const times = timesFor(one, 0.25)!;
    expect(detectableWith(one, times)).toBeCloseTo(0.25, 4);
  });

  test('no number of requests detects less than runs differ by', () => {
    expect(timesFor(check([0], 0.01), 0.1)).toBeNull();
  });
});

import { describe, expect, test } from 'vitest';
import { mediansOf } from '../../../src/analysis/streaming/stream-medians.ts';
import { pairResult } from '../../../src/analysis/streaming/streaming-verdict.ts';
import { figures } from './figures.ts';

/** Ten streams without any spread that begin and end at these times; the whole answer takes 1000 ms. */
function result(begunMs: number, latencyMs: number, n = 10, whole = 10, spread = 0) {
  const usual = mediansOf(Array.from({ length: n }, () => figures({ begunMs, latencyMs })));
  return pairResult({ ...usual, spread }, { totalMs: 1000, n: whole });
}

// Without a spread the error is 0.03 (logarithm).
describe('against a whole answer of 1 s', () => {
  test('a stream that begins well before it is sent as it is made', () => {
    // 0.75 less two errors: exp(-0.06) * 750 = 706 ms.
    expect(result(706, 720)).toBe('before');
    expect(result(707, 720)).toBe('open');
  });

  test('one that ends when it began is not resolved: three errors', () => {
    // exp(0.09) = 1.094.
    expect(result(1000, 1094)).toBe('open');
    expect(result(1000, 1095)).toBe('after');
  });

  test('one that begins when it is there, and ends later, came after it', () => {
    expect(result(1000, 2000)).toBe('after');
    // It may begin exp(-0.08 - 0.06) = 0.869 before.
    expect(result(870, 2000)).toBe('after');
    expect(result(869, 2000)).toBe('open');
    // Its end must be two errors further from the whole answer than its beginning.
    expect(result(1100, 2000)).toBe('after');
    expect(result(900, 1200)).toBe('after');
    expect(result(900, 1150)).toBe('open');
  });

  test('one that ends when it is there, and begins earlier, came before it', () => {
    expect(result(800, 1000)).toBe('before');
    expect(result(900, 1000)).toBe('before');
    expect(result(930, 1030)).toBe('open');
    expect(result(800, 1250)).toBe('open');
  });

  test('the spread of few streams makes an error', () => {
    // 1.25 * 0.2 * sqrt(1/10 + 1/10) * 1.2 = 0.134: 0.75 less two errors is 574 ms.
    expect(result(573, 1000, 10, 10, 0.2)).toBe('before');
    expect(result(575, 600, 10, 10, 0.2)).toBe('open');
    // 1.25 * 0.2 * sqrt(1/40 + 1/10) * 1.05 = 0.0928: 623 ms.
    expect(result(622, 1000, 40, 10, 0.2)).toBe('before');
    expect(result(624, 630, 40, 10, 0.2)).toBe('open');
    expect(result(575, 580, 10, 40, 0.2)).toBe('before');
  });
});

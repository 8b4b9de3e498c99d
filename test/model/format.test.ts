import { describe, expect, test } from 'vitest';
import {
  formatChange,
  formatCount,
  formatDuration,
  formatFineTime,
  formatNumber,
  formatPair,
  formatPoints,
  formatShare,
  formatSizeLimit,
  formatSpeedup,
  formatTimeLimit,
  formatValue,
} from '../../src/model/format.ts';

describe('values', () => {
  test.each([
    [0, '0 ms'],
    [0.004, '<0.01 ms'],
    [0.996, '1.0 ms'],
    [0.42, '0.42 ms'],
    [4.24, '4.2 ms'],
    [9.96, '10 ms'],
    [182.4, '182 ms'],
    [9999.4, '9999 ms'],
    [9999.6, '10.0 s'],
    [15_640, '15.6 s'],
    [99_960, '100 s'],
    [3_600_000, '3600 s'],
  ])('%d ms', (ms, text) => {
    expect(formatValue(ms, 'ms')).toBe(text);
  });

  test('rates, counts, shares and bytes', () => {
    expect(formatValue(0.5, '1/s')).toBe('0.50/s');
    expect(formatNumber(54.4)).toBe('54');
    expect(formatValue(1.5, 'count')).toBe('1.5');
    expect(formatValue(0.25, 'ratio')).toBe('25 %');
    expect(formatValue(999, 'bytes')).toBe('999 B');
    expect(formatValue(1234, 'bytes')).toBe('1.2 kB');
    expect(formatValue(999_700, 'bytes')).toBe('1.0 MB');
    expect(formatShare(0.004)).toBe('0.4 %');
    expect(formatShare(0.354)).toBe('35 %');
    expect(formatShare(0)).toBe('0 %');
  });

  test('a missing value is a dash, never 0', () => {
    expect(formatValue(null, 'ms')).toBe('—');
    expect(formatValue(undefined, 'bytes')).toBe('—');
    expect(formatPair(null, null, 'ms')).toBe('—');
    expect(formatPair(12, null, 'ms')).toBe('12 ms / —');
  });

  test('counts are grouped from five digits on, by a space that does not break', () => {
    expect(formatCount(9999)).toBe('9999');
    expect(formatCount(1_234_567)).toBe('1\u202f234\u202f567');
  });

  test('pairs have their unit once, or twice if it differs', () => {
    expect(formatPair(182, 240, 'ms')).toBe('182 / 240 ms');
    expect(formatPair(980, 12_100, 'ms')).toBe('980 ms / 12.1 s');
    expect(formatPair(54, 60, '1/s')).toBe('54 / 60/s');
    expect(formatPair(0.25, 0.3, 'ratio')).toBe('25 / 30 %');
  });
});

test('a negative value has a minus sign in front of its digits', () => {
  expect(formatValue(-182, 'ms')).toBe('−182 ms');
  expect(formatValue(-0.015, 'ratio')).toBe('−1.5 %');
  expect(formatNumber(-0.42)).toBe('−0.42');
});

test('elapsed time', () => {
  expect([400, 42_000, 59_600, 192_000, 3_599_600, 3_840_000].map(formatDuration)).toEqual([
    '0.4 s',
    '42 s',
    '1 min 0 s',
    '3 min 12 s',
    '1 h 0 min',
    '1 h 4 min',
  ]);
});

test('how many times faster', () => {
  expect([46.3, 4.87, 1.12, 1.02, 0.5, null].map(formatSpeedup)).toEqual([
    '46x faster',
    '4.9x faster',
    '1.12x faster',
    'the same',
    '2.0x slower',
    '—',
  ]);
});

test('changes and differences between runs', () => {
  expect([1.12, 1.034, 1, 0.95, 0].map(formatChange)).toEqual(['+12 %', '+3.4 %', '0 %', '−5.0 %', '−100 %']);
  expect([0.015, -0.002, 0.0001, 0].map(formatPoints)).toEqual(['+1.5', '−0.2', '0', '0']);
});

test('a configured limit is not rounded', () => {
  expect([500, 1000, 1500, 60_000].map(formatTimeLimit)).toEqual(['500 ms', '1 s', '1.5 s', '60 s']);
  expect([200, 64_000, 16_000_000, 16 * 2 ** 20, 2 ** 50].map(formatSizeLimit)).toEqual([
    '200 B',
    '64 kB',
    '16 MB',
    '16 MiB',
    '1024 TiB',
  ]);
});

test('times below a millisecond in their own unit', () => {
  expect([0.000_052, 0.01, 0.1, 1, 100, 10_000].map(formatFineTime)).toEqual([
    '52 ns',
    '10 µs',
    '100 µs',
    '1 ms',
    '100 ms',
    '10 s',
  ]);
});

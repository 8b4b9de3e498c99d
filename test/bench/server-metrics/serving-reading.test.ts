import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ENGINES } from '../../../src/bench/server-metrics/engines.ts';
import { parseReading } from '../../../src/bench/server-metrics/server-reading.ts';
import { servingPeriod } from '../../../src/bench/server-metrics/serving-reading.ts';
import { percentileEstimate, servingReport } from '../../../src/metrics/serving-report.ts';
import type { ServingReading } from '../../../src/model/load-report.ts';

const textOf = (name: string) =>
  readFileSync(join(import.meta.dirname, 'expositions', `${name}.txt`), 'utf8');
const readingOf = (name: string) => parseReading(textOf(name))?.serving;

describe('the metrics of an inference server', () => {
  test('vLLM: summed over its engines, the fullest KV cache', () => {
    expect(parseReading(textOf('vllm'))?.memoryBytes).toBe(1024 ** 3);
    expect(readingOf('vllm')).toEqual({
      engine: 'vLLM',
      queue: 2,
      running: 8,
      kvCache: 0.5,
      prefixCache: { hits: 450, lookups: 1500 },
      ttft: { boundsMs: [1, 100, 250], counts: [0, 6, 8, 1], sumMs: 2500 },
    });
  });

  test('vLLM before 0.10 has other names for its caches', () => {
    const old = textOf('vllm')
      .replaceAll('vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc')
      .replaceAll('vllm:prefix_cache', 'vllm:gpu_prefix_cache');
    expect(parseReading(old)?.serving).toEqual(readingOf('vllm'));
  });

  test('SGLang: ranks of one group count once, sources of the cache add up', () => {
    expect(readingOf('sglang')).toEqual({
      engine: 'SGLang',
      queue: 2826,
      running: 162,
      kvCache: 0.28,
      prefixCache: { hits: 102_902, lookups: 8_128_902 },
      ttft: { boundsMs: [100, 400], counts: [1, 8, 1], sumMs: 4500 },
    });
  });

  test('TGI and llama.cpp have no time to first token', () => {
    const none = { prefixCache: null, ttft: null };
    expect(readingOf('tgi')).toEqual({ engine: 'TGI', queue: 7, running: 4, kvCache: null, ...none });
    expect(readingOf('llamacpp')).toEqual({
      ...{ engine: 'llama.cpp', queue: 1, running: 3, kvCache: 0.42 },
      ...none,
    });
    const newer = textOf('llamacpp').replace(/^llamacpp:kv_cache.*$/m, '');
    expect(parseReading(newer)?.serving).toMatchObject({ queue: 1, kvCache: null });
  });

  test('Triton: the model that generates, not its ensemble; milliseconds', () => {
    expect(readingOf('triton')).toEqual({
      engine: 'Triton',
      queue: 6,
      running: 12,
      kvCache: 0.4875,
      prefixCache: null,
      ttft: { boundsMs: [100, 500], counts: [1, 3, 0], sumMs: 900 },
    });
  });

  test('every exposition is recognised as one server only, and others as none', () => {
    expect(ENGINES.map(({ name }) => name)).toEqual([
      ...['vLLM', 'SGLang', 'TGI', 'llama.cpp', 'Triton', 'TensorRT-LLM'],
    ]);
    expect(parseReading('other:num_requests_waiting 3\n')).toBeNull();
    expect(parseReading('process_open_fds 3\n')?.serving).toBeUndefined();
    expect(parseReading('vllm:num_requests_waiting NaN\n')).toBeNull();
  });
});

const reading = (more: Partial<ServingReading> = {}): ServingReading => ({
  engine: 'vLLM',
  queue: 0,
  running: 0,
  kvCache: 0,
  prefixCache: { hits: 100, lookups: 1000 },
  ttft: { boundsMs: [100, 200], counts: [5, 5, 5], sumMs: 1000 },
  ...more,
});

describe('a period', () => {
  test('has the mean and maximum of its readings, and what was added to counters', () => {
    const period = servingPeriod();
    period.add(reading({ queue: 1, kvCache: 0.2 }));
    period.add(reading({ queue: 5, kvCache: 0.4, running: 3 }));
    period.add(
      reading({
        prefixCache: { hits: 160, lookups: 1100 },
        ttft: { boundsMs: [100, 200], counts: [5, 15, 6], sumMs: 2750 },
      }),
    );
    const summary = period.summary();
    const report = servingReport(summary === undefined ? [] : [summary, summary]);
    expect(report).toMatchObject({
      engine: 'vLLM',
      queue: { mean: 2, max: 5 },
      running: { mean: 1, max: 3 },
      kvCache: { mean: 0.2, max: 0.4 },
      prefixCacheHits: 0.6,
      ttft: { n: 22, meanMs: 159.090909 },
    });
    // 20 values between 100 and 200, then 2 in the last bucket, which has no upper bound.
    expect(report?.ttft?.p50).toEqual({ value: 155, low: 100, high: 200 });
    expect(report?.ttft?.p99).toEqual({ value: 200, low: 200, high: null });
  });

  test('readings at its edges count only where there are no others', () => {
    const period = servingPeriod();
    period.add(reading({ queue: 0 }), true);
    period.add(reading({ queue: 4 }));
    period.add(reading({ queue: 0 }), true);
    expect(period.summary()?.queue).toEqual({ readings: 1, sum: 4, max: 4 });
    const short = servingPeriod();
    short.add(reading({ queue: 2 }), true);
    short.add(reading({ queue: 0 }), true);
    expect(short.summary()?.queue).toEqual({ readings: 2, sum: 2, max: 2 });
  });

  test('a histogram that appears with its first value starts at zero', () => {
    const period = servingPeriod();
    period.add(reading({ ttft: null, prefixCache: null }));
    period.add(reading());
    expect(period.summary()).toMatchObject({ ttft: { counts: [5, 5, 5] }, prefixCache: { lookups: 1000 } });
  });

  test('a restart of the server leaves no difference, never a negative one', () => {
    const period = servingPeriod();
    period.add(reading());
    period.add(
      reading({
        prefixCache: { hits: 0, lookups: 10 },
        ttft: { boundsMs: [100, 200], counts: [9, 0, 0], sumMs: 10 },
      }),
    );
    expect(period.summary()).toMatchObject({ ttft: null, prefixCache: null });
  });

  test('without first tokens there is no percentile', () => {
    const period = servingPeriod();
    period.add(reading());
    period.add(reading());
    const summary = period.summary();
    expect(servingReport(summary === undefined ? [] : [summary])).toMatchObject({
      ttft: null,
      prefixCacheHits: null,
    });
    expect(servingReport([])).toBeUndefined();
  });
});

test('a percentile is in the bucket that holds its rank', () => {
  const histogram = { boundsMs: [10, 20, 40], counts: [50, 45, 5, 0], sumMs: 0 };
  // Rank ceil(q n): 50 is the last value of the first bucket.
  expect(percentileEstimate(histogram, 0.5)).toEqual({ value: 10, low: 0, high: 10 });
  expect(percentileEstimate(histogram, 0.95)).toEqual({ value: 20, low: 10, high: 20 });
  expect(percentileEstimate(histogram, 0.96)).toEqual({ value: 24, low: 20, high: 40 });
});

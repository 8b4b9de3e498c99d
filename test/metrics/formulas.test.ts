import { describe, expect, test } from 'vitest';
import {
  between,
  cachedShare,
  contentSpanMs,
  hiddenReasoning,
  msPerToken,
  outputRate,
} from '../../src/metrics/formulas.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import { record } from './records.ts';

const marks = record().marks;
const tokensOf = (tokens: Partial<RequestRecord['tokens']>) =>
  record({ tokens: { output: 10, source: 'usage', first: 2, ...tokens } });

test('between two marks: null if either is missing or null', () => {
  expect(between(5, 7)).toBe(2);
  expect(between(undefined, 7)).toBeNull();
  expect(between(5, undefined)).toBeNull();
  expect(between(5, null as unknown as number)).toBeNull();
});

describe('rates need a span of at least 1 ms', () => {
  const spanning = (ms: number) => record({ marks: { ...marks, lastToken: marks.firstToken! + ms } });

  test('exactly 1 ms is enough', () => {
    expect(contentSpanMs(spanning(1))).toBe(1);
    expect(contentSpanMs(spanning(0.999))).toBeNull();
    // Eight tokens after the first read.
    expect(msPerToken(spanning(1))).toBe(1 / 8);
    expect(msPerToken(spanning(0.999))).toBeNull();
    const sent = (ms: number) => record({ marks: { ...marks, lastToken: marks.sent! + ms } });
    expect(outputRate(sent(1))).toBe(10_000);
    expect(outputRate(sent(0.999))).toBeNull();
  });

  test('null without content or without a count', () => {
    const { firstToken: _, lastToken: _l, ...silent } = marks;
    expect(contentSpanMs(record({ marks: silent }))).toBeNull();
    expect(msPerToken(record({ marks: silent }))).toBeNull();
    expect(outputRate(record({ marks: silent }))).toBeNull();
    expect(msPerToken(tokensOf({ output: null }))).toBeNull();
    expect(outputRate(tokensOf({ output: null }))).toBeNull();
  });
});

test('hidden reasoning is known only if the provider counts it', () => {
  expect(hiddenReasoning(tokensOf({ reasoning: 4 }))).toBe(4);
  expect(hiddenReasoning(tokensOf({ reasoning: 4, source: 'chunks' }))).toBeNull();
  expect(hiddenReasoning(tokensOf({ reasoning: 4, source: 'chunks', hiddenReasoning: 3 }))).toBe(3);
  expect(hiddenReasoning(tokensOf({}))).toBeNull();
});

test('the cached share: 1 if everything is cached, null without input', () => {
  expect(cachedShare(tokensOf({ input: 8, cachedInput: 2 }))).toBe(0.25);
  expect(cachedShare(tokensOf({ input: 8, cachedInput: 8 }))).toBe(1);
  expect(cachedShare(tokensOf({ input: 8, cachedInput: 9 }))).toBeNull();
  expect(cachedShare(tokensOf({ input: 8 }))).toBeNull();
  expect(cachedShare(tokensOf({ cachedInput: 2 }))).toBeNull();
  expect(cachedShare(tokensOf({ input: 0, cachedInput: 0 }))).toBeNull();
});

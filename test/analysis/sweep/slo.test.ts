import { describe, expect, test } from 'vitest';
import { appliesTo, parseSlo, parseSlos, requestLimits } from '../../../src/analysis/sweep/slo.ts';
import type { UserError } from '../../../src/model/errors.ts';

function problemOf(text: string) {
  try {
    parseSlo(text);
  } catch (error) {
    return (error as UserError).problems[0];
  }
  throw new Error(`${text} was accepted`);
}

describe('an objective of a sweep', () => {
  test.each([
    ['ttft.p95 < 800ms', 'percentile', 0.05],
    ['ttft.p50 <= 1s', 'percentile', 0.5],
    ['token_rate.p10 > 20', 'percentile', 0.1],
    ['gap.p99 < 200ms', 'percentile', 0.01],
    ['total.mean < 5s', 'mean', 0],
    ['errors.rate < 1%', 'share', 0.01],
    ['stalls.rate < 5%', 'share', 0.05],
    ['goodput.rate > 95%', 'share', 0.05],
  ])('%s', (text, kind, allowed) => {
    const slo = parseSlo(text);
    expect(slo.kind).toBe(kind);
    expect(slo.allowed).toBeCloseTo(allowed, 9);
  });

  test.each([
    ['ttft.p95 > 800ms', /becomes higher with the load/, 'write: ttft.p95 < LIMIT'],
    ['token_rate.p50 < 20', /becomes lower with the load/, 'write: token_rate.p50 > LIMIT'],
    ['goodput.rate < 5%', /becomes lower with the load/, 'write: goodput.rate > LIMIT'],
    ['throughput.requests > 5', /becomes higher with the load/, 'goodput.rate > 95%'],
    ['goodput > 5', /becomes higher with the load/, 'goodput.rate > 95%'],
    ['ttft.max < 1s', /cannot decide "ttft.max"/, 'ttft.p95'],
    ['errors.count < 3', /cannot decide "errors.count"/, 'errors.rate'],
    ['streaming.verdict == streaming', /a limit of a sweep is < or >/, 'ttft.p95'],
    ['capacity.concurrency >= 4', /cannot decide "capacity.concurrency"/, 'ttft.p95'],
    ['ttft.p95{concurrency=4} < 1s', /chooses the concurrency itself \(column 22\)/, 'omit the label'],
    ['ttft.p95{vs=a} < 1s', /vs has no meaning/, 'omit vs'],
    ['ttft.p95{cache=hit} < 1s', /cache hits and misses/, 'omit'],
  ])('%s is refused with a remedy', (text, message, hint) => {
    const problem = problemOf(text);
    expect(problem?.message).toMatch(message);
    expect(problem?.hint).toContain(hint);
    expect(problem?.place?.file).toBe(text);
  });

  test('errors are limited where nobody limits them', () => {
    const expressions = (texts: string[]) => parseSlos(texts).map(({ threshold }) => threshold.expression);
    expect(expressions(['ttft.p95 < 1s'])).toEqual(['ttft.p95 < 1s', 'errors.rate < 1%']);
    expect(expressions(['errors.rate < 5%', 'ttft.p95 < 1s'])).toEqual(['errors.rate < 5%', 'ttft.p95 < 1s']);
  });

  test('applies where its labels and its mode say', () => {
    const subject = { target: 'a', prompt: 'p', mode: 'streaming' } as const;
    expect(appliesTo(parseSlo('ttft.p95{target=a} < 1s'), subject)).toBe(true);
    expect(appliesTo(parseSlo('ttft.p95{target=b} < 1s'), subject)).toBe(false);
    expect(appliesTo(parseSlo('ttft.p95{target!=b, prompt=p} < 1s'), subject)).toBe(true);
    expect(appliesTo(parseSlo('gap.p95 < 1s'), { ...subject, mode: 'non-streaming' })).toBe(false);
  });

  test('gives limits for single requests, the widest of each metric', () => {
    expect(
      requestLimits(['ttft.p50 < 300ms', 'ttft.p99 <= 1m30s', 'errors.rate < 1%', 'token_rate.p10 > 20/s']),
    ).toEqual(['ttft <= 1m30s', 'token_rate > 20/s']);
    expect(requestLimits(['ttft.p95{target=a} < 1s', 'total.mean < 3s'])).toEqual([]);
  });
});

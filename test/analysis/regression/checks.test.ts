import { describe, expect, test } from 'vitest';
import { defaultChecks, parseCheck, parseChecks } from '../../../src/analysis/regression/checks.ts';
import { acceptedCell, acceptedRun } from './accepted.ts';

describe('a check', () => {
  test.each<[string, Partial<ReturnType<typeof parseCheck>>]>([
    ['ttft.p50', { figure: 'ttft.p50', tolerance: 0.1, floor: 5, quantile: 0.5, better: 'lower' }],
    ['ttft.p95', { tolerance: 0.15, quantile: 0.95 }],
    ['ttft.p99.9: 20%', { statistic: 'p99.9', tolerance: 0.2 }],
    ['ttfa.mean: 7.5 %', { metric: 'ttfa', statistic: 'mean', tolerance: 0.075, quantile: undefined }],
    ['total.p50: 10% and 20ms', { tolerance: 0.1, floor: 20 }],
    ['token_rate.p50', { unit: '1/s', better: 'higher', floor: 0 }],
    ['errors.rate: 2%', { kind: 'errors', tolerance: 0.02 }],
    ['goodput', { kind: 'goodput', better: 'higher', tolerance: 0.1 }],
    ['goodput.rate', { kind: 'goodput-rate', tolerance: 0.01 }],
  ])('%s is read', (text, expected) => {
    expect(parseCheck(text)).toMatchObject(expected);
  });

  test.each<[string, RegExp]>([
    ['', /expected a figure, found the end/],
    ['tftt.p50', /unknown figure "tftt\.p50"[\s\S]*did you mean "ttft"/],
    ['ttft', /does not name a percentile or the mean[\s\S]*ttft\.p50/],
    ['ttft.max', /does not name a percentile/],
    ['ttft.p50 < 1s', /expected ":", found "< 1s"/],
    ['ttft.p50: 10ms', /unknown unit "ms"/],
    ['ttft.p50: 10', /means 1000 %[\s\S]*ttft\.p50: 10%/],
    ['ttft.p50: 0%', /a tolerance of 0/],
    ['ttft.p50:', /write: ttft\.p50: 10%/],
    ['ttft.p50: 10% and 5', /write: ttft\.p50: 10% and 20ms/],
    ['token_rate.p50: 10% and 5ms', /has no floor: it is not a time/],
    ['output_tokens.p50', /cannot be a regression check: neither direction is better/],
    ['stalls.mean', /it is not a time or a rate[\s\S]*threshold/],
  ])('%j is an error that says what would be valid', (text, message) => {
    expect(() => parseCheck(text)).toThrow(message);
  });

  test('that is listed twice is an error', () => {
    expect(() => parseChecks(['ttft.p50', 'ttft.p50: 20%'])).toThrow(/"ttft\.p50" is checked twice/);
  });
});

describe('the default checks', () => {
  test('of streams that are cut as planned leave out the time of the whole answer', () => {
    const run = acceptedRun();
    const { scenario } = run.manifest;
    const endless = {
      ...run,
      manifest: { ...run.manifest, scenario: { ...scenario, document: { for: '30s' } } },
    };
    const names = (runs: (typeof run)[]) => defaultChecks(runs).map(({ figure }) => figure);
    expect(names([endless])).toEqual(['ttft.p50', 'ttft.mean', 'ttft.p95', 'gap.p95', 'errors.rate']);
    expect(names([endless, run])).toContain('total.p50');
  });

  const figures = (reasoned: number, failed = 0) =>
    defaultChecks([acceptedRun({ cells: [acceptedCell({}, { reasoned, failed })] })]).map(
      ({ figure }) => figure,
    );

  test('begin with the first token, or with the answer where models reason, and have the mean', () => {
    expect(figures(0)[0]).toBe('ttft.p50');
    expect(figures(99)[0]).toBe('ttft.p50');
    expect(figures(100).slice(0, 2)).toEqual(['ttfa.p50', 'ttfa.mean']);
    expect(figures(50, 120)[0]).toBe('ttfa.p50');
    for (const list of [figures(0), figures(200)])
      expect(list).toEqual(expect.arrayContaining(['total.mean', 'errors.rate', 'gap.p95']));
  });

  test('are those of the first token where only some of the runs reasoned', () => {
    const [reasoning, plain] = [200, 0].map((reasoned) =>
      acceptedRun({ cells: [acceptedCell({}, { reasoned })] }),
    );
    expect(defaultChecks([reasoning!, plain!])[0]!.figure).toBe('ttft.p50');
  });
});

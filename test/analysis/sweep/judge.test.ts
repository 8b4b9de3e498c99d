import { describe, expect, test } from 'vitest';
import { judge, type MeasuredValues } from '../../../src/analysis/sweep/judge.ts';
import { parseSlo, parseSlos } from '../../../src/analysis/sweep/slo.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';

const SLO = parseSlo('ttft.p95 < 100ms');
const values = (...numbers: number[]): MeasuredValues => numbers.map((value) => [value]);
const repeated = (n: number, value: number) => Array.from({ length: n }, () => value);

describe('a percentile', () => {
  test('is decided by the interval, not by the point estimate', () => {
    // 95 % below the limit with 20 requests: the point estimate meets it, nothing is shown.
    const few = judge(SLO, [values(...repeated(19, 50), 200)]);
    expect(few).toMatchObject({ verdict: 'unclear', leaning: 'met', value: 50, n: 20 });
    expect(judge(SLO, [values(...repeated(72, 50))])).toMatchObject({ verdict: 'unclear' });
    expect(judge(SLO, [values(...repeated(80, 50))])).toMatchObject({ verdict: 'met', value: 50, high: 50 });
    expect(judge(SLO, [values(...repeated(30, 50), ...repeated(10, 200))])).toMatchObject({
      verdict: 'broken',
      leaning: 'broken',
      value: 200,
      low: 200,
    });
  });

  test('has the interval that would just decide: a limit above it is met, one below it is broken', () => {
    // Spread evenly, so that all batches are alike and the values count as independent.
    const sample = values(...Array.from({ length: 400 }, (_, index) => ((index * 37) % 400) / 4));
    const { low, high, value } = judge(SLO, [sample]);
    expect(low!).toBeLessThan(value!);
    expect(high!).toBeGreaterThan(value!);
    const at = (limit: number) => judge(parseSlo(`ttft.p95 < ${limit.toFixed(6)}ms`), [sample]).verdict;
    expect([at(high! + 0.001), at(high! - 0.001)]).toEqual(['met', 'unclear']);
    expect([at(low! + 0.001), at(low! - 0.001)]).toEqual(['unclear', 'broken']);
  });

  test('without a value decides nothing', () => {
    expect(judge(SLO, [])).toMatchObject({ verdict: 'unclear', value: null, low: null, high: null, n: 0 });
    expect(judge(SLO, [[[], []]])).toMatchObject({ verdict: 'unclear', leaning: 'broken', value: null });
  });

  test('a lower limit counts from the other side', () => {
    const slo = parseSlo('token_rate.p10 > 20');
    expect(judge(slo, [values(...repeated(80, 30))]).verdict).toBe('met');
    expect(judge(slo, [values(...repeated(50, 30), ...repeated(30, 10))]).verdict).toBe('broken');
  });

  test('correlated values count for less', () => {
    // 12 of 400 are late: one in 33 by chance would be met; all in one queue say little about the share.
    const spread = values(...Array.from({ length: 400 }, (_, index) => (index % 33 === 0 ? 200 : 50)));
    const burst = values(
      ...Array.from({ length: 400 }, (_, index) => (index >= 100 && index < 113 ? 200 : 50)),
    );
    expect(judge(SLO, [spread]).verdict).toBe('unclear');
    expect(judge(SLO, [spread, spread]).verdict).toBe('met');
    expect(judge(SLO, [burst, burst]).verdict).toBe('unclear');
    // A difference between measurements counts too.
    const calm = values(...repeated(400, 50));
    expect(judge(SLO, [calm, values(...repeated(350, 50), ...repeated(50, 200))]).verdict).toBe('unclear');
  });

  test('is rarely wrong where the true share is at the limit', () => {
    // 5 % late, exactly what the objective allows: each decision is an error.
    let decided = 0;
    for (let seed = 1; seed <= 1000; seed++) {
      const random = createRandom(seed);
      const draw = () => values(...Array.from({ length: 200 }, () => (random.next() < 0.05 ? 200 : 50)));
      if (judge(SLO, [draw(), draw()]).verdict !== 'unclear') decided += 1;
    }
    expect(decided).toBeLessThan(70);
  });
});

describe('a share and a mean', () => {
  test('errors are decided by their interval, or, if nobody limits them, only when they are shown', () => {
    const [stated] = parseSlos(['errors.rate < 1%']);
    const implied = parseSlos(['ttft.p95 < 1s']).at(-1)!;
    expect(implied.isImplied).toBe(true);
    const clean = values(...repeated(100, 0));
    expect([judge(stated!, [clean]).verdict, judge(implied, [clean]).verdict]).toEqual(['unclear', 'met']);
    const one = values(...repeated(50, 0), 1);
    expect([judge(stated!, [one]).leaning, judge(implied, [one]).leaning]).toEqual(['broken', 'met']);
    const many = values(...repeated(50, 0), ...repeated(20, 1));
    expect([judge(stated!, [many]).verdict, judge(implied, [many]).verdict]).toEqual(['broken', 'broken']);
    expect(judge(stated!, [values(...repeated(500, 0))])).toMatchObject({ verdict: 'met', value: 0, low: 0 });
  });

  test('goodput counts good requests', () => {
    const slo = parseSlo('goodput.rate > 90%');
    const finding = judge(slo, [values(...repeated(49, 0), 1, ...repeated(49, 0), 1)]);
    expect(finding).toMatchObject({ verdict: 'met', value: 0.98, unit: 'ratio' });
    expect(finding.low!).toBeLessThan(0.98);
    expect(finding.high!).toBeGreaterThan(0.98);
  });

  test('a mean has an interval out of batches, and none from a few requests', () => {
    const slo = parseSlo('ttft.mean < 100ms');
    expect(judge(slo, [values(...repeated(10, 50))])).toMatchObject({ verdict: 'unclear', low: null });
    const random = createRandom(3);
    const sample = (mean: number) =>
      values(...Array.from({ length: 100 }, () => mean + 20 * random.normal()));
    expect(judge(slo, [sample(80)]).verdict).toBe('met');
    expect(judge(slo, [sample(120)]).verdict).toBe('broken');
    expect(judge(slo, [sample(100.5)]).verdict).toBe('unclear');
  });
});

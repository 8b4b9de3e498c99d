import { describe, expect, test } from 'vitest';
import { metric } from '../../src/metrics/definitions.ts';
import { holds, meets, type Objective, type Operator } from '../../src/metrics/objective-check.ts';
import { record } from './records.ts';

describe('an operator', () => {
  test.each<[Operator, boolean, boolean, boolean]>([
    ['<', true, false, false],
    ['<=', true, true, false],
    ['>', false, false, true],
    ['>=', false, true, true],
    ['==', false, true, false],
    ['!=', true, false, true],
  ])('%s holds below, at and above the limit: %s, %s, %s', (operator, below, at, above) => {
    expect([4, 5, 6].map((value) => holds(value, operator, 5))).toEqual([below, at, above]);
  });

  test('compares words', () => {
    expect(holds('streaming', '==', 'streaming')).toBe(true);
    expect(holds('streaming', '!=', 'streaming')).toBe(false);
  });
});

describe('a request meets its objectives', () => {
  const objective = (name: string, operator: Operator, limit: number): Objective => ({
    ...{ expression: `${name} ${operator} ${limit}`, metric: metric(name), operator, limit },
  });
  const met = (objectives: Objective[], changes: Parameters<typeof record>[0] = {}, stallMs = 1000) =>
    meets(record(changes), objectives, { stallMs });

  test('if each holds for all of its values', () => {
    // TTFT is 100 ms, gaps are 20 ms.
    expect(met([objective('ttft', '<=', 100), objective('gap', '<', 21)])).toBe(true);
    expect(met([objective('ttft', '<', 100), objective('gap', '<', 21)])).toBe(false);
    expect(met([objective('ttft', '<=', 100), objective('gap', '<', 20)])).toBe(false);
    expect(met([objective('gap', '<', 21)], { gaps: [20, 21, 20] })).toBe(false);
    expect(met([])).toBe(true);
  });

  test('and if it succeeded', () => {
    expect(met([], { outcome: { kind: 'truncated' } })).toBe(false);
  });

  test('stalls are counted with the limit of the run', () => {
    expect(met([objective('stalls', '==', 0)], {}, 19)).toBe(false);
    expect(met([objective('stalls', '==', 0)], {}, 20)).toBe(true);
  });

  test.each(['connect', 'dns', 'tcp', 'tls'])('%s: an open connection was nothing to wait for', (name) => {
    expect(met([objective(name, '<', 1)], { connection: { reused: true } })).toBe(true);
    expect(met([objective(name, '<', 1)])).toBe(false);
  });

  test.each(['ttst', 'longest_gap', 'tpot', 'chunk_rate', 'token_rate'])(
    '%s: an answer in one piece has none',
    (name) => {
      const { marks } = record();
      const whole = { gaps: [], secondTokenGap: undefined, marks: { ...marks, lastToken: marks.firstToken } };
      expect(met([objective(name, '<', 0)], whole)).toBe(true);
    },
  );

  test('any other missing value does not meet its objective', () => {
    const { firstAnswer: _, ...marks } = record().marks;
    expect(met([objective('ttfa', '>=', 0)], { marks })).toBe(false);
  });
});

import { describe, expect, test } from 'vitest';
import {
  edgeOf,
  type LevelState,
  nextStep,
  type SearchSettings,
} from '../../../src/analysis/sweep/search.ts';

const SETTINGS: SearchSettings = {
  start: 1,
  min: 1,
  max: 1024,
  whole: true,
  precision: 0.05,
  leastMeasurements: 2,
  repeats: 8,
};

type Oracle = (level: number, measured: number) => Partial<LevelState>;

/** Runs a search; `oracle` says what the measurements of a level show so far. Returns the levels in order. */
function run(oracle: Oracle, changes: Partial<SearchSettings> = {}) {
  const settings = { ...SETTINGS, ...changes };
  const counts = new Map<number, number>();
  const order: number[] = [];
  const states = () =>
    [...counts].map(([level, measured]): LevelState => {
      const shown = oracle(level, measured);
      return {
        level,
        verdict: 'unclear',
        leaning: 'met',
        valid: measured,
        invalid: 0,
        overloaded: 0,
        ...shown,
      };
    });
  for (;;) {
    const step = nextStep(states(), settings);
    if (step.kind === 'done') return { order, edge: step.edge };
    if (order.length > 500) throw new Error('the search does not end');
    order.push(step.level);
    counts.set(step.level, (counts.get(step.level) ?? 0) + 1);
  }
}

const hard =
  (capacity: number): Oracle =>
  (level) =>
    level <= capacity ? { verdict: 'met', leaning: 'met' } : { verdict: 'broken', leaning: 'broken' };

describe('the search', () => {
  test('doubles, bisects, and measures both levels of the edge again, in turn', () => {
    const { order, edge } = run(hard(11));
    expect(order).toEqual([1, 2, 4, 8, 16, 11, 13, 12, 11, 12]);
    expect(edge).toEqual({ met: 11, broken: 12, client: null, decided: true });
  });

  test.each([1, 2, 3, 5, 8, 16, 17, 31, 64, 100, 255, 500, 1023])('finds a capacity of %i', (capacity) => {
    const { edge } = run(hard(capacity));
    expect(edge.decided).toBe(true);
    expect(edge.met).toBeLessThanOrEqual(capacity);
    expect(edge.broken).toBeGreaterThan(capacity);
    expect(edge.broken! / edge.met! <= 1.05 || edge.broken === edge.met! + 1).toBe(true);
  });

  test.each([0.013, 0.4, 1, 7.3, 99.9])('finds a rate of %f', (capacity) => {
    const { edge } = run(hard(capacity), { whole: false, min: 0.001, precision: 0.02 });
    expect(edge.met).toBeLessThanOrEqual(capacity);
    expect(edge.broken).toBeGreaterThan(capacity);
    expect(edge.broken! / edge.met!).toBeLessThanOrEqual(1.0201);
  });

  test('goes down where the first level is broken, and ends at the lowest', () => {
    expect(run(hard(3), { start: 32 }).edge).toMatchObject({ met: 3, broken: 4 });
    const none = run(hard(0), { start: 8 });
    expect(none.order).toEqual([8, 4, 2, 1, 1]);
    expect(none.edge).toEqual({ met: null, broken: 1, client: null, decided: false });
  });

  test('ends at the highest level, after it was measured twice', () => {
    const { order, edge } = run(hard(9999), { max: 20 });
    expect(order).toEqual([1, 2, 4, 8, 16, 20, 20]);
    expect(edge).toEqual({ met: 20, broken: null, client: null, decided: false });
  });

  test('corrects a level that was judged wrongly by its first measurement', () => {
    // A pause of the server: 4 looks broken once, by its interval even.
    const { edge } = run((level, measured) =>
      level === 4 && measured === 1 ? { verdict: 'broken', leaning: 'broken' } : hard(20)(level, measured),
    );
    expect(edge).toMatchObject({ met: 20, broken: 21 });
  });

  test('never calls a level met or broken while its interval contains the limit: the result is a range', () => {
    // Levels 14 to 18 cannot be decided, whatever the number of measurements.
    const { order, edge } = run((level) =>
      level < 14 || level > 18
        ? hard(16)(level, 1)
        : { verdict: 'unclear', leaning: level <= 16 ? 'met' : 'broken' },
    );
    expect(edge).toEqual({ met: 13, broken: 19, client: null, decided: false });
    for (const level of [14, 16, 17, 18])
      expect(order.filter((one) => one === level).length).toBeLessThanOrEqual(8);
  });

  test('a level that the client cannot produce is no capacity of the server', () => {
    const { order, edge } = run((level, measured) =>
      level <= 10
        ? { verdict: 'met' }
        : { valid: 0, invalid: measured, overloaded: measured, leaning: 'broken' },
    );
    expect(edge).toEqual({ met: 10, broken: null, client: 11, decided: false });
    // It was tried three times before the client was held responsible.
    expect(order.filter((level) => level === 11)).toHaveLength(3);
  });

  test('a client that is disturbed at a low load is tried as often as a level may be measured', () => {
    const { order, edge } = run((level, measured) =>
      level <= 4 ? { verdict: 'met' } : { valid: 0, invalid: measured, leaning: 'broken' },
    );
    expect(edge).toEqual({ met: 4, broken: null, client: 5, decided: false });
    expect(order.filter((level) => level === 5)).toHaveLength(8);
  });

  test('a client that was disturbed once is measured again', () => {
    const disturbed = new Set<number>();
    const { edge } = run((level, measured) => {
      if (measured === 1 && level === 16) disturbed.add(level);
      return {
        ...hard(40)(level, measured),
        ...(disturbed.has(level) && { valid: measured - 1, invalid: 1 }),
      };
    });
    expect(edge).toMatchObject({ met: 40, broken: 41, client: null });
  });

  test('what is known before the end is known at any time', () => {
    const state = (level: number, verdict: LevelState['verdict'], valid: number): LevelState => ({
      level,
      verdict,
      leaning: verdict === 'broken' ? 'broken' : 'met',
      valid,
      invalid: 0,
      overloaded: 0,
    });
    expect(edgeOf([], SETTINGS)).toEqual({ met: null, broken: null, client: null, decided: false });
    expect(edgeOf([state(8, 'broken', 3), state(4, 'met', 2), state(2, 'met', 1)], SETTINGS)).toEqual({
      met: 4,
      broken: 8,
      client: null,
      decided: false,
    });
    // One measurement is not enough, and a level above a broken one is no capacity.
    expect(edgeOf([state(8, 'met', 1), state(4, 'broken', 2), state(16, 'met', 4)], SETTINGS).met).toBeNull();
  });
});

import { describe, expect, test } from 'vitest';
import { MODELS, trueCapacity } from './models.ts';
import { simulateSweep, sweepSettings } from './simulate.ts';

/** The search against simulated services. `npm run sweep:table` has more models and more seeds. */

const QUICK = [
  'refuses above 16 streams',
  '8 slots, constant service',
  '16 slots, lognormal service',
  '32 slots, drift of 10 % up and down',
];

describe.each(MODELS.filter(({ name }) => QUICK.includes(name)))('$name', (model) => {
  test('20 of 20 sweeps find the capacity within 5 % or one stream, and none claims what is false', () => {
    const truth = trueCapacity(model);
    for (let seed = 1; seed <= 20; seed++) {
      const { edge } = simulateSweep(model.world, sweepSettings(model.settings), seed);
      const off = Math.abs((edge.met ?? 0) - truth);
      expect(off, `seed ${seed}: ${JSON.stringify(edge)}, truth ${truth}`).toBeLessThanOrEqual(
        Math.max(1, 0.05 * truth),
      );
      expect(edge.broken ?? Number.POSITIVE_INFINITY).toBeGreaterThan(0.95 * truth);
    }
  });
});

import { createRandom } from '../../../src/model/seeded-random.ts';
import type { SweepSettings } from '../../../src/model/sweep.ts';
import { closedLoop, lognormal, openLoop, type World } from './worlds.ts';

/** Services whose capacity is known. */
export interface Model {
  name: string;
  world: World;
  settings: Pick<SweepSettings, 'by' | 'slo'> & Partial<SweepSettings>;
  /** Known without simulation. */
  truth?: number;
}

const SLO = ['ttft.p95 < 150ms'];

export const MODELS: readonly Model[] = [
  {
    name: 'refuses above 16 streams',
    world: { slots: 1000, refuseAbove: 16, serviceMs: () => 400, ttftMs: () => 50 },
    settings: { by: 'concurrency', slo: SLO },
    truth: 16,
  },
  {
    name: 'refuses above 100 streams, errors stated',
    world: { slots: 1000, refuseAbove: 100, serviceMs: () => 400, ttftMs: () => 50 },
    settings: { by: 'concurrency', slo: [...SLO, 'errors.rate < 1%'] },
    truth: 100,
  },
  {
    name: '8 slots, constant service',
    world: { slots: 8, serviceMs: () => 2000, ttftMs: () => 50 },
    settings: { by: 'concurrency', slo: SLO },
    truth: 8,
  },
  {
    name: '16 slots, lognormal service',
    world: {
      slots: 16,
      serviceMs: (random) => lognormal(random, 1000, 0.3),
      ttftMs: (random) => lognormal(random, 50, 0.2),
    },
    settings: { by: 'concurrency', slo: SLO },
  },
  {
    name: '64 slots, exponential service',
    world: {
      slots: 64,
      serviceMs: (random) => -1000 * Math.log(1 - random.next()),
      ttftMs: (random) => lognormal(random, 50, 0.3),
    },
    settings: { by: 'concurrency', slo: SLO },
  },
  {
    name: '32 slots, noise: 3 % of first tokens are late',
    world: {
      slots: 32,
      serviceMs: (random) => lognormal(random, 1000, 0.5),
      ttftMs: (random) => (random.next() < 0.03 ? 400 : lognormal(random, 50, 0.3)),
    },
    settings: { by: 'concurrency', slo: SLO },
  },
  {
    name: '32 slots, drift of 10 % up and down',
    world: {
      slots: 32,
      serviceMs: (random, at) => lognormal(random, 1000, 0.3) * (1 + 0.1 * Math.sin(at / 20_000)),
      ttftMs: (random, at) => lognormal(random, 50, 0.3) * (1 + 0.1 * Math.sin(at / 20_000)),
    },
    settings: { by: 'concurrency', slo: SLO },
  },
  {
    name: '40 slots, mixture of short and long answers',
    world: {
      slots: 40,
      serviceMs: (random) =>
        random.next() < 0.8 ? lognormal(random, 200, 0.3) : lognormal(random, 3000, 0.3),
      ttftMs: (random) => lognormal(random, 50, 0.3),
    },
    settings: { by: 'concurrency', slo: SLO },
  },
  {
    name: 'rate, 20 slots, constant service',
    world: { slots: 20, serviceMs: () => 200, ttftMs: () => 20 },
    settings: { by: 'rate', slo: ['ttft.p95 < 500ms'] },
  },
  {
    name: 'rate, 10 slots, lognormal service',
    world: { slots: 10, serviceMs: (random) => lognormal(random, 400, 0.3), ttftMs: () => 20 },
    settings: { by: 'rate', slo: ['ttft.p95 < 400ms'] },
  },
  {
    name: 'rate, 30 slots, exponential service, mean',
    world: { slots: 30, serviceMs: (random) => -300 * Math.log(1 - random.next()), ttftMs: () => 20 },
    settings: { by: 'rate', slo: ['ttft.mean < 100ms'] },
  },
];

/** The largest level that meets the objective, by a simulation of many requests. */
export function trueCapacity({ world, settings, truth }: Model): number {
  if (truth !== undefined) return truth;
  const match = /(p95|mean) < (\d+)ms/.exec(settings.slo[0]!)!;
  const limit = Number(match[2]);
  const meets = (level: number): boolean => {
    const random = createRandom(99);
    const load = { requests: 40_000, from: 0, random };
    const all =
      settings.by === 'concurrency'
        ? closedLoop(world, { ...load, streams: level })
        : openLoop(world, { ...load, ratePerSecond: level });
    const times = all.slice(1000).map(({ ttftMs }) => ttftMs);
    if (match[1] === 'mean') return times.reduce((sum, one) => sum + one, 0) / times.length < limit;
    return times.filter((ms) => ms >= limit).length / times.length <= 0.05;
  };
  if (settings.by === 'concurrency') {
    let level = world.slots;
    while (meets(level + 1)) level += 1;
    while (!meets(level)) level -= 1;
    return level;
  }
  let [low, high] = [1, 1000];
  while (high / low > 1.005) {
    const middle = Math.sqrt(low * high);
    if (meets(middle)) low = middle;
    else high = middle;
  }
  return Number(low.toPrecision(3));
}

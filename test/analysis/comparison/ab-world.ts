import { decideAb } from '../../../src/analysis/comparison/ab-gate.ts';
import { abLooks } from '../../../src/analysis/comparison/ab-look.ts';
import type { CellSamples, RunSamples } from '../../../src/analysis/comparison/samples.ts';
import { FIRST_LOOK } from '../../../src/analysis/comparison/sequential.ts';
import { cellKey } from '../../../src/model/cells.ts';
import type { Manifest } from '../../../src/model/report.ts';
import { createRandom, type Random } from '../../../src/model/seeded-random.ts';
import { draw } from '../regression/simulation.ts';

/** Simulated runs of two sides in the same rounds, as the gate of `ab` sees them. */

export interface AbWorld {
  shape: 'lognormal' | 'bimodal' | 'heavy-tailed';
  /** Requests per cell and side, over all rounds. */
  n: number;
  /** Default 5. */
  rounds?: number;
  /** Cells per side. Default 1. */
  cells?: number;
  /** Standard deviation between rounds, as a share; it hits both sides alike. */
  drift: number;
  /** Of one block by itself, which does not cancel. Default 0.01. */
  own?: number;
  /** Width of the lognormal part. Default 0.4. */
  width?: number;
}

export interface AbChange {
  /** Factor on the first-token times of side B. */
  factor?: number;
  /** Factor on those of its first cell only. */
  firstCell?: number;
  /** Share of failed requests, of both sides (default 0.03) and of B alone. */
  errors?: number;
  errorsOfB?: number;
  /** Sides that reason: their first answer text comes after twice the time of the first token. */
  reasoning?: readonly string[];
}

/** One simulated run, or its first rounds. The same seed gives the same run. */
export function simulateAb(
  world: AbWorld,
  seed: number,
  change: AbChange = {},
  measured = Number.POSITIVE_INFINITY,
): RunSamples {
  const random = createRandom(seed);
  const { rounds = 5, cells = 1, drift, n, own = 0.01 } = world;
  const { factor = 1, firstCell = 1, errors = 0.03, errorsOfB = errors, reasoning = [] } = change;
  const luck = Array.from({ length: rounds }, () => Math.exp(drift * random.normal()));
  const sampled = new Map<string, CellSamples>();
  for (const target of ['a', 'b'])
    for (let index = 0; index < cells; index++) {
      const slower = target === 'a' ? 1 : factor * (index === 0 ? firstCell : 1);
      const blocks = luck.map((shared) => {
        const scale = 100 * shared * Math.exp(own * random.normal());
        return block(world, random, {
          count: Math.round(n / rounds),
          ttft: scale * slower,
          total: scale,
          errors: target === 'a' ? errors : errorsOfB,
          answerAt: reasoning.includes(target) ? 2 : 1,
        });
      });
      const cell = { target, prompt: `p${index}`, concurrency: 1, mode: 'streaming' } as const;
      sampled.set(cellKey(cell), samplesOf(cell, blocks.slice(0, measured), reasoning.includes(target)));
    }
  return { manifest: {} as Manifest, cells: sampled };
}

/** Share of trials in which the gate reports a regression. `draws`: of the joint distribution; few make a trial fast. */
export function abAlarms(
  world: AbWorld,
  settings: { trials: number; seed: number; change?: AbChange; draws?: number; resamples?: number },
): number {
  const { trials, seed, change, draws = 400, resamples = 500 } = settings;
  let found = 0;
  for (let trial = 0; trial < trials; trial++) {
    const run = simulateAb(world, seed * 100_003 + trial, change);
    const sides = { base: 'a', next: 'b', strict: false };
    const { verdict } = decideAb(run, sides, { seed: trial + 1, resamples, draws });
    if (verdict === 'regression') found += 1;
  }
  return found / trials;
}

/** Share of trials in which the 90 % interval of the leading figure contains the true ratio. */
export function abCoverage(
  world: AbWorld,
  { trials, seed, factor = 1 }: { trials: number; seed: number; factor?: number },
): number {
  const sides = { base: 'a', next: 'b', strict: false };
  let hits = 0;
  for (let trial = 0; trial < trials; trial++) {
    const run = simulateAb(world, seed * 100_003 + trial, { factor });
    const [check] = decideAb(run, sides, { seed: trial + 1, resamples: 1000, draws: 50 }).checks;
    if (check?.low != null && check.high != null && check.low <= factor && check.high >= factor) hits += 1;
  }
  return hits / trials;
}

/** What early stop does to the gate. All are shares; `saved`: of the requests, and of the rounds. */
export interface EarlyStops {
  regression: number;
  /** The same without early stop. */
  regressionAtMaximum: number;
  /** Runs that are a regression with early stop and not without it, or the reverse. */
  otherwise: number;
  stopped: number;
  saved: number;
}

/** Runs that may stop after each round, decided as the program does: looks, then the gate on what was measured. */
export function earlyStops(
  world: AbWorld & { rounds: number },
  { trials, seed, change = {} }: { trials: number; seed: number; change?: AbChange },
): EarlyStops {
  const sides = { base: 'a', next: 'b', strict: false };
  const { rounds: maxRounds } = world;
  const looks = abLooks(sides, maxRounds, { seed: 1, resamples: 400 });
  const sums = { regression: 0, regressionAtMaximum: 0, otherwise: 0, stopped: 0, saved: 0 };
  for (let trial = 0; trial < trials; trial++) {
    const measured = (rounds: number) => simulateAb(world, seed * 100_003 + trial, change, rounds);
    const isWorse = (rounds: number) =>
      decideAb(measured(rounds), sides, { seed: 1, resamples: 500, draws: 400 }).verdict === 'regression';
    let used = maxRounds;
    for (let rounds = FIRST_LOOK; rounds < maxRounds && used === maxRounds; rounds++)
      if (looks.after(rounds, measured(rounds)) !== undefined) used = rounds;
    const atMaximum = isWorse(maxRounds);
    const atStop = used === maxRounds ? atMaximum : isWorse(used);
    sums.regression += atStop ? 1 : 0;
    sums.regressionAtMaximum += atMaximum ? 1 : 0;
    sums.otherwise += atStop === atMaximum ? 0 : 1;
    sums.stopped += used < maxRounds ? 1 : 0;
    sums.saved += 1 - used / maxRounds;
  }
  return {
    regression: sums.regression / trials,
    regressionAtMaximum: sums.regressionAtMaximum / trials,
    otherwise: sums.otherwise / trials,
    stopped: sums.stopped / trials,
    saved: sums.saved / trials,
  };
}

interface SimulatedBlock {
  values: Record<string, number[]>;
  failed: number;
  requests: number;
}

function block(
  { shape, width = 0.4 }: AbWorld,
  random: Random,
  {
    count,
    ttft,
    total,
    errors,
    answerAt,
  }: { count: number; ttft: number; total: number; errors: number; answerAt: number },
): SimulatedBlock {
  const values: Record<string, number[]> = { ttft: [], ttfa: [], total: [], gap: [] };
  let failed = 0;
  for (let i = 0; i < count; i++) {
    if (random.next() < errors) {
      failed += 1;
      for (const list of Object.values(values)) list.push(Number.POSITIVE_INFINITY);
      continue;
    }
    const first = draw(shape, width, random) * ttft;
    values.ttft?.push(first);
    values.ttfa?.push(first * answerAt);
    values.total?.push(first + total * 4 * Math.exp(0.2 * random.normal()));
    for (let gap = 0; gap < 5; gap++) values.gap?.push(total * 0.2 * Math.exp(0.3 * random.normal()));
  }
  return { values, failed, requests: count };
}

function samplesOf(
  cell: CellSamples['cell'],
  blocks: readonly SimulatedBlock[],
  reasons: boolean,
): CellSamples {
  const failed = blocks.reduce((sum, one) => sum + one.failed, 0);
  const requests = blocks.reduce((sum, one) => sum + one.requests, 0);
  const lists = new Map<string, Float64Array[]>();
  const listsOf = (metric: string) => {
    const known = lists.get(metric) ?? blocks.map(({ values }) => Float64Array.from(values[metric] ?? []));
    lists.set(metric, known);
    return known;
  };
  return {
    ...{ cell, failed, requests, reasoned: reasons ? requests - failed : 0 },
    outcomes: { ok: requests - failed },
    rounds: listsOf,
    count: (metric) => ({
      n: listsOf(metric).reduce((sum, { length }) => sum + length, 0),
      censored: failed,
    }),
  };
}

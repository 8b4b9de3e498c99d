import type { CellCheck, SummaryCheck } from '../../../src/analysis/regression/gate.ts';
import { createRandom, type Random } from '../../../src/model/seeded-random.ts';

/** Simulated runs of a service, as the gate sees them: figures of each cell with what sampling explains of them. */

export type Shape = 'lognormal' | 'bimodal' | 'heavy-tailed';

/** What is simulated. `drift`: standard deviation between runs, as a share. */
export interface World {
  shape: Shape;
  /** Requests in a cell. */
  n: number;
  cells: number;
  drift: number;
  /** Width of the lognormal part. Default 0.4. */
  width?: number;
}

/** What differs in a run. */
export interface Change {
  /** Factor on all first-token times. */
  all?: number;
  /** Factor on those of the first cell. */
  firstCell?: number;
  errors?: number;
}

interface CellRun {
  values: number[];
  variances: number[];
  failed: number;
}

const FIGURES = [
  { weight: 0.5, tolerance: 0.1 }, // ttft.p50
  { weight: 0.1, tolerance: 0.1 }, // ttft.mean
  { weight: 0.05, tolerance: 0.15 }, // ttft.p95
  { weight: 0.1, tolerance: 0.1 }, // total.p50
  { weight: 0.1, tolerance: 0.1 }, // total.mean
  { weight: 0.05, tolerance: 0.15 }, // gap.p95
] as const;
/** Figures that single cells are checked on: ttft.p50, ttft.mean, total.p50. */
const BY_CELL = [0, 1, 3] as const;
const ENOUGH_FOR_P95 = 200;

export type SimulatedRun = readonly CellRun[];

/** One run: its own luck for all cells, a little of its own for each. */
function simulateRun(world: World, random: Random, change: Change = {}): SimulatedRun {
  const luck = Math.exp(world.drift * random.normal());
  return Array.from({ length: world.cells }, (_, index) => {
    const own = world.drift > 0 ? Math.exp(0.01 * random.normal()) : 1;
    const slower = (change.all ?? 1) * (index === 0 ? (change.firstCell ?? 1) : 1);
    return simulateCell(world, random, { factor: luck * own, slower, errors: change.errors ?? 0.03 });
  });
}

function simulateCell(
  { shape, n, width = 0.4 }: World,
  random: Random,
  { factor, slower, errors }: { factor: number; slower: number; errors: number },
): CellRun {
  const ttft = new Float64Array(n);
  const total = new Float64Array(n);
  let failed = 0;
  for (let i = 0; i < n; i++) {
    ttft[i] = draw(shape, width, random) * slower;
    total[i] = ttft[i]! + 4 * Math.exp(0.2 * random.normal());
    if (random.next() < errors) failed += 1;
  }
  ttft.sort();
  total.sort();
  const gap = 0.15 / Math.sqrt(n / 20);
  const figures = [
    quantile(ttft, 0.5),
    average(ttft),
    n >= ENOUGH_FOR_P95 ? quantile(ttft, 0.95) : { value: Number.NaN, variance: Number.NaN },
    quantile(total, 0.5),
    average(total),
    { value: Math.exp(gap * random.normal()), variance: gap ** 2 },
  ];
  return {
    values: figures.map(({ value }) => Math.log(value * factor)),
    variances: figures.map(({ variance }) => variance),
    failed,
  };
}

function draw(shape: Shape, width: number, random: Random): number {
  switch (shape) {
    case 'lognormal':
      return Math.exp(width * random.normal());
    case 'bimodal':
      return (random.next() < 0.35 ? 0.3 : 1) * Math.exp(0.2 * random.normal());
    case 'heavy-tailed':
      return random.next() < 0.03 ? Math.exp(1 + Math.abs(random.normal())) : Math.exp(0.3 * random.normal());
    default:
      return shape satisfies never;
  }
}

interface Figure {
  value: number;
  /** Of its logarithm. */
  variance: number;
}

function quantile(sorted: Float64Array, p: number): Figure {
  const at = (q: number) =>
    sorted[Math.max(0, Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1))]!;
  const step = Math.sqrt((p * (1 - p)) / sorted.length);
  const half = (Math.log(at(p + step)) - Math.log(at(p - step))) / 2;
  return { value: at(p), variance: Math.max(0.002, half) ** 2 };
}

function average(values: Float64Array): Figure {
  let [sum, squares] = [0, 0];
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  const variance = Math.max(0, squares / values.length - mean * mean);
  return { value: mean, variance: variance / values.length / mean ** 2 };
}

const ASSUMED = 0.05;

/** The checks of a new run against accepted ones. */
export function checksOf(
  history: readonly SimulatedRun[],
  next: SimulatedRun,
  { n, cells }: World,
): { summaries: SummaryCheck[]; cellChecks: CellCheck[] } {
  const summaries: SummaryCheck[] = FIGURES.flatMap(({ weight, tolerance }, figure) => {
    const value = (run: SimulatedRun) => mean(run.map(({ values }) => values[figure]!));
    const variance = (run: SimulatedRun) => mean(run.map(({ variances }) => variances[figure]!)) / cells;
    if (Number.isNaN(value(next))) return [];
    const series = {
      weight,
      history: history.map(value),
      next: value(next),
      sampling: { history: mean(history.map(variance)), next: variance(next) },
      assumedSpread: ASSUMED,
    };
    const limit = Math.log(1 + tolerance);
    const change = series.next - mean(series.history);
    const beyond = change > limit ? 'worse' : change < -limit ? 'better' : null;
    return [{ series, tolerance: limit, beyond }];
  });
  summaries.push(errorCheck(history, next, n * cells));
  const cellChecks: CellCheck[] = (cells > 1 ? BY_CELL : []).map((figure) => {
    const of = (run: SimulatedRun) => ({
      values: run.map(({ values }) => values[figure]!),
      sampling: run.map(({ variances }) => variances[figure]!),
    });
    const usual = next.map((_, cell) => mean(history.map((run) => run[cell]!.values[figure]!)));
    return {
      history: history.map(of),
      next: of(next),
      assumedSpread: ASSUMED,
      beyond: next.map(
        ({ values }, cell) => values[figure]! - usual[cell]! > Math.log(1 + FIGURES[figure].tolerance),
      ),
    };
  });
  return { summaries, cellChecks };
}

function errorCheck(history: readonly SimulatedRun[], next: SimulatedRun, requests: number): SummaryCheck {
  const rate = (run: SimulatedRun) => run.reduce((sum, { failed }) => sum + failed, 0) / requests;
  const scaled = (run: SimulatedRun) => Math.asin(Math.sqrt(rate(run)));
  const sampling = 1 / (4 * requests);
  const change = rate(next) - mean(history.map(rate));
  return {
    series: {
      weight: 0.1,
      history: history.map(scaled),
      next: scaled(next),
      sampling: { history: sampling, next: sampling },
      assumedSpread: 0,
    },
    tolerance: 0.01,
    beyond: change > 0.01 ? 'worse' : change < -0.01 ? 'better' : null,
  };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Share of trials in which the gate alarms. */
export function alarms(
  world: World,
  {
    runs,
    trials,
    seed,
    change,
    decide,
  }: {
    runs: number;
    trials: number;
    seed: number;
    change?: Change;
    decide(checks: ReturnType<typeof checksOf>, seed: number): boolean;
  },
): number {
  let hits = 0;
  for (let trial = 0; trial < trials; trial++) {
    const random = createRandom(seed * 100_003 + trial);
    const history = Array.from({ length: runs }, () => simulateRun(world, random));
    const next = simulateRun(world, random, change);
    if (decide(checksOf(history, next, world), trial + 1)) hits += 1;
  }
  return hits / trials;
}

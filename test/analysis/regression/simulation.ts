import { compareWithHistory } from '../../../src/analysis/regression/compare.ts';
import { weightsOf } from '../../../src/analysis/regression/family.ts';
import { decideGate, type SummaryCheck } from '../../../src/analysis/regression/gate.ts';
import { center } from '../../../src/analysis/regression/prediction.ts';
import type { AcceptedCell, AcceptedFigure, AcceptedRun, Pin } from '../../../src/model/accepted-run.ts';
import { createRandom, type Random } from '../../../src/model/seeded-random.ts';
import { acceptedCell, acceptedRun } from './accepted.ts';

/** Simulated runs of a service, as the history of a baseline keeps them, and how often the gate alarms. */

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

const ENOUGH_FOR_P95 = 200;

/** A run without drift, and its luck: how far it will be from other runs, in standard deviations. */
interface CalmRun {
  run: AcceptedRun;
  /** Of all cells together, and of each cell alone. */
  shared: number;
  own: readonly number[];
}

/** Standard deviation of a cell's own drift, wherever runs drift at all. */
const OWN_DRIFT = 0.01;

function simulateCalmRun(
  world: Omit<World, 'drift'>,
  random: Random,
  change: Change = {},
  id = 'run',
): CalmRun {
  const shared = random.normal();
  const own: number[] = [];
  const cells = Array.from({ length: world.cells }, (_, index) => {
    own.push(random.normal());
    const slower = (change.all ?? 1) * (index === 0 ? (change.firstCell ?? 1) : 1);
    return simulateCell(world, random, `p${index}`, { slower, errors: change.errors ?? 0.03 });
  });
  return { run: acceptedRun({ id, cells }), shared, own };
}

/** The run as it is where runs differ by `drift`: all times of a cell by one factor. */
function withDrift({ run, shared, own }: CalmRun, drift: number): AcceptedRun {
  if (drift === 0) return run;
  const cells = run.cells.map((cell, index) => {
    const factor = Math.exp(drift * shared + OWN_DRIFT * own[index]!);
    const figures = Object.entries(cell.figures).map(([name, figure]) => [
      name,
      { ...figure, value: figure.value! * factor },
    ]);
    return { ...cell, figures: Object.fromEntries(figures) };
  });
  return { ...run, cells };
}

function simulateRun(world: World, random: Random, change: Change = {}, id = 'run'): AcceptedRun {
  return withDrift(simulateCalmRun(world, random, change, id), world.drift);
}

function simulateCell(
  { shape, n, width = 0.4 }: Omit<World, 'drift'>,
  random: Random,
  prompt: string,
  { slower, errors }: { slower: number; errors: number },
): AcceptedCell {
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
  const figure = ({ value, variance }: Figure): AcceptedFigure => ({
    ...{ value: 100 * value, logVariance: variance, n, censored: 0, drawn: 'requests' },
  });
  const figures: Record<string, AcceptedFigure> = {
    'ttft.p50': figure(quantile(ttft, 0.5)),
    'ttft.mean': figure(average(ttft)),
    'total.p50': figure(quantile(total, 0.5)),
    'total.mean': figure(average(total)),
    'gap.p95': { ...figure({ value: Math.exp(gap * random.normal()), variance: gap ** 2 }), n: 1000 },
  };
  if (n >= ENOUGH_FOR_P95) figures['ttft.p95'] = figure(quantile(ttft, 0.95));
  return acceptedCell(figures, { prompt, requests: n, failed });
}

/** One value of a shape with a median near 1. */
export function draw(shape: Shape, width: number, random: Random): number {
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

/** How trials are made. */
export interface Trials {
  /** Accepted runs before the new one. */
  runs: number;
  trials: number;
  seed: number;
  change?: Change;
  /** Draws of the joint distribution; few make a trial fast. Default 400. */
  draws?: number;
  /** The accepted runs are pinned when the history is this long. Default: no pin. */
  pinned?: number;
}

/** True where the gate calls the new run a regression. */
function isAlarm(
  history: AcceptedRun[],
  next: AcceptedRun,
  pins: Pin[],
  seed: number,
  draws: number,
): boolean {
  const options = { base: 'main', seed, draws, pins };
  return compareWithHistory(history, next, options).verdict === 'regression';
}

/** Share of trials in which the gate reports a regression. */
export function alarms(world: World, settings: Trials): number {
  const { runs, trials, seed, change, draws = 400, pinned = 0 } = settings;
  let hits = 0;
  for (let trial = 0; trial < trials; trial++) {
    const random = createRandom(seed * 100_003 + trial);
    const simulated = Array.from({ length: pinned + runs }, (_, run) =>
      simulateRun(world, random, {}, `run-${run}`),
    );
    const pins: Pin[] =
      pinned === 0 ? [] : [{ schema: 'streambench/pin@1', name: 'v1', runs: simulated.slice(0, pinned) }];
    const next = simulateRun(world, random, change, 'new');
    if (isAlarm(simulated.slice(pinned), next, pins, trial + 1, draws)) hits += 1;
  }
  return hits / trials;
}

/** False alarms of one world at several drifts, with several lengths of history. */
export interface AlarmsAtDrift {
  runs: number;
  drift: number;
  share: number;
}

/**
 * As `alarms` without a change, for many drifts and lengths of history at once: the requests, which take most of the time, are
 * simulated once for all of them.
 */
export function alarmsAtDrifts(
  world: Omit<World, 'drift'>,
  { asked, trials, seed, change }: { asked: readonly Omit<AlarmsAtDrift, 'share'>[] } & Omit<Trials, 'runs'>,
): AlarmsAtDrift[] {
  const most = Math.max(...asked.map(({ runs }) => runs));
  const hits = asked.map(() => 0);
  for (let trial = 0; trial < trials; trial++) {
    const random = createRandom(seed * 100_003 + trial);
    const calm = Array.from({ length: most + 1 }, (_, run) =>
      simulateCalmRun(world, random, run === most ? change : {}, `run-${run}`),
    );
    for (const [index, { runs, drift }] of asked.entries()) {
      const history = calm.slice(most - runs).map((run) => withDrift(run, drift));
      const next = history.pop()!;
      if (isAlarm(history, next, [], trial + 1, 400)) hits[index]! += 1;
    }
  }
  return asked.map((one, index) => ({ ...one, share: hits[index]! / trials }));
}

/** Share of trials in which the 90 % interval of the change of ttft.p50 contains the true change. */
export function coverage(
  world: World,
  { runs, trials, seed, factor = 1 }: Pick<Trials, 'runs' | 'trials' | 'seed'> & { factor?: number },
): number {
  let hits = 0;
  for (let trial = 0; trial < trials; trial++) {
    const random = createRandom(seed * 100_003 + trial);
    const history = Array.from({ length: runs }, (_, run) => simulateRun(world, random, {}, `run-${run}`));
    const next = simulateRun(world, random, { all: factor }, 'new');
    const { summaries } = compareWithHistory(history, next, { base: 'main', draws: 50 });
    const { low, high } = summaries.find(({ figure }) => figure === 'ttft.p50') ?? {};
    if (low != null && high != null && low <= factor - 1 && high >= factor - 1) hits += 1;
  }
  return hits / trials;
}

/** Figures of a run without requests, which take long to simulate: normal on the scale of the gate. */
export interface FigureWorld {
  /** Standard deviations between runs, shared by all figures, and by sampling, of each figure. */
  drift: number;
  sampling: number;
  figures: number;
}

/** Share of trials in which the gate calls one of several figures a regression. */
export function figureAlarms(
  { drift, sampling, figures }: FigureWorld,
  { runs, trials, seed, draws = 400 }: Trials,
): number {
  const tolerance = Math.log(1.1);
  const weights = weightsOf(Array.from({ length: figures }, () => ({})));
  const random = createRandom(seed);
  const simulate = (): number[] => {
    const luck = drift * random.normal();
    return Array.from({ length: figures }, () => luck + sampling * random.normal());
  };
  let hits = 0;
  for (let trial = 0; trial < trials; trial++) {
    const history = Array.from({ length: runs }, simulate);
    const checks = simulate().map((next, index): SummaryCheck => {
      const values = history.map((run) => run[index]!);
      return {
        series: {
          ...{ weight: weights[index]!, history: values, next, assumedSpread: 0.05 },
          sampling: { history: sampling ** 2, next: sampling ** 2 },
        },
        tolerance,
        beyond: next - center(values) > tolerance ? 'worse' : null,
      };
    });
    const { summaries } = decideGate(checks, [], { seed: trial + 1, draws });
    if (summaries.some(({ verdict }) => verdict === 'regression')) hits += 1;
  }
  return hits / trials;
}

/**
 * Merges of which each makes the service slower by `step`, accepted as long as the gate finds no regression. Resolves how much
 * slower the service was when the gate stopped one; Infinity where it stopped none.
 */
export function creep(
  world: World,
  { step, merges, seed, withPin }: { step: number; merges: number; seed: number; withPin: boolean },
): number {
  const random = createRandom(seed);
  const history = Array.from({ length: 10 }, (_, run) => simulateRun(world, random, {}, `before-${run}`));
  const pins: Pin[] = withPin ? [{ schema: 'streambench/pin@1', name: 'v1', runs: [...history] }] : [];
  for (let merge = 1; merge <= merges; merge++) {
    const slower = (1 + step) ** merge;
    const next = simulateRun(world, random, { all: slower }, `merge-${merge}`);
    if (isAlarm(history.slice(-10), next, pins, merge, 400)) return slower - 1;
    history.push(next);
  }
  return Number.POSITIVE_INFINITY;
}

/**
 * A long series of merges of which none changes anything, with a pin of the first 10 runs. Resolves how many runs the gate calls a
 * regression; these are not accepted.
 */
export function falseAlarmsOfSeries(
  world: World,
  { merges, seed, withPin }: { merges: number; seed: number; withPin: boolean },
): number {
  const random = createRandom(seed);
  let history = Array.from({ length: 10 }, (_, run) => simulateRun(world, random, {}, `before-${run}`));
  const pins: Pin[] = withPin ? [{ schema: 'streambench/pin@1', name: 'v1', runs: history }] : [];
  let alarmed = 0;
  for (let merge = 1; merge <= merges; merge++) {
    const next = simulateRun(world, random, {}, `merge-${merge}`);
    if (isAlarm(history, next, pins, merge, 400)) alarmed += 1;
    else history = [...history.slice(-9), next];
  }
  return alarmed;
}

import { type Block, type Cell, DEFAULT_GRACE_MS, type LoadPhase } from '../model/plan.ts';
import type { Scenario } from './schema/scenario.ts';

/** What a block's requests and their times depend on: its limits, its phases, its arrivals. */
type BlockTimes = Pick<Block, 'durationMs' | 'phases' | 'graceMs' | 'arrivals'>;

/** The times of a block that measures `cells`, of which `first` is the index of the first one. Absent where they do not apply. */
export function timesOf(
  { load, seed, streamForMs = 0 }: Scenario,
  cells: readonly Cell[],
  { first, rounds, round }: { first: number; rounds: number; round: number },
): BlockTimes {
  const times: BlockTimes = {};
  const phases = load.stages ? stagePhases(load.stages, first) : windowPhases(load, cells[0], first, rounds);
  if (load.stages) times.durationMs = load.stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
  else if (load.durationMs !== undefined) times.durationMs = load.durationMs / rounds;
  if (phases) times.phases = phases;
  // A stream that is read for a given time must be able to finish it.
  if (times.durationMs !== undefined)
    times.graceMs = load.graceMs ?? Math.max(DEFAULT_GRACE_MS, streamForMs + MARGIN_MS);
  if (cells.some(({ rate }) => rate !== undefined)) {
    const { arrivals: process, burstiness } = load;
    // All cells of a round have the same arrival times, so they do not differ by chance.
    times.arrivals = { process, seed: seed + round, ...(burstiness !== undefined && { burstiness }) };
  }
  return times;
}

const MARGIN_MS = 5_000;

function stagePhases(stages: NonNullable<Scenario['load']['stages']>, first: number): LoadPhase[] {
  let next = first;
  return stages.map(({ name, durationMs, from, to, measured }) =>
    measured ? { cell: next++, stage: name, durationMs, from, to } : { durationMs, from, to },
  );
}

/** The measured window between phases that are not counted; undefined for a window by itself. */
function windowPhases(
  { rampUpMs, warmupMs, coolDownMs, durationMs }: Scenario['load'],
  cell: Cell | undefined,
  index: number,
  rounds: number,
): LoadPhase[] | undefined {
  if (cell === undefined || (rampUpMs ?? warmupMs ?? coolDownMs) === undefined) return undefined;
  const { concurrency, rate } = cell;
  const level = rate ?? concurrency;
  const steady = { from: level, to: level };
  const window: LoadPhase = { cell: index, ...steady };
  if (durationMs !== undefined) window.durationMs = durationMs / rounds;
  return [
    // A closed loop starts with its first stream.
    ...(rampUpMs === undefined
      ? []
      : [{ durationMs: rampUpMs, from: rate === undefined ? 1 : 0, to: level }]),
    ...(warmupMs === undefined ? [] : [{ durationMs: warmupMs, ...steady }]),
    window,
    ...(coolDownMs === undefined ? [] : [{ durationMs: coolDownMs, ...steady }]),
  ];
}

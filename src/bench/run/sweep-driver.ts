import { type LevelEvidence, levelAt, type SweepEvidence } from '../../analysis/sweep/evidence.ts';
import { measurementSize } from '../../analysis/sweep/measurement.ts';
import { nextStep, type SearchStep } from '../../analysis/sweep/search.ts';
import { searchSettings, subjectsOf } from '../../analysis/sweep/sweep-report.ts';
import type { PlannedBlock } from '../../engine/engine.ts';
import { cellKey } from '../../model/cells.ts';
import type { BlockUtilization } from '../../model/load-report.ts';
import type { Cell } from '../../model/plan.ts';
import type { SweepSettings, SweepSubject } from '../../model/sweep.ts';

/** Chooses the blocks of a sweep, one after another, by what the earlier ones have shown. */
export interface SweepDriver {
  /** The cells so far, in the order in which they were first measured. Blocks refer to them by their index. */
  readonly cells: readonly Cell[];
  /** True once the time of the sweep was over before the search had ended. */
  readonly isOverBudget: boolean;
  /** The next block; undefined at the end of the sweep. `loads`: of the blocks of this part of the run. */
  next(loads: readonly BlockUtilization[]): PlannedBlock | undefined;
}

/** What a driver needs. */
export interface SweepDriverDeps {
  settings: SweepSettings;
  evidence: SweepEvidence;
  /** The cells at the start: the first level of each subject, and those of earlier parts of the run. */
  cells: readonly Cell[];
  /** Of earlier parts of the run. */
  earlierLoads: readonly BlockUtilization[];
  /** The part of the run, where it is continued. */
  part?: number;
  seed: number;
  /** Unmeasured requests before the first measurement of each level. */
  warmup: number;
  /** How long the sweep has run, in ms, earlier parts included. */
  elapsedMs(): number;
  /** A measurement has been judged. */
  judged?(level: LevelEvidence): void;
}

/** Creates the driver of a sweep. */
export function sweepDriver(deps: SweepDriverDeps): SweepDriver {
  const { settings, evidence, earlierLoads, part, seed, elapsedMs } = deps;
  const cells = [...deps.cells];
  const subjects = subjectsOf(cells);
  const turns = new Map<SweepSubject, number>(subjects.map((subject) => [subject, 0]));
  let isOverBudget = false;
  let last: { subject: SweepSubject; cell: Cell } | undefined;

  const blockOf = (
    subject: SweepSubject,
    step: SearchStep,
    loads: readonly BlockUtilization[],
  ): PlannedBlock | undefined => {
    if (step.kind === 'done') return undefined;
    const levels = evidence.levels(subject, cells, loads);
    const known = levels.find(({ state }) => state.level === step.level);
    const cell = known?.cell ?? cellAt(subject, step.level, settings);
    let index = cells.findIndex((one) => cellKey(one) === cellKey(cell));
    if (index === -1) index = cells.push(cell) - 1;
    const measured = known?.nextRound ?? 0;
    const requestMs = levels.find((level) => level.requestMs !== undefined)?.requestMs;
    const { by, arrivals, burstiness } = settings;
    return {
      cell,
      block: {
        ...measurementSize(settings, evidence.slos, { level: levelAt(cell), measured, requestMs }),
        round: measured,
        cell: index,
        warmup: measured === 0 ? deps.warmup : 0,
        arrivals: by === 'rate' ? { process: arrivals, burstiness, seed: seed + measured } : undefined,
      },
    };
  };

  return {
    get cells() {
      return cells;
    },
    get isOverBudget() {
      return isOverBudget;
    },
    next(newLoads) {
      const loads = [...earlierLoads, ...newLoads.map((load) => ({ ...load, part }))];
      const judged =
        last &&
        evidence.levels(last.subject, cells, loads).find(({ cell }) => cellKey(cell) === cellKey(last!.cell));
      if (judged !== undefined) deps.judged?.(judged);
      last = undefined;
      // The subjects take turns, so that a drift affects all of them.
      const inTurn = subjects.toSorted((a, b) => (turns.get(a) ?? 0) - (turns.get(b) ?? 0));
      for (const subject of inTurn) {
        const states = evidence.levels(subject, cells, loads).map(({ state }) => state);
        const next = blockOf(subject, nextStep(states, searchSettings(settings)), loads);
        if (next === undefined) continue;
        if (elapsedMs() >= settings.budgetMs) {
          isOverBudget = true;
          return undefined;
        }
        last = { subject, cell: next.cell };
        turns.set(subject, (turns.get(subject) ?? 0) + 1);
        return next;
      }
      return undefined;
    },
  };
}

/** The cell of a level. */
function cellAt(
  { target, prompt, mode }: SweepSubject,
  level: number,
  { by, maxConcurrency }: SweepSettings,
): Cell {
  return by === 'rate'
    ? { target, prompt, concurrency: maxConcurrency, rate: level, mode }
    : { target, prompt, concurrency: level, mode };
}

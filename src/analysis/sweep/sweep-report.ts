import { cellKey } from '../../model/cells.ts';
import type { BlockUtilization } from '../../model/load-report.ts';
import type { Cell } from '../../model/plan.ts';
import type { CellReport } from '../../model/report.ts';
import type {
  Capacity,
  SweepAxis,
  SweepPoint,
  SweepReport,
  SweepSearch,
  SweepSettings,
  SweepSubject,
} from '../../model/sweep.ts';
import { isSubject, type LevelEvidence, levelAt, type SweepEvidence } from './evidence.ts';
import { CONFIDENCE } from './judge.ts';
import { findKnee } from './knee.ts';
import { findingOf, verdictOf } from './measurement.ts';
import { edgeOf, nextStep, type SearchSettings } from './search.ts';
import { type StopFacts, stopOf } from './stop.ts';

/** The result of a sweep, out of its records and of what the manifest knows. */

/** What a report of a sweep is made of. */
export interface SweepSources {
  settings: SweepSettings;
  evidence: SweepEvidence;
  /** The cells that the blocks of `loads` refer to. */
  planned: readonly Cell[];
  loads: readonly BlockUtilization[];
  /** The cells with their figures. */
  cells: readonly CellReport[];
  /** The search ended because its time was over. */
  isOverBudget: boolean;
  /** Why the run ended early; absent where it did not. */
  abortReason?: string;
}

/**
 * A single measurement may be an exception, such as a pause of the server. By rate the length of the queue changes slowly near
 * the edge, so that even a long measurement shows only a part of it.
 */
const LEAST_MEASUREMENTS: Readonly<Record<SweepAxis, number>> = { concurrency: 2, rate: 3 };

/** The lowest level of a sweep by rate: the search goes down from its first level to a thousandth of it. */
const LOWEST_SHARE = 0.001;

/** The settings of the search. */
export function searchSettings({ by, start, max, precision, repeats }: SweepSettings): SearchSettings {
  const whole = by === 'concurrency';
  const leastMeasurements = Math.min(repeats, LEAST_MEASUREMENTS[by]);
  return { start, min: whole ? 1 : start * LOWEST_SHARE, max, whole, precision, leastMeasurements, repeats };
}

/** What the sweep searches a capacity of: each target, prompt and mode. */
export function subjectsOf(cells: readonly Cell[]): SweepSubject[] {
  const found: SweepSubject[] = [];
  for (const { target, prompt, mode, length } of cells) {
    const subject = { target, prompt, mode };
    if (length === undefined && !found.some((one) => isSubject(one, subject))) found.push(subject);
  }
  return found;
}

/** A level as a load. */
export function capacityAt({ by }: Pick<SweepSettings, 'by'>, level: number): Capacity {
  return by === 'rate' ? { rate: level } : { concurrency: level };
}

/** The report of a sweep. */
export function sweepReport(sources: SweepSources): SweepReport {
  const { settings, evidence, planned, loads, cells } = sources;
  const byCell = new Map(cells.map((cell) => [cellKey(cell), cell]));
  const found = subjectsOf(planned).map((subject) => {
    const levels = evidence.levels(subject, planned, loads);
    const points = levels.map((level) => pointOf(level, byCell.get(cellKey(level.cell))));
    const failureAt = (cell: Cell) => byCell.get(cellKey(cell))?.failures[0];
    return { search: searchOf(subject, levels, points, { ...sources, failureAt }), points };
  });
  const searches = found.map(({ search }) => search);
  const capacities = searches.map(({ range }) => range.met);
  const least = Math.min(...capacities.map((met) => met ?? 0));
  return {
    by: settings.by,
    objectives: evidence.slos.map(({ threshold }) => threshold.expression),
    capacity: searches.length > 0 && !capacities.includes(null) ? capacityAt(settings, least) : null,
    confidence: CONFIDENCE,
    precision: settings.precision,
    searches,
    points: found.flatMap(({ points }) => points),
  };
}

function searchOf(
  subject: SweepSubject,
  levels: readonly LevelEvidence[],
  points: readonly SweepPoint[],
  { settings, isOverBudget, abortReason, failureAt }: SweepSources & Pick<StopFacts, 'failureAt'>,
): SweepSearch {
  const search = searchSettings(settings);
  const states = levels.map(({ state }) => state);
  const edge = edgeOf(states, search);
  const { met, broken, decided } = edge;
  const isDone = nextStep(states, search).kind === 'done';
  return {
    ...subject,
    capacity: met === null ? null : capacityAt(settings, met),
    range: { met, broken },
    decided,
    stop: stopOf(edge, levels, { settings, isDone, isOverBudget, abortReason, failureAt }),
    knee: findKnee(
      points.flatMap(({ verdict, requestsPerSecond, ...cell }) =>
        verdict === 'client' || requestsPerSecond === null
          ? []
          : [{ level: levelAt(cell), throughput: requestsPerSecond }],
      ),
    ),
  };
}

function pointOf(
  { cell, state, judgements, requests }: LevelEvidence,
  report: CellReport | undefined,
): SweepPoint {
  return {
    ...cell,
    verdict: verdictOf(state),
    leaning: state.leaning,
    objectives: judgements.map(findingOf),
    measurements: state.valid + state.invalid,
    invalid: state.invalid,
    requests,
    ttftP95Ms: report?.metrics.ttft?.p95 ?? null,
    requestsPerSecond: report?.throughput.requestsPerSecond ?? null,
    tokensPerSecond: report?.throughput.tokensPerSecond ?? null,
    goodput: report?.goodput?.requestsPerSecond ?? null,
    client: report?.client?.verdict ?? null,
  };
}

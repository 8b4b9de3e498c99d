import type { AcceptedRun } from '../../model/accepted-run.ts';
import type {
  HistoryChange,
  HistoryLevel,
  HistoryReport,
  HistoryRun,
  HistorySeries,
  TrackedFigure,
} from '../../model/history.ts';
import { type ChangePoint, findChangePoints } from './change-points.ts';
import { changeScale, figureValues } from './figure-values.ts';
import { groupRuns, type RunGroup } from './groups.ts';

/** What a history is made of. */
export interface HistoryOptions {
  source: string;
  figures: readonly TrackedFigure[];
  /** Also search each cell. Default false. */
  byCell?: boolean;
  /** Default 0.05. */
  alpha?: number;
  /** Default 1. */
  seed?: number;
  warnings?: readonly string[];
}

/** The history of runs, given in any order. */
export function historyOf(runs: readonly AcceptedRun[], options: HistoryOptions): HistoryReport {
  const { source, figures, byCell = false, alpha = 0.05, seed = 1, warnings = [] } = options;
  const groups = groupRuns(runs);
  const traced = groups.map((group, index) =>
    traceGroup(group, { index, figures, byCell, search: { alpha, seed } }),
  );
  const all = groups.flatMap((group, index) =>
    group.runs.map((run, position) =>
      historyRun(run, group, index, figuresAt(traced[index]?.series ?? [], position)),
    ),
  );
  all.sort((a, b) => Date.parse(a.startedAt) - Date.parse(b.startedAt));
  return {
    schema: 'streambench/history@1',
    source,
    runs: all,
    changePoints: traced.flatMap(({ changes }) => changes),
    groups: groups.map(({ runs: own, hostClass, differs }) => ({
      scenario: own.at(-1)?.manifest.scenario.name ?? '',
      hostClass,
      runs: own.length,
      from: own.at(0)?.manifest.run.startedAt ?? '',
      to: own.at(-1)?.manifest.run.startedAt ?? '',
      differs,
    })),
    series: traced.flatMap(({ series }) => series),
    settings: { method: 'e-divisive', alpha, seed },
    warnings: [...warnings],
  };
}

function historyRun(
  { manifest: { run, environment, scenario }, cells, newLevel }: AcceptedRun,
  { hostClass }: RunGroup,
  group: number,
  figures: HistoryRun['figures'],
): HistoryRun {
  const sum = (of: 'requests' | 'failed') => cells.reduce((total, cell) => total + cell[of], 0);
  return {
    id: run.id,
    startedAt: run.startedAt,
    commit: environment.gitCommit,
    branch: environment.gitBranch,
    hostClass,
    scenario: scenario.name,
    group,
    requests: sum('requests'),
    failed: sum('failed'),
    newLevel,
    figures,
  };
}

function figuresAt(series: readonly HistorySeries[], position: number): HistoryRun['figures'] {
  const overall = series.filter(({ cell }) => cell === null);
  return Object.fromEntries(overall.map(({ figure, values }) => [figure, values[position] ?? null]));
}

interface TraceOptions {
  /** Of the group. */
  index: number;
  figures: readonly TrackedFigure[];
  byCell: boolean;
  search: { alpha: number; seed: number };
}

type Values = Pick<HistorySeries, 'figure' | 'unit' | 'better' | 'cell' | 'cells' | 'values'>;

/** The series of a group and their change points. All cells together are one family, single cells another. */
function traceGroup(group: RunGroup, { index, figures, byCell, search }: TraceOptions) {
  const overall: Values[] = [];
  const single: Values[] = [];
  for (const { figure, unit, better } of figures) {
    const { all, cells } = figureValues(figure, group.runs);
    overall.push({ figure, unit, better, cell: null, cells: cells.length, values: all });
    if (!byCell || cells.length < 2) continue;
    single.push(...cells.map(({ cell, values }) => ({ figure, unit, better, cell, cells: 1, values })));
  }
  const traced = [overall, single].flatMap((family) => {
    const points = findChangePoints(
      family.map((one) => changeScale(one, one.values)),
      search,
    );
    return family.map((one, member) => ({ ...one, points: points[member] ?? [] }));
  });
  return {
    series: traced.map(
      ({ points, ...values }): HistorySeries => ({
        group: index,
        ...values,
        levels: levelsOf(values.values, points),
      }),
    ),
    changes: traced.flatMap(({ points, ...values }) => changesOf(values, points, group, index)),
  };
}

function levelsOf(values: Values['values'], points: readonly ChangePoint[]): HistoryLevel[] {
  return [0, ...points.map(({ index }) => index)].flatMap((from, part) => {
    const median = medianOf(presentIn(values, from, points[part]?.index));
    return median === null ? [] : [{ from, median }];
  });
}

function changesOf(
  { figure, unit, better, cell, values }: Values,
  points: readonly ChangePoint[],
  { runs, hostClass }: RunGroup,
  group: number,
): HistoryChange[] {
  return points.flatMap(({ index, pValue }, part) => {
    const earlier = presentIn(values, points[part - 1]?.index ?? 0, index);
    const later = presentIn(values, index, points[part + 1]?.index);
    const [before, after] = [medianOf(earlier), medianOf(later)];
    const run = runs[index]?.manifest;
    // The last run that has a value.
    const previous = runs[values.findLastIndex((value, at) => at < index && value !== null)]?.manifest;
    if (before === null || after === null || run === undefined || previous === undefined) return [];
    const change: HistoryChange = {
      figure,
      unit,
      better,
      group,
      hostClass,
      cell,
      direction: after > before === (better === 'higher') ? 'better' : 'worse',
      before,
      after,
      ratio: unit === 'ratio' || before === 0 ? null : after / before,
      run: run.run.id,
      startedAt: run.run.startedAt,
      commit: run.environment.gitCommit,
      previousRun: previous.run.id,
      previousCommit: previous.environment.gitCommit,
      runsBefore: earlier.length,
      runsAfter: later.length,
      pValue,
    };
    return [change];
  });
}

function presentIn(values: Values['values'], from: number, to: number | undefined): number[] {
  return values.slice(from, to).flatMap((value) => value ?? []);
}

function medianOf(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? null : (low + high) / 2;
}

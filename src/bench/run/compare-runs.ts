import { type GateCheck, parseChecks } from '../../analysis/regression/checks.ts';
import { type CompareOptions, compareWithHistory } from '../../analysis/regression/compare.ts';
import type { AcceptedRun, Pin } from '../../model/accepted-run.ts';
import { formatProblem, UserError } from '../../model/errors.ts';
import type { RunComparison } from '../../model/run-comparison.ts';
import { findBaseline, readBaseline } from '../../results/baselines.ts';
import { readManifest } from '../../results/read-run.ts';
import { readAcceptedRun } from './accepted-run.ts';

/** A run comparison as one JSON document. */
export interface RunComparisonReport extends RunComparison {
  schema: 'streambench/comparison@2';
}

/** How runs are compared. */
export interface CompareRunsOptions extends Pick<CompareOptions, 'seed' | 'assumedSpread' | 'anyMachine'> {
  /** The folder with runs and baselines. Default `results`. */
  output?: string;
  /** The checks as they are written. Default: those of the new run, else the default ones. */
  regressions?: readonly string[];
  /** Receives one sentence for each problem with what is read. */
  warning?(message: string): void;
}

/** What a name or a folder stands for. */
export interface AcceptedHistory {
  /** Oldest first. At least one. */
  runs: AcceptedRun[];
  pins: Pin[];
  warnings: string[];
}

/**
 * Compares a run with a baseline or another run. Both are given by the name of a baseline or the folder of a run; as the new
 * side a baseline is its newest run. Rejects with a `UserError` where one of them cannot be read. Runs that cannot be compared
 * are not an error: their verdict is `not_comparable`.
 */
export async function compareWithBaseline(
  base: string,
  next: string,
  { output = 'results', regressions, warning, ...options }: CompareRunsOptions = {},
): Promise<RunComparisonReport> {
  const found = await findBaseline(output, next);
  const written =
    regressions ?? (found.kind === 'run' ? (await readManifest(found.folder)).regressions : undefined);
  const checks = written === undefined || written.length === 0 ? undefined : parseChecks(written);
  const tell = (warnings: readonly string[]) => {
    for (const message of warnings) warning?.(message);
  };
  const accepted = await readHistory(base, { output, checks, warning });
  tell(accepted.warnings);
  let newest: AcceptedRun | undefined;
  if (found.kind === 'run') newest = await readAcceptedRun(found.folder, { checks, warning });
  else {
    const history = await readHistory(next, { output, checks, warning });
    tell(history.warnings);
    newest = history.runs.at(-1);
  }
  if (newest === undefined) throw noRuns(next, []);
  const comparison = compareWithHistory(accepted.runs, newest, {
    ...options,
    base: nameOf(base, accepted.runs),
    checks,
    pins: accepted.pins,
  });
  return JSON.parse(
    JSON.stringify({ schema: 'streambench/comparison@2', ...comparison }),
  ) as RunComparisonReport;
}

/** The name of a baseline stays; the folder of a run is called by the run's id. */
function nameOf(given: string, runs: readonly AcceptedRun[]): string {
  return /[\\/]/.test(given) && runs.length === 1 ? (runs[0]?.manifest.run.id ?? given) : given;
}

/**
 * Reads the accepted runs of a baseline, or the folder of one run. Rejects with a `UserError`: `results_not_found` where there
 * is none, `results_invalid` where no entry can be used.
 */
export async function readHistory(
  nameOrFolder: string,
  {
    output,
    checks,
    warning,
    whole = false,
  }: { output: string; checks?: readonly GateCheck[]; warning?(message: string): void; whole?: boolean },
): Promise<AcceptedHistory> {
  const { kind, folder, oldRun } = await findBaseline(output, nameOrFolder);
  const read = () => readAcceptedRun(folder, { checks, warning, whole });
  if (kind === 'run') return { runs: [await read()], pins: [], warnings: [] };
  const store = await readBaseline(folder);
  const old = oldRun ? await readOldRun(read) : { runs: [], warnings: [] };
  // Where nothing else is left, its own error says best what is wrong.
  if (store.runs.length === 0 && store.warnings.length === 0 && old.error !== undefined) throw old.error;
  const runs = [...old.runs, ...store.runs];
  const warnings = [...old.warnings, ...store.warnings];
  if (runs.length === 0) throw noRuns(nameOrFolder, warnings);
  return { runs, pins: store.pins, warnings };
}

/** The run that an older version saved. A damaged one is left out with a warning, as a damaged entry is. */
async function readOldRun(
  read: () => Promise<AcceptedRun>,
): Promise<{ runs: AcceptedRun[]; warnings: string[]; error?: UserError }> {
  try {
    return { runs: [await read()], warnings: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const warnings = error.problems.map(
      ({ hint, ...problem }) =>
        `${formatProblem(problem)}; its run is left out${hint === undefined ? '' : ` (${hint})`}`,
    );
    return { runs: [], warnings, error };
  }
}

function noRuns(name: string, warnings: readonly string[]): UserError {
  return new UserError('results_invalid', [
    ...warnings.map((message) => ({ message })),
    {
      message: `baseline "${name}" has no accepted run that can be used`,
      hint: `save one with --save-baseline ${name}`,
    },
  ]);
}

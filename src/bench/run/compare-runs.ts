import { type GateCheck, parseChecks } from '../../analysis/regression/checks.ts';
import { type CompareOptions, compareWithHistory } from '../../analysis/regression/compare.ts';
import type { AcceptedRun, Pin } from '../../model/accepted-run.ts';
import { UserError } from '../../model/errors.ts';
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
  const found = await findBaseline(output, nameOrFolder);
  const old =
    found.kind === 'run' || found.oldRun
      ? [await readAcceptedRun(found.folder, { checks, warning, whole })]
      : [];
  if (found.kind === 'run') return { runs: old, pins: [], warnings: [] };
  const store = await readBaseline(found.folder);
  const runs = [...old, ...store.runs];
  if (runs.length === 0) throw noRuns(nameOrFolder, store.warnings);
  return { runs, pins: store.pins, warnings: store.warnings };
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

import { createSampler } from '../../analysis/comparison/samples.ts';
import { checksOf } from '../../analysis/regression/checks.ts';
import { type CompareOptions, compareWithHistory } from '../../analysis/regression/compare.ts';
import { selectHistory } from '../../analysis/regression/selection.ts';
import { historyMetrics } from '../../analysis/regression/summarize.ts';
import type { AcceptedRun } from '../../model/accepted-run.ts';
import { UserError } from '../../model/errors.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { CellReport, Manifest } from '../../model/report.ts';
import type { BaselineReport } from '../../model/run-comparison.ts';
import { summaryOf } from './accepted-run.ts';
import { readHistory } from './compare-runs.ts';

/** A baseline that was read, ready to be compared with new runs. */
export interface Baseline {
  readonly name: string;
  /** The accepted runs, oldest first. */
  readonly runs: readonly AcceptedRun[];
  /** One sentence for each part of the baseline that could not be used. */
  readonly warnings: readonly string[];
  /** Why a run with this manifest cannot be compared with the baseline. Known before the run starts. */
  obstacles(manifest: Manifest): string[];
  /** Starts the regression check of the run that starts with this manifest. */
  check(start: Manifest): RegressionCheck;
}

/** Compares a run with its baseline: collects records during the run, decides at its end. */
export interface RegressionCheck {
  add(record: RequestRecord): void;
  /** `manifest`: as it is at the end of the run. `cells`: of its report. */
  result(manifest: Manifest, cells: readonly CellReport[]): BaselineReport;
}

/** Which baseline to read, and how runs are compared with it. */
export interface BaselineOptions extends Pick<CompareOptions, 'assumedSpread' | 'anyMachine'> {
  /** The name of a baseline under `OUTPUT/baselines`, or the folder of a run. */
  name: string;
  output: string;
  /** An inconclusive comparison is a failure too. */
  strict: boolean;
}

/**
 * Reads a baseline. Rejects with a `UserError`: `results_not_found` where there is none, `results_invalid` where no accepted run
 * of it can be used: damaged, incomplete, of another version, or without a single successful request. Nothing can be compared
 * with such a baseline, and that must not look like a pass.
 */
export async function openBaseline({ name, output, strict, ...options }: BaselineOptions): Promise<Baseline> {
  const { runs, pins, warnings } = await readHistory(name, { output, whole: true });
  const usable = runs.filter((run) => whyUnusable(run) === undefined);
  const [first] = runs;
  if (usable.length === 0 && first !== undefined) {
    throw new UserError('results_invalid', {
      message: `baseline "${name}" ${whyUnusable(first)}`,
      hint: `save a new one with --save-baseline ${name}`,
    });
  }
  const { anyMachine } = options;
  return {
    name,
    runs: usable,
    warnings,
    obstacles: (manifest) => selectHistory(usable, { manifest }, { anyMachine }).obstacles,
    check(start) {
      const checks = checksOf(start);
      const sampler = createSampler(start, historyMetrics(checks));
      return {
        add: (record) => sampler.add(record),
        result(manifest, cells) {
          const next = summaryOf(sampler, manifest, cells, checks ?? []);
          const comparison = compareWithHistory(usable, next, { ...options, base: name, checks, pins });
          // Through JSON, as it is stored: a live report and one rebuilt from disk must be equal.
          return JSON.parse(JSON.stringify({ name, strict, ...comparison })) as BaselineReport;
        },
      };
    },
  };
}

function whyUnusable({ manifest: { run }, cells }: AcceptedRun): string | undefined {
  const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
  const failed = cells.reduce((sum, cell) => sum + cell.failed, 0);
  if (requests === 0) return 'has no requests';
  if (failed === requests) return `has no successful request among its ${requests}`;
  return run.aborted ? `is incomplete: ${run.abortReason ?? 'its run was aborted'}` : undefined;
}

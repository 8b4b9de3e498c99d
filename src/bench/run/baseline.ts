import { comparability } from '../../analysis/comparison/comparability.ts';
import { compareRuns, REGRESSION_FIGURES } from '../../analysis/comparison/run-comparison.ts';
import { createSampler } from '../../analysis/comparison/samples.ts';
import { UserError } from '../../model/errors.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { Manifest } from '../../model/report.ts';
import type { BaselineReport } from '../../model/run-comparison.ts';
import { findBaseline } from '../../results/baselines.ts';
import { samplesOf } from './compare-runs.ts';

/** A baseline that was read, ready to be compared with new runs. */
export interface Baseline {
  readonly name: string;
  /** Why a run with this manifest cannot be compared with the baseline. Known before the run starts. */
  obstacles(manifest: Manifest): string[];
  /** Starts the regression check of the run that starts with this manifest. */
  check(start: Manifest): RegressionCheck;
}

/** Compares a run with its baseline: collects records during the run, decides at its end. */
export interface RegressionCheck {
  add(record: RequestRecord): void;
  /** `manifest`: as it is at the end of the run. */
  result(manifest: Manifest): BaselineReport;
}

/** Which baseline to read. */
export interface BaselineOptions {
  /** The name of a baseline saved under `OUTPUT/baselines`, or the folder of a run. */
  name: string;
  output: string;
  /** An inconclusive comparison is a failure too. */
  strict: boolean;
}

/**
 * Reads a baseline. Rejects with a `UserError`: `results_not_found` where there is none, `results_invalid` where it is damaged,
 * incomplete, of another version, or without a single successful request. Nothing can be compared with such a baseline, and that
 * must not look like a pass.
 */
export async function openBaseline({ name, output, strict }: BaselineOptions): Promise<Baseline> {
  const { folder } = await findBaseline(output, name);
  const base = await samplesOf(folder, { whole: true });
  const cells = [...base.cells.values()];
  if (cells.every(({ outcomes }) => (outcomes.ok ?? 0) === 0)) {
    const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
    throw unusable(
      name,
      requests === 0 ? 'has no requests' : `has no successful request among its ${requests}`,
    );
  }
  const { run } = base.manifest;
  if (run.aborted) throw unusable(name, `is incomplete: ${run.abortReason ?? 'its run was aborted'}`);
  return {
    name,
    obstacles: (manifest) => comparability(base.manifest, manifest).obstacles,
    check(start) {
      const metrics = REGRESSION_FIGURES.map(({ metric }) => metric);
      const sampler = createSampler(start, metrics);
      return {
        add: (record) => sampler.add(record),
        result(manifest) {
          const comparison = compareRuns(base, { ...sampler.result(), manifest }, { seed: 1 });
          // Through JSON, as it is stored: a live report and one rebuilt from disk must be equal.
          return JSON.parse(JSON.stringify({ name, strict, ...comparison })) as BaselineReport;
        },
      };
    },
  };
}

function unusable(name: string, why: string): UserError {
  return new UserError('results_invalid', {
    message: `baseline "${name}" ${why}`,
    hint: `save a new one with --save-baseline ${name}`,
  });
}

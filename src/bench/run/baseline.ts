import { comparability } from '../../analysis/comparison/comparability.ts';
import { compareRuns, REGRESSION_FIGURES } from '../../analysis/comparison/run-comparison.ts';
import { createSampler } from '../../analysis/comparison/samples.ts';
import { UserError } from '../../model/errors.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { Manifest } from '../../model/report.ts';
import type { BaselineReport } from '../../model/run-comparison.ts';
import { findBaseline, samplesOf } from './compare-runs.ts';

/** A run that is to be held against a baseline while it goes on. */
export interface Baseline {
  readonly name: string;
  /** Why this run and the baseline cannot be compared, as far as that is known before it begins. */
  obstacles(manifest: Manifest): string[];
  /** Begins the comparison with the run that begins with this manifest. */
  against(start: Manifest): BaselineComparison;
}

/** A comparison that goes on while the run does. */
export interface BaselineComparison {
  /** Takes in a record of the run. */
  add(record: RequestRecord): void;
  /** What the comparison says, with the manifest as it is at the end of the run. */
  result(manifest: Manifest): BaselineReport;
}

/** Which baseline, and how it is used. */
export interface BaselineOptions {
  /** A name that was saved under `OUTPUT/baselines`, or the folder of a run. */
  name: string;
  output: string;
  /** To know nothing is a failure too. */
  strict: boolean;
}

/**
 * Reads a baseline, before anything is sent. Rejects with a `UserError`: `results_not_found` where there is none,
 * `results_invalid` where it is damaged, truncated, of another version, not whole, or without a single good answer: nothing
 * can be said against such a one, and that must not look like a pass.
 */
export async function openBaseline({ name, output, strict }: BaselineOptions): Promise<Baseline> {
  const folder = await findBaseline(output, name);
  const base = await samplesOf(folder, { whole: true });
  const cells = [...base.cells.values()];
  const requests = cells.reduce((sum, cell) => sum + cell.requests, 0);
  if (cells.every(({ outcomes }) => (outcomes.ok ?? 0) === 0)) {
    throw unusable(
      name,
      `holds no data: ${requests === 0 ? 'it has no requests' : `none of its ${requests} requests was ok`}`,
    );
  }
  const { run } = base.manifest;
  if (run.aborted) throw unusable(name, `is not whole: ${run.abortReason ?? 'its run was aborted'}`);
  return {
    name,
    obstacles: (manifest) => comparability(base.manifest, manifest).obstacles,
    against(start) {
      const metrics = REGRESSION_FIGURES.map(({ metric }) => metric);
      const sampler = createSampler(start, metrics);
      return {
        add: (record) => sampler.add(record),
        result(manifest) {
          const comparison = compareRuns(base, { ...sampler.result(), manifest }, { seed: 1 });
          // As it will be read again: what JSON cannot say must not be in a report made live either.
          return JSON.parse(JSON.stringify({ name, strict, ...comparison })) as BaselineReport;
        },
      };
    },
  };
}

function unusable(name: string, why: string): UserError {
  return new UserError('results_invalid', {
    message: `baseline "${name}" ${why}`,
    hint: `make a new one with --save-baseline ${name}`,
  });
}

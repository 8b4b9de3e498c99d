import { join } from 'node:path';
import {
  compareRuns,
  REGRESSION_FIGURES,
  type RunComparison,
} from '../../analysis/comparison/run-comparison.ts';
import { createSampler, type RunSamples } from '../../analysis/comparison/samples.ts';
import { expectedRecords, runWith } from '../../model/completeness.ts';
import { UserError } from '../../model/errors.ts';
import { readRun, readWarnings } from '../../results/read-run.ts';
import { RECORDS_FILE } from '../../results/run-folder.ts';

/** A run comparison as one JSON document. */
export interface RunComparisonReport extends RunComparison {
  schema: 'streambench/comparison@1';
}

/** How runs are compared. */
export interface CompareRunsOptions {
  /** Seed of the resampling. Default 1. */
  seed?: number;
  /** Receives one sentence for each problem with the records. */
  warning?(message: string): void;
}

/**
 * Compares two runs on disk. Rejects with a `UserError` where one of them cannot be read. Runs that cannot be compared are not
 * an error: their verdict is `not_comparable`.
 */
export async function compareFolders(
  base: string,
  next: string,
  { seed = 1, warning }: CompareRunsOptions = {},
): Promise<RunComparisonReport> {
  const [before, after] = [await samplesOf(base, { warning }), await samplesOf(next, { warning })];
  return { schema: 'streambench/comparison@1', ...compareRuns(before, after, { seed }) };
}

/**
 * Reads the samples of a run on disk. Rejects with a `UserError` where it cannot be read, and (`results_invalid`) where records
 * are missing that the run wrote. Unreadable lines are skipped with a warning; with `whole` they are an error too.
 */
export async function samplesOf(
  folder: string,
  { warning, whole = false }: { warning?(message: string): void; whole?: boolean },
): Promise<RunSamples> {
  const run = await readRun(folder);
  const sampler = createSampler(
    run.manifest,
    REGRESSION_FIGURES.map(({ metric }) => metric),
  );
  for await (const batch of run.batches) for (const record of batch) sampler.add(record);
  const warnings = readWarnings(run, folder);
  const { records, unreadable } = run.found();
  const missing = (expectedRecords(run.manifest) ?? records) - records;
  if (missing > unreadable.lines || (whole && warnings.length > 0)) {
    const path = join(folder, RECORDS_FILE);
    throw new UserError('results_invalid', {
      message: warnings[0] ?? `${path} holds ${records} of ${records + missing} planned records`,
      hint: 'the file was truncated or damaged after the run; copy the folder again or repeat the run',
    });
  }
  for (const message of warnings) warning?.(message);
  const { manifest } = run;
  return { ...sampler.result(), manifest: { ...manifest, run: runWith(manifest, records) } };
}

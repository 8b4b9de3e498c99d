import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  compareRuns,
  REGRESSION_FIGURES,
  type RunComparison,
} from '../../analysis/comparison/run-comparison.ts';
import { createSampler, type RunSamples } from '../../analysis/comparison/samples.ts';
import { promisedRecords, runWith } from '../../model/completeness.ts';
import { UserError } from '../../model/errors.ts';
import { readRun, readWarnings } from '../../results/read-run.ts';
import { RECORDS_FILE } from '../../results/run-folder.ts';

/** Two runs compared, as one document. */
export interface RunComparisonReport extends RunComparison {
  schema: 'streambench/comparison@1';
}

/** How runs are compared. */
export interface CompareRunsOptions {
  /** Seed of the resampling. Default 1. */
  seed?: number;
  /** Told in a sentence what is odd about the records. */
  warning?(message: string): void;
}

/**
 * Compares two runs on disk: has the second become slower than the first? Rejects with a `UserError` when one of them
 * cannot be read; runs that cannot be compared are a verdict.
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
 * The samples of a run on disk. Rejects with a `UserError` when it cannot be read, and (`results_invalid`) when records are
 * missing that the run wrote. Lines that cannot be read are left out with a warning; with `whole` they are refused too.
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
  const missing = (promisedRecords(run.manifest) ?? records) - records;
  if (missing > unreadable.lines || (whole && warnings.length > 0)) {
    const path = join(folder, RECORDS_FILE);
    throw new UserError('results_invalid', {
      message: warnings[0] ?? `${path} holds ${records} of ${records + missing} planned records`,
      hint: 'the file was truncated or damaged after the run; copy the folder again, or repeat the run',
    });
  }
  for (const message of warnings) warning?.(message);
  const { manifest } = run;
  return { ...sampler.result(), manifest: { ...manifest, run: runWith(manifest, records) } };
}

const NAME = /^[\w][\w.-]*$/;

function baselineFolder(output: string, name: string): string {
  return join(output, 'baselines', name);
}

/**
 * The folder of a baseline: a run's folder, or a name that was saved under `OUTPUT/baselines`. Rejects with a
 * `UserError` (`results_not_found`) when there is none: without a baseline there is no verdict.
 */
export async function findBaseline(output: string, nameOrFolder: string): Promise<string> {
  const candidates = [nameOrFolder, baselineFolder(output, nameOrFolder)];
  for (const folder of candidates) {
    if ((await stat(folder).catch(() => undefined))?.isDirectory()) return folder;
  }
  throw new UserError('results_not_found', {
    message: `no baseline "${nameOrFolder}"`,
    hint: `looked for ${candidates.join(' and ')}; make one with --save-baseline ${nameOrFolder}`,
  });
}

/** Refuses a name that would be no plain folder name. */
export function checkBaselineName(name: string): void {
  if (NAME.test(name)) return;
  throw new UserError('usage', {
    message: `"${name}" is no name for a baseline`,
    hint: 'use letters, digits, dots, dashes and underscores',
  });
}

/** Keeps a run as a baseline of that name; an earlier one of the name is replaced whole. Resolves with its folder. */
export async function saveBaseline(run: string, output: string, name: string): Promise<string> {
  checkBaselineName(name);
  const folder = baselineFolder(output, name);
  const fresh = `${folder}.new`;
  await mkdir(join(output, 'baselines'), { recursive: true });
  await rm(fresh, { recursive: true, force: true });
  await cp(run, fresh, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await rename(fresh, folder);
  return folder;
}

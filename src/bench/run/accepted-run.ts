import { join } from 'node:path';
import { createSampler, type Sampler } from '../../analysis/comparison/samples.ts';
import type { GateCheck } from '../../analysis/regression/checks.ts';
import { historyMetrics, summarizeRun } from '../../analysis/regression/summarize.ts';
import { parseObjective } from '../../analysis/thresholds/objective-parser.ts';
import { createAggregator } from '../../metrics/aggregate.ts';
import type { AcceptedRun } from '../../model/accepted-run.ts';
import { expectedRecords, runWith } from '../../model/completeness.ts';
import { UserError } from '../../model/errors.ts';
import type { CellReport, Manifest } from '../../model/report.ts';
import { readRun, readWarnings } from '../../results/read-run.ts';
import { RECORDS_FILE } from '../../results/run-folder.ts';

/** From a run on disk to what the history of a baseline keeps of it. */

/** How a run's folder is read. */
export interface ReadOptions {
  /** The checks that the summary is for; their figures are in it besides the usual ones. */
  checks?: readonly GateCheck[];
  /** Receives one sentence for each problem with the records. */
  warning?(message: string): void;
  /** Unreadable lines are an error, not a warning. Default false. */
  whole?: boolean;
}

/**
 * Reads a run on disk as an accepted run. Rejects with a `UserError` where it cannot be read, and (`results_invalid`) where
 * records are missing that the run wrote.
 */
export async function readAcceptedRun(
  folder: string,
  { checks = [], warning, whole = false }: ReadOptions = {},
): Promise<AcceptedRun> {
  const stored = await readRun(folder);
  const { manifest } = stored;
  const sampler = createSampler(manifest, historyMetrics(checks));
  const goodput = goodputOf(manifest);
  for await (const batch of stored.batches)
    for (const record of batch) {
      sampler.add(record);
      goodput?.add(record);
    }
  const warnings = readWarnings(stored, folder);
  const { records, unreadable } = stored.found();
  const missing = (expectedRecords(manifest) ?? records) - records;
  if (missing > unreadable.lines || (whole && warnings.length > 0)) {
    const path = join(folder, RECORDS_FILE);
    throw new UserError('results_invalid', {
      message: warnings[0] ?? `${path} holds ${records} of ${records + missing} planned records`,
      hint: 'the file was truncated or damaged after the run; copy the folder again or repeat the run',
    });
  }
  for (const message of warnings) warning?.(message);
  const read = { ...manifest, run: runWith(manifest, records) };
  return summaryOf(sampler, read, goodput?.cells() ?? [], checks);
}

/** The summary of a run whose records a sampler has. `reports`: its cells, for the goodput. Equal to one that was stored. */
export function summaryOf(
  sampler: Sampler,
  manifest: Manifest,
  reports: readonly CellReport[],
  checks: readonly GateCheck[],
): AcceptedRun {
  const summary = summarizeRun({ ...sampler.result(), manifest }, { reports, checks });
  return JSON.parse(JSON.stringify(summary)) as AcceptedRun;
}

/** Only a run with objectives has a goodput. */
function goodputOf(manifest: Manifest) {
  const objectives = (manifest.objectives ?? []).map(parseObjective);
  return objectives.length === 0 ? undefined : createAggregator(manifest, objectives);
}

import type { Report } from '../../model/report.ts';
import { readRun, readWarnings } from '../../results/read-run.ts';
import { createRunFold } from './run-fold.ts';

/** A report made again, and what was odd about the records on the way. */
export interface ReportAgain {
  report: Report;
  /** Sentences for a person, such as that a last line was cut by a crash. */
  warnings: readonly string[];
}

/**
 * Makes a run's report again from its records. Rejects with a `UserError` when the folder holds no run, or one of a
 * schema this version does not read.
 */
export async function reportRun(folder: string): Promise<ReportAgain> {
  const stored = await readRun(folder);
  const fold = createRunFold(stored.manifest);
  for await (const batch of stored.batches) for (const record of batch) fold.add(record);
  return { report: fold.report(stored.manifest), warnings: readWarnings(stored, folder) };
}

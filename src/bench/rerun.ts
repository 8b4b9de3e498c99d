import type { Report } from '../model/report.ts';
import { readRun } from '../results/read-run.ts';
import { createRunFold } from './fold.ts';

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
  const { manifest, records, warnings } = await readRun(folder);
  const fold = createRunFold(manifest);
  for await (const record of records) fold.add(record);
  return { report: fold.report(manifest), warnings };
}

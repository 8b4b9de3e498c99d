import type { Manifest, RunInfo } from './report.ts';

/**
 * The number of records that a run should have, by its manifest; null if unknown (a run limited by time that did not record
 * its end). For an aborted run: the requests measured before it ended.
 */
export function expectedRecords({ run, records, scenario }: Manifest): number | null {
  if (run.aborted || isLimitedByTime(scenario.document)) return records ?? null;
  if (run.planned === null) return records ?? null;
  return Math.max(records ?? 0, run.planned);
}

/** With a duration, the number of planned requests is only an upper limit. */
function isLimitedByTime(document: unknown): boolean {
  const load = (document as { load?: { duration?: unknown } } | null)?.load;
  return load?.duration !== undefined;
}

/**
 * The run's info for a report on `records` records. A run with missing records is marked as aborted, even if its manifest
 * says that it is complete.
 */
export function runWith(manifest: Manifest, records: number): RunInfo {
  const { run } = manifest;
  const expected = expectedRecords(manifest);
  if (run.aborted || expected === null || records >= expected) return run;
  return { ...run, aborted: true, abortReason: `${expected - records} of ${expected} records are missing` };
}

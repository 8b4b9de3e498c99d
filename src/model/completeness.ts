import type { Manifest, RunInfo } from './report.ts';

/**
 * Records that a run's manifest promises: null where nothing is known (a run limited by time that did not record its end).
 * An aborted run promises what it had measured when it ended.
 */
export function promisedRecords({ run, records, scenario }: Manifest): number | null {
  if (run.aborted || isLimitedByTime(scenario.document)) return records ?? null;
  if (run.planned === null) return records ?? null;
  return Math.max(records ?? 0, run.planned);
}

/** With a duration, the number of planned requests is only the most there may be. */
function isLimitedByTime(document: unknown): boolean {
  const load = (document as { load?: { duration?: unknown } } | null)?.load;
  return load?.duration !== undefined;
}

/**
 * The run as a report of `records` of its records must state it: one whose records are not all there is not complete,
 * whatever its manifest says.
 */
export function runWith(manifest: Manifest, records: number): RunInfo {
  const { run } = manifest;
  const promised = promisedRecords(manifest);
  if (run.aborted || promised === null || records >= promised) return run;
  return { ...run, aborted: true, abortReason: `${promised - records} of ${promised} records are missing` };
}

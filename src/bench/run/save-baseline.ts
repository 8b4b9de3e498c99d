import { checksOf } from '../../analysis/regression/checks.ts';
import type { AcceptedRun } from '../../model/accepted-run.ts';
import type { Report } from '../../model/report.ts';
import { appendAcceptedRun } from '../../results/baselines.ts';
import { readManifest } from '../../results/read-run.ts';
import { readAcceptedRun } from './accepted-run.ts';

/** Adds a run to the history of a baseline, unless that would hide a regression from the runs after it. */

/** Whether a run may become part of a baseline. */
export interface SaveOptions {
  output: string;
  name: string;
  /** Add it although it regressed, is not comparable, failed a threshold or was inconclusive. Incomplete runs are never added. */
  accept?: boolean;
  /** An inconclusive comparison keeps the run out too. */
  strict?: boolean;
}

/** Where the run was stored, or why the baseline was kept as it is. */
export type Saved = { path: string } | { kept: string; accept: boolean };

/** Saves the run in this folder. Rejects with a `UserError` where it cannot be read or written. */
export async function saveToBaseline(
  folder: string,
  report: Report,
  { output, name, accept = false, strict = false }: SaveOptions,
): Promise<Saved> {
  const { run, cells, baseline } = report;
  if (run.aborted) return { kept: 'the run is incomplete', accept: false };
  if (!cells.some(({ outcomes }) => (outcomes.ok ?? 0) > 0))
    return { kept: 'no request succeeded', accept: false };
  const objection = objectionTo(report, strict);
  if (objection !== undefined && !accept) return { kept: objection, accept: true };
  const checks = checksOf(await readManifest(folder));
  const summary: AcceptedRun = await readAcceptedRun(folder, { checks });
  // Older runs are no longer what the next one is expected to be like.
  if (baseline?.verdict === 'regression' || baseline?.verdict === 'improvement') summary.newLevel = true;
  return { path: await appendAcceptedRun(output, name, summary) };
}

/** Why a run must not become the measure of later ones by itself. */
function objectionTo({ gates, baseline }: Report, strict: boolean): string | undefined {
  if (baseline?.verdict === 'regression' || baseline?.verdict === 'not_comparable') return baseline.sentence;
  const failed = gates.find(({ verdict }) => verdict !== 'pass');
  if (failed !== undefined)
    return `threshold ${failed.expression} ${failed.verdict === 'fail' ? 'failed' : 'had no data'}`;
  return strict && baseline?.verdict === 'inconclusive' ? baseline.sentence : undefined;
}

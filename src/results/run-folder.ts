import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../model/errors.ts';

const NAME_MAX = 40;

/**
 * A run's id, which is also its folder's name: `2026-11-21T03-31-58-demo-3f2a`. UTC, so ids sort by time; safe as a
 * file name on every system. `random` gives numbers in [0, 1), as `Math.random` does: its four
 * digits keep apart runs of the same second.
 */
export function runId(name: string, date: Date, random: () => number): string {
  const time = date.toISOString().slice(0, 19).replaceAll(':', '-');
  const suffix = Math.floor(random() * 0x10000)
    .toString(16)
    .padStart(4, '0');
  return `${time}-${fileNamePart(name)}-${suffix}`;
}

// Letters and digits of any script stay: a scenario named 基准 should be found again by its name.
function fileNamePart(name: string): string {
  const safe = name
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}\p{M}_]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '');
  const cut = [...safe].slice(0, NAME_MAX).join('').replace(/-+$/, '');
  return cut === '' ? 'run' : cut;
}

/** What is in a run's folder. */

/** One request a line, in the order in which they ended. */
export const RECORDS_FILE = 'records.ndjson';
/** All of a report that the records do not say; written at the start and again at the end. */
export const MANIFEST_FILE = 'manifest.json';
/** The report, as `streambench report RUN -f json` prints it. */
export const REPORT_FILE = 'report.json';

export const RECORD_SCHEMA = 'streambench/record@1';
export const MANIFEST_SCHEMA = 'streambench/manifest@1';

/** The folder of a run, given by the folder itself or by the id of a run under `output`. */
export function runFolder(run: string, output = 'results'): string {
  const byId = join(output, run);
  return !existsSync(run) && existsSync(byId) ? byId : run;
}

/** The folder of the latest run under `output`. Throws a `UserError` (`results_not_found`) if there is no run. */
export function latestRun(output: string): string {
  // An id starts with the time, so names sort by time.
  const names = existsSync(output) ? readdirSync(output).sort() : [];
  const latest = names.findLast(
    (name) => /^\d{4}-/.test(name) && existsSync(join(output, name, MANIFEST_FILE)),
  );
  if (latest !== undefined) return join(output, latest);
  throw new UserError('results_not_found', {
    message: `no run found in ${output}`,
    hint: 'name the folder of the run: --resume FOLDER',
  });
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../model/errors.ts';
import type { Shard } from '../model/shard.ts';

const NAME_MAX = 40;

/**
 * A run's id, which is also its folder's name: `2026-11-21T03-31-58-demo-3f2a`. UTC, so ids sort by time; valid as a
 * file name on every system. `random` returns numbers in [0, 1), like `Math.random`: the four digits distinguish runs of the same
 * second. A shard has its number before them, as in `demo-2of4-3f2a`: with --start-at all shards start in the same second.
 */
export function runId(name: string, date: Date, random: () => number, shard?: Shard): string {
  const time = date.toISOString().slice(0, 19).replaceAll(':', '-');
  const suffix = Math.floor(random() * 0x10000)
    .toString(16)
    .padStart(4, '0');
  const part = shard === undefined ? '' : `-${shard.number}of${shard.of}`;
  return `${time}-${fileNamePart(name)}${part}-${suffix}`;
}

// Letters and digits of any script are kept: a scenario named 基准 must be recognisable in its folder's name.
function fileNamePart(name: string): string {
  const safe = name
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{N}\p{M}_]+/gu, '-')
    .replaceAll(/^-+|-+$/g, '');
  const cut = [...safe].slice(0, NAME_MAX).join('').replace(/-+$/, '');
  return cut === '' ? 'run' : cut;
}

/** The files in a run's folder. */

/** One request per line, in the order of their ends. */
export const RECORDS_FILE = 'records.ndjson';
/** The part of a report that is not in the records; written at the start and at the end of the run. */
export const MANIFEST_FILE = 'manifest.json';
/** The JSON report, as printed by `streambench report RUN -f json`. */
export const REPORT_FILE = 'report.json';
/** The HTML page, if it was opened without naming another file. */
export const PAGE_FILE = 'report.html';

export const RECORD_SCHEMA = 'streambench/record@1';
export const MANIFEST_SCHEMA = 'streambench/manifest@1';

/** The folder of a run, given by the folder itself or by the id of a run under `output`. */
export function runFolder(run: string, output = 'results'): string {
  const byId = join(output, run);
  return !existsSync(run) && existsSync(byId) ? byId : run;
}

/**
 * The folder of the latest run under `output`. Throws a `UserError` (`results_not_found`) if there is no run; `hint` says how to
 * name one.
 */
export function latestRun(output: string, hint: string): string {
  // An id starts with the time, so names sort by time.
  const names = existsSync(output) ? readdirSync(output).sort() : [];
  const latest = names.findLast(
    (name) => /^\d{4}-/.test(name) && existsSync(join(output, name, MANIFEST_FILE)),
  );
  if (latest !== undefined) return join(output, latest);
  throw new UserError('results_not_found', {
    message: `no run found in ${output}`,
    hint,
  });
}

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../model/errors.ts';
import { MANIFEST_FILE } from '../results/run-folder.ts';

/** The folder of a run that is named by its folder, or by its id where it is under `output`. */
export function runFolder(run: string, output = 'results'): string {
  const known = join(output, run);
  return !existsSync(run) && existsSync(known) ? known : run;
}

/** The folder of the last run under `output`. Throws a `UserError` (`results_not_found`) where there is none. */
export function lastRun(output: string): string {
  // Ids begin with the time.
  const runs = existsSync(output) ? readdirSync(output).sort() : [];
  const last = runs.findLast((name) => /^\d{4}-/.test(name) && existsSync(join(output, name, MANIFEST_FILE)));
  if (last !== undefined) return join(output, last);
  throw new UserError('results_not_found', {
    message: `there is no run under ${output}`,
    hint: 'name the folder of the run: --resume FOLDER',
  });
}

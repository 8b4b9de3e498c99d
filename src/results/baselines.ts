import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../model/errors.ts';

/** The baselines of an output folder: copies of run folders, at `OUTPUT/baselines/NAME`. */

const NAME = /^[\w][\w.-]*$/;

function baselineFolder(output: string, name: string): string {
  return join(output, 'baselines', name);
}

/**
 * The folder of a baseline. `nameOrFolder`: the folder of a run, or the name of a saved baseline. Rejects with a `UserError`
 * (`results_not_found`) where neither exists.
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

/** Throws a `UserError` (`usage`) for a name that is not a plain folder name. */
export function checkBaselineName(name: string): void {
  if (NAME.test(name)) return;
  throw new UserError('usage', {
    message: `invalid baseline name "${name}"`,
    hint: 'use letters, digits, dots, dashes and underscores',
  });
}

/** Saves a run as a baseline and replaces an earlier one of the same name. Resolves with its folder. */
export async function saveBaseline(run: string, output: string, name: string): Promise<string> {
  checkBaselineName(name);
  const folder = baselineFolder(output, name);
  // A crash while copying must not leave half a baseline under its name.
  const copy = `${folder}.new`;
  await mkdir(join(output, 'baselines'), { recursive: true });
  await rm(copy, { recursive: true, force: true });
  await cp(run, copy, { recursive: true });
  await rm(folder, { recursive: true, force: true });
  await rename(copy, folder);
  return folder;
}

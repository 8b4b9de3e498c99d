import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ACCEPTED_RUN_SCHEMA, type AcceptedRun, PIN_SCHEMA, type Pin } from '../model/accepted-run.ts';
import { UserError } from '../model/errors.ts';
import { isObject } from '../model/json-object.ts';
import { suggest } from '../model/suggestions.ts';
import { unwritable, writeAtomically } from './atomic-file.ts';
import { MANIFEST_FILE } from './run-folder.ts';

/**
 * The baselines of an output folder. A baseline is a store of accepted runs, `OUTPUT/baselines/NAME`: one file per run
 * (`RUN-ID.json`), and its pins in `pins/LABEL.json`.
 */

const NAME = /^[\w][\w.-]*$/;
const PINS = 'pins';

/** Accepted runs that a store keeps; older ones are deleted. */
export const KEPT_RUNS = 30;
/** The newest accepted runs that a pin is made of. */
export const PINNED_RUNS = 10;

/** A baseline as found on disk. */
export interface BaselineStore {
  folder: string;
  /** Oldest first. */
  runs: AcceptedRun[];
  /** In alphabetical order. */
  pins: Pin[];
  /** One sentence for each file that could not be used. */
  warnings: string[];
}

/** What a name or a folder stands for: a store of accepted runs, or the folder of a single run. */
export interface FoundBaseline {
  kind: 'store' | 'run';
  folder: string;
  /** True for a store that also holds a run with its records, saved by an older version: the oldest accepted run. */
  oldRun: boolean;
}

/** Throws a `UserError` (`usage`) for a name that is not a plain folder name. */
export function checkBaselineName(name: string): void {
  checkName('baseline name', name);
}

function checkName(what: string, name: string): void {
  if (NAME.test(name)) return;
  throw new UserError('usage', {
    message: `invalid ${what} "${name}"`,
    hint: 'use letters, digits, dots, dashes and underscores',
  });
}

/**
 * Finds a baseline by the folder of a run or the name of a baseline. Rejects with a `UserError` (`results_not_found`) where
 * neither exists.
 */
export async function findBaseline(output: string, nameOrFolder: string): Promise<FoundBaseline> {
  const named = baselineFolder(output, nameOrFolder);
  const candidates = [nameOrFolder, named];
  for (const folder of candidates) {
    if (!(await isFolder(folder))) continue;
    const oldRun = await exists(join(folder, MANIFEST_FILE));
    const isStore = folder === named || (await isFolder(join(folder, PINS))) || (await holdsEntries(folder));
    return { kind: isStore ? 'store' : 'run', folder, oldRun };
  }
  const known = await baselineNames(output);
  const near = known.length === 0 ? '' : `${suggest(nameOrFolder, known)}; `;
  throw new UserError('results_not_found', {
    message: `no baseline "${nameOrFolder}"`,
    hint: `${near}looked for ${candidates.join(' and ')}; make one with --save-baseline ${nameOrFolder}`,
  });
}

/** The names of all baselines under an output folder, in alphabetical order. */
export async function baselineNames(output: string): Promise<string[]> {
  const entries = await readdir(join(output, 'baselines'), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && NAME.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/**
 * Reads a store. Files that are damaged or of another version are skipped with a warning that names the file and the remedy.
 */
export async function readBaseline(folder: string): Promise<BaselineStore> {
  const warnings: string[] = [];
  const runs: AcceptedRun[] = [];
  for (const file of await entryFiles(folder)) {
    const found = await readChecked(join(folder, file), ACCEPTED_RUN_SCHEMA, isAcceptedRun);
    if ('wrong' in found) warnings.push(found.wrong);
    else runs.push(found.value);
  }
  const pins: Pin[] = [];
  for (const file of await entryFiles(join(folder, PINS))) {
    const found = await readChecked(join(folder, PINS, file), PIN_SCHEMA, isPin);
    if ('wrong' in found) warnings.push(found.wrong);
    else pins.push(found.value);
  }
  const startedAt = ({ manifest }: AcceptedRun) => manifest.run.startedAt;
  runs.sort((a, b) => startedAt(a).localeCompare(startedAt(b)));
  return { folder, runs, pins, warnings };
}

/**
 * Appends a run to the store of this name and deletes the oldest runs beyond `KEPT_RUNS`. A run that is in the store already is
 * replaced. Resolves with the path of the file. Rejects with a `UserError`: `usage` for an invalid name, `output_unwritable`.
 */
export async function appendAcceptedRun(output: string, name: string, run: AcceptedRun): Promise<string> {
  checkBaselineName(name);
  const folder = baselineFolder(output, name);
  const path = join(folder, `${run.manifest.run.id}.json`);
  await makeFolder(folder);
  await writeAtomically(path, `${JSON.stringify(run)}\n`);
  // Ids begin with the time, so that names sort by time. A damaged file counts: it is as old as its name.
  const files = await entryFiles(folder);
  for (const old of files.slice(0, -KEPT_RUNS)) await rm(join(folder, old), { force: true });
  return path;
}

/** Deletes an accepted run. Rejects with a `UserError` (`results_not_found`) where the store does not have it. */
export async function dropAcceptedRun(folder: string, id: string): Promise<void> {
  await dropFile(folder, id, 'accepted run', 'list them with: streambench baseline show NAME');
}

/**
 * Pins the newest accepted runs, up to `PINNED_RUNS`, under a label; `upTo` names the newest one to use. Replaces a pin of the
 * same label. Rejects with a `UserError`: `usage` for an invalid label, `results_not_found` without such a run.
 */
export async function pinBaseline(
  { folder, runs }: BaselineStore,
  label: string,
  upTo?: string,
): Promise<Pin> {
  checkName('pin', label);
  const ids = runs.map(({ manifest }) => manifest.run.id);
  const end = upTo === undefined ? runs.length : ids.indexOf(upTo) + 1;
  if (end === 0) {
    throw new UserError('results_not_found', {
      message:
        upTo === undefined ? `${folder} has no accepted run` : `no accepted run "${upTo}" in ${folder}`,
      hint: upTo === undefined ? 'save one with run --save-baseline' : suggest(upTo, ids),
    });
  }
  const pin: Pin = {
    schema: PIN_SCHEMA,
    name: label,
    runs: runs.slice(Math.max(0, end - PINNED_RUNS), end),
  };
  await makeFolder(join(folder, PINS));
  await writeAtomically(join(folder, PINS, `${label}.json`), `${JSON.stringify(pin)}\n`);
  return pin;
}

/** Deletes a pin. Rejects with a `UserError` (`results_not_found`) where there is none of this label. */
export async function unpinBaseline(folder: string, label: string): Promise<void> {
  await dropFile(join(folder, PINS), label, 'pin', 'make one with: streambench baseline pin NAME LABEL');
}

/** Deletes a baseline with its pins. */
export async function dropBaseline(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** The folder of the baseline of this name. */
export function baselineFolder(output: string, name: string): string {
  return join(output, 'baselines', name);
}

async function dropFile(folder: string, name: string, what: string, hint: string): Promise<void> {
  const files = await entryFiles(folder);
  if (!files.includes(`${name}.json`)) {
    const known = files.map((file) => basename(file, '.json'));
    throw new UserError('results_not_found', {
      message: `no ${what} "${name}" in ${folder}`,
      hint: known.length === 0 ? hint : suggest(name, known),
    });
  }
  await rm(join(folder, `${name}.json`));
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw unwritable(folder, error);
  });
}

/** The JSON files of a store's folder, sorted. The files of a run that an older version saved there are not entries. */
async function entryFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.json') && !OLD_FILES.has(name)).sort();
}

/** True where a folder other than one under `OUTPUT/baselines` is a store. */
async function holdsEntries(folder: string): Promise<boolean> {
  for (const file of await entryFiles(folder))
    if (!('wrong' in (await readChecked(join(folder, file), ACCEPTED_RUN_SCHEMA, isAcceptedRun))))
      return true;
  return false;
}

const OLD_FILES: ReadonlySet<string> = new Set([MANIFEST_FILE, 'report.json']);

type Checked<T> = { value: T } | { wrong: string };

async function readChecked<T>(
  path: string,
  schema: string,
  isWhole: (value: unknown) => value is T,
): Promise<Checked<T>> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      wrong: `${path} ${code === undefined ? 'is not JSON' : `cannot be read (${code})`}: ${SKIPPED}`,
    };
  }
  if (!isObject(value) || typeof value.schema !== 'string')
    return { wrong: `${path} has no schema: ${SKIPPED}` };
  if (value.schema !== schema) {
    return {
      wrong: `${path} was written with "${value.schema}", but this streambench reads "${schema}": it is skipped; read it with the version that wrote it, or delete it`,
    };
  }
  return isWhole(value) ? { value } : { wrong: `${path} is incomplete: ${SKIPPED}` };
}

const SKIPPED = 'it is skipped; delete it or restore it from a copy';

function isAcceptedRun(value: unknown): value is AcceptedRun {
  if (!isObject(value) || value.schema !== ACCEPTED_RUN_SCHEMA) return false;
  const { manifest, cells } = value;
  if (!isObject(manifest) || !Array.isArray(cells)) return false;
  const { run, environment, scenario } = manifest;
  if (!isObject(run) || typeof run.id !== 'string' || typeof run.startedAt !== 'string') return false;
  if (!isObject(environment) || !isObject(environment.cpus) || typeof environment.os !== 'string')
    return false;
  if (!isObject(scenario) || typeof scenario.hash !== 'string') return false;
  return cells.every(isAcceptedCell);
}

function isAcceptedCell(cell: unknown): boolean {
  if (!isObject(cell) || typeof cell.target !== 'string' || typeof cell.prompt !== 'string') return false;
  const counts = [cell.requests, cell.failed, cell.reasoned, cell.concurrency];
  if (!counts.every((count) => typeof count === 'number' && count >= 0)) return false;
  return isObject(cell.figures) && Object.values(cell.figures).every(isFigure);
}

function isFigure(figure: unknown): boolean {
  if (!isObject(figure) || typeof figure.n !== 'number' || typeof figure.censored !== 'number') return false;
  const { value, logVariance } = figure;
  if (value === null) return logVariance === null;
  return typeof value === 'number' && typeof logVariance === 'number' && logVariance >= 0;
}

function isPin(value: unknown): value is Pin {
  if (!isObject(value) || typeof value.name !== 'string' || !Array.isArray(value.runs)) return false;
  return value.runs.length > 0 && value.runs.every(isAcceptedRun);
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

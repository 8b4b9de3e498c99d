import { type Dirent, existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { GateCheck } from '../../analysis/regression/checks.ts';
import type { AcceptedRun } from '../../model/accepted-run.ts';
import { UserError } from '../../model/errors.ts';
import type { Manifest } from '../../model/report.ts';
import { readManifest } from '../../results/read-run.ts';
import { MANIFEST_FILE } from '../../results/run-folder.ts';
import { readAcceptedRun } from './accepted-run.ts';

/** Runs for a history, and one sentence for each that could not be used. */
export interface HistoryRuns {
  /** Oldest first. At least one. */
  runs: AcceptedRun[];
  warnings: string[];
}

/**
 * Reads run folders for a history. `patterns`: folders of runs, folders that hold such folders, or either with `*` and `?` in
 * their names. Incomplete and damaged runs are left out with a warning. `last`: the newest ones to read. Rejects with a
 * `UserError`: `results_not_found` where a pattern matches no run, `results_invalid` where no run can be used.
 */
export async function readRunFolders(
  patterns: readonly string[],
  { last, checks }: { last: number; checks?: readonly GateCheck[] },
): Promise<HistoryRuns> {
  const folders = new Set<string>();
  for (const pattern of patterns) for (const folder of await runFolders(pattern)) folders.add(folder);
  const warnings: string[] = [];
  const unusable = (folder: string, why: string) =>
    warnings.push(`${folder} is left out: ${why.replaceAll(/\s*\n\s*/g, '; ')}`);
  const found: { folder: string; manifest: Manifest }[] = [];
  for (const folder of folders) {
    const manifest = await readManifest(folder).catch(messageOf);
    if (typeof manifest === 'string') unusable(folder, manifest);
    else if (manifest.run.aborted || manifest.run.endedAt === undefined)
      unusable(
        folder,
        `the run is incomplete${manifest.run.abortReason ? `: ${manifest.run.abortReason}` : ''}`,
      );
    else found.push({ folder, manifest });
  }
  found.sort((a, b) => Date.parse(a.manifest.run.startedAt) - Date.parse(b.manifest.run.startedAt));
  const runs: AcceptedRun[] = [];
  for (const { folder } of found.slice(-last)) {
    const run = await readAcceptedRun(folder, {
      checks,
      warning: (message) => warnings.push(message),
    }).catch(messageOf);
    if (typeof run === 'string') unusable(folder, run);
    else runs.push(run);
  }
  if (runs.length > 0) return { runs, warnings };
  throw new UserError('results_invalid', [
    ...warnings.map((message) => ({ message })),
    {
      message: `no run of ${patterns.join(' ')} can be used`,
      hint: 'a history needs one complete run or more',
    },
  ]);
}

/** A user's error becomes a warning; any other is a bug. */
function messageOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  throw error;
}

async function runFolders(pattern: string): Promise<string[]> {
  const matched = await expand(pattern);
  const folders = matched.filter(isRun);
  if (folders.length === 0)
    for (const folder of matched)
      folders.push(...(await subfolders(folder)).map(({ name }) => join(folder, name)).filter(isRun));
  if (folders.length > 0) return folders;
  throw new UserError('results_not_found', {
    message: `no run at ${pattern}`,
    hint: `a run's folder holds ${MANIFEST_FILE}; give such folders, or a pattern such as --runs 'results/*'`,
  });
}

function isRun(folder: string): boolean {
  return existsSync(join(folder, MANIFEST_FILE));
}

/** The folders that a pattern stands for. A shell expands patterns without quotes itself; Node 20 has no glob. */
async function expand(pattern: string): Promise<string[]> {
  if (!/[*?]/.test(pattern)) return existsSync(pattern) ? [pattern] : [];
  const parents = await expand(dirname(pattern));
  const name = basename(pattern);
  if (!/[*?]/.test(name))
    return parents.map((parent) => join(parent, name)).filter((path) => existsSync(path));
  const matches = new RegExp(
    `^${name
      .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'su',
  );
  const found: string[] = [];
  for (const parent of parents)
    for (const entry of await subfolders(parent))
      if (matches.test(entry.name) && !entry.name.startsWith('.')) found.push(join(parent, entry.name));
  return found;
}

async function subfolders(folder: string): Promise<Dirent[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
}

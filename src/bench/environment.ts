import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import type { Environment } from '../model/report.ts';
import { undiciVersion } from './undici-version.ts';

const run = promisify(execFile);

/** The version of this package. */
export function packageVersion(): string {
  return versionIn(new URL('../../package.json', import.meta.url));
}

/** The machine and the software that measure, for the report. */
export async function readEnvironment(folder: string = process.cwd()): Promise<Environment> {
  const processors = cpus();
  const { gitCommit, gitBranch } = await repositoryOf(folder);
  return {
    streambench: packageVersion(),
    node: process.versions.node,
    undici: undiciVersion(),
    os: `${type()} ${release()}`,
    arch: process.arch,
    cpus: { model: processors[0]?.model.trim() || 'unknown', count: processors.length },
    memoryBytes: totalmem(),
    gitCommit,
    gitBranch,
    ci: process.env.CI ? true : undefined,
  };
}

function versionIn(packageJson: URL): string {
  return (JSON.parse(readFileSync(packageJson, 'utf8')) as { version: string }).version;
}

/** Commit and branch of the folder's repository, in one call: each takes some 10 ms before the first request. */
async function repositoryOf(cwd: string): Promise<Pick<Environment, 'gitCommit' | 'gitBranch'>> {
  const gitBranch = branchOfJob();
  // Without optional locks, because `git status` would otherwise write the index of the user's repository, and a status that is
  // stopped by the timeout would leave its lock behind.
  const words = ['--no-optional-locks', 'status', '--porcelain=v2', '--branch', '--untracked-files=no'];
  try {
    const { stdout } = await run('git', words, { cwd, timeout: 2_000, maxBuffer: 64 * 1024 ** 2 });
    const commit = /^# branch\.oid ([0-9a-f]{12})/m.exec(stdout)?.[1];
    const branch = /^# branch\.head ([^(\n].*)$/m.exec(stdout)?.[1];
    const isDirty = /^[^#]/m.test(stdout);
    return {
      gitCommit: commit && (isDirty ? `${commit}-dirty` : commit),
      gitBranch: gitBranch ?? branch,
    };
  } catch {
    // No git or no repository.
    return { gitBranch };
  }
}

/** A CI job checks out a commit, not a branch: the job's variables name the branch then. */
function branchOfJob(): string | undefined {
  const { GITHUB_HEAD_REF, GITHUB_REF_NAME, CI_COMMIT_REF_NAME } = process.env;
  return GITHUB_HEAD_REF || GITHUB_REF_NAME || CI_COMMIT_REF_NAME || undefined;
}

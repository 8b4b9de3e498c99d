import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import type { Environment } from '../model/report.ts';

const run = promisify(execFile);

/** The version of this package. */
export function packageVersion(): string {
  return versionIn(new URL('../../package.json', import.meta.url));
}

/** The machine and the software that measure, for the report. */
export async function readEnvironment(folder: string = process.cwd()): Promise<Environment> {
  const processors = cpus();
  const [gitCommit, gitBranch] = [await commitOf(folder), await branchOf(folder)];
  return {
    streambench: packageVersion(),
    node: process.versions.node,
    // undici does not export its package.json: resolve its entry instead.
    undici: versionIn(new URL('./package.json', import.meta.resolve('undici'))),
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

async function commitOf(cwd: string): Promise<string | undefined> {
  // Without optional locks, because `git status` would otherwise write the index of the user's repository, and a status that is
  // stopped by the timeout would leave its lock behind.
  const git = (...args: string[]) => run('git', ['--no-optional-locks', ...args], { cwd, timeout: 2_000 });
  try {
    const commit = (await git('rev-parse', '--short=12', 'HEAD')).stdout.trim();
    const status = await git('status', '--porcelain', '--untracked-files=no');
    return status.stdout === '' ? commit : `${commit}-dirty`;
  } catch {
    // No git or no repository.
    return undefined;
  }
}

/** A CI job checks out a commit, not a branch: the job's variables name the branch then. */
async function branchOf(cwd: string): Promise<string | undefined> {
  const { GITHUB_HEAD_REF, GITHUB_REF_NAME, CI_COMMIT_REF_NAME } = process.env;
  const named = GITHUB_HEAD_REF || GITHUB_REF_NAME || CI_COMMIT_REF_NAME;
  if (named) return named;
  try {
    const { stdout } = await run('git', ['branch', '--show-current'], { cwd, timeout: 2_000 });
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}

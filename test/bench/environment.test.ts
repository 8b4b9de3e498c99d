import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { readEnvironment } from '../../src/bench/environment.ts';

const root = mkdtempSync(join(tmpdir(), 'streambench-environment-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const git = (...args: string[]) =>
  execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], {
    cwd: root,
    encoding: 'utf8',
  }).trim();

test('the commit of the repository is read without writing to it', async () => {
  const file = join(root, 'file');
  const index = join(root, '.git/index');
  git('init', '-q');
  writeFileSync(file, 'a');
  git('add', 'file');
  git('commit', '-q', '-m', 'first');
  const commit = git('rev-parse', '--short=12', 'HEAD');
  // The times of the file differ from those in the index: a plain `git status` would write them to the index.
  utimesSync(file, new Date(0), new Date(0));
  const before = readFileSync(index);
  expect((await readEnvironment(root)).gitCommit).toBe(commit);
  expect(readFileSync(index).equals(before)).toBe(true);
  writeFileSync(file, 'b');
  expect((await readEnvironment(root)).gitCommit).toBe(`${commit}-dirty`);
});

test('an unborn branch has a name and no commit, a detached head a commit and no name', async () => {
  const folder = mkdtempSync(join(root, 'unborn-'));
  execFileSync('git', ['init', '-q', '-b', 'first/branch'], { cwd: folder });
  vi.stubEnv('GITHUB_HEAD_REF', '').stubEnv('GITHUB_REF_NAME', '').stubEnv('CI_COMMIT_REF_NAME', '');
  const { gitCommit, gitBranch } = await readEnvironment(folder);
  expect({ gitCommit, gitBranch }).toEqual({ gitBranch: 'first/branch' });
  git('checkout', '-q', '--detach');
  expect((await readEnvironment(root)).gitBranch).toBeUndefined();
  vi.stubEnv('CI_COMMIT_REF_NAME', 'of-the-job');
  expect((await readEnvironment(root)).gitBranch).toBe('of-the-job');
  vi.unstubAllEnvs();
});

test('outside a repository there is neither', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'streambench-no-repository-'));
  expect((await readEnvironment(folder)).gitCommit).toBeUndefined();
  rmSync(folder, { recursive: true });
});

import { describe, expect, test } from 'vitest';
import {
  type CheckStatus,
  checkOpenFiles,
  checksOf,
  compareVersions,
  openFilesProblem,
} from '../../../src/bench/doctor/checks.ts';
import type { MachineFacts } from '../../../src/bench/doctor/machine.ts';

const GOOD: MachineFacts = {
  platform: 'linux',
  node: '20.20.2',
  requiredNode: '>=20.18.1',
  undici: '7.30.2',
  openFiles: 20_000,
  concurrency: 1000,
  cores: 8,
  cpuModel: 'EPYC',
  cpuQuota: undefined,
  load: 0.4,
  clockStepMs: 0.0001,
  timerLateMs: { p50: 0.1, p99: 1.2, max: 1.2 },
  proxyVariables: [],
  ipv6Loopback: true,
};

test('a good machine passes every check, and is told no remedy', () => {
  const checks = checksOf(GOOD);
  expect(checks.map(({ name }) => name)).toEqual([
    'node',
    'undici',
    'open files',
    'cores',
    'cpu quota',
    'system load',
    'clock',
    'timers',
    'proxy',
    'ipv6',
  ]);
  for (const check of checks) expect(check).toEqual({ name: check.name, status: 'ok', what: check.what });
});

test.each<[string, Partial<MachineFacts>, CheckStatus]>([
  ['node', { node: '20.18.0' }, 'fail'],
  ['node', { node: '20.18.1' }, 'ok'],
  ['node', { node: '24.0.0-pre' }, 'ok'],
  ['undici', { undici: '7.28.0' }, 'fail'],
  ['undici', { undici: '7.29.0' }, 'fail'],
  ['undici', { undici: '7.29.1' }, 'ok'],
  ['undici', { undici: '7.27.9' }, 'warn'],
  ['undici', { undici: '8.0.0' }, 'warn'],
  ['open files', { openFiles: 1000 }, 'fail'],
  ['open files', { openFiles: 1064 }, 'ok'],
  ['open files', { openFiles: undefined }, 'ok'],
  ['cores', { cores: 1 }, 'warn'],
  ['cpu quota', { cpuQuota: 0.5 }, 'fail'],
  ['cpu quota', { cpuQuota: 1.5 }, 'warn'],
  ['cpu quota', { cpuQuota: 2 }, 'ok'],
  ['cpu quota', { cores: 1, cpuQuota: 1 }, 'ok'],
  ['system load', { load: 4 }, 'warn'],
  ['system load', { load: 16 }, 'fail'],
  ['clock', { clockStepMs: 0.1 }, 'warn'],
  ['clock', { clockStepMs: 15.6 }, 'fail'],
  ['timers', { timerLateMs: { p50: 1, p99: 20, max: 20 } }, 'warn'],
  ['timers', { timerLateMs: { p50: 1, p99: 80, max: 80 } }, 'fail'],
  ['proxy', { proxyVariables: ['HTTPS_PROXY'] }, 'warn'],
  ['ipv6', { ipv6Loopback: false }, 'warn'],
])('%s of %j: %s', (name, change, status) => {
  const check = checksOf({ ...GOOD, ...change }).find((candidate) => candidate.name === name)!;
  expect(check.status).toBe(status);
  // Whatever is not well is explained, and can be mended.
  if (status !== 'ok') {
    expect(check.why).not.toBe('');
    expect(check.remedy).not.toBe('');
    expect(check).toMatchObject({ why: expect.any(String), remedy: expect.any(String) });
  }
});

test('where there is no load average, none is judged', () => {
  expect(checksOf({ ...GOOD, platform: 'win32' }).map(({ name }) => name)).not.toContain('system load');
});

describe('open files', () => {
  const facts = { concurrency: 1000, filesPerStream: 1, limit: 1024, platform: 'linux' };

  test('too few are a problem with the command that raises them', () => {
    const problem = openFilesProblem(facts)!;
    expect(problem.message).toBe('1000 concurrent streams need 1064 open files, and the limit is 1024');
    expect(problem.hint).toContain('ulimit -n 4096');
    expect(problem.hint).toContain('prlimit --pid $$ --nofile=4096:4096');
    expect(openFilesProblem({ ...facts, platform: 'darwin' })!.hint).toMatch(/: ulimit -n 4096$/);
  });

  test('the command raises enough', () => {
    expect(openFilesProblem({ ...facts, concurrency: 30_000 })!.hint).toContain('ulimit -n 32768');
  });

  test('a server in the same process takes as many again', () => {
    expect(openFilesProblem({ ...facts, concurrency: 600 })).toBeUndefined();
    expect(openFilesProblem({ ...facts, concurrency: 600, filesPerStream: 2 })).toBeDefined();
  });

  test('of this process are known, and enough for one stream and too few for a billion', () => {
    expect(checkOpenFiles(1)).toBeUndefined();
    expect(checkOpenFiles(1e9)?.message).toMatch(/^1000000000 concurrent streams need/);
  });
});

test.each([
  ['1.2.3', '1.2.3', 0],
  ['1.10.0', '1.9.9', 1],
  ['7.29.0', '7.29.1', -1],
  ['8.0.0-rc.1', '8.0.0', 0],
])('version %s against %s', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});

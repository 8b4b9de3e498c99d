import { describe, expect, test } from 'vitest';
import {
  clockStep,
  cpuQuota,
  limitIn,
  proxyVariables,
  readFacts,
} from '../../../src/bench/doctor/machine.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max processes             unlimited            unlimited            processes
Max open files            1024                 524288               files
Max locked memory         8388608              8388608              bytes
`;

test('the limit on open files is the soft one', () => {
  expect(limitIn(LIMITS)).toBe(1024);
  expect(limitIn(LIMITS.replace('1024  ', 'unlimited'))).toBeUndefined();
  expect(limitIn('')).toBeUndefined();
});

describe('the quota of control groups', () => {
  test.each<[string, Record<string, string>, number | undefined]>([
    ['nothing is mounted', {}, undefined],
    [
      'version 2, no limit',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' },
      undefined,
    ],
    [
      'version 2, in a container',
      { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '150000 100000\n' },
      1.5,
    ],
    [
      'version 2, the path is of the host',
      { '/proc/self/cgroup': '0::/docker/abc\n', '/sys/fs/cgroup/cpu.max': '50000 100000\n' },
      0.5,
    ],
    [
      'version 2, the strictest of the ancestors',
      {
        '/proc/self/cgroup': '0::/a/b\n',
        '/sys/fs/cgroup/a/b/cpu.max': 'max 100000\n',
        '/sys/fs/cgroup/a/cpu.max': '200000 100000\n',
      },
      2,
    ],
    [
      'version 1',
      {
        '/proc/self/cgroup': '5:cpuset:/\n4:cpu,cpuacct:/kube/pod\n',
        '/sys/fs/cgroup/cpu/kube/pod/cpu.cfs_quota_us': '25000\n',
        '/sys/fs/cgroup/cpu/kube/pod/cpu.cfs_period_us': '100000\n',
      },
      0.25,
    ],
    [
      'version 1, no limit',
      {
        '/proc/self/cgroup': '4:cpu,cpuacct:/\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
        '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      },
      undefined,
    ],
  ])('%s', (_name, files, quota) => {
    expect(cpuQuota((path) => files[path])).toBe(quota);
  });
});

test('proxy variables are told by name, and empty ones are not set', () => {
  expect(proxyVariables({ HTTPS_PROXY: 'http://user:password@proxy', http_proxy: '', PATH: '/bin' })).toEqual(
    ['HTTPS_PROXY'],
  );
});

test('the step of a clock is its smallest', () => {
  let reads = 0;
  // A clock that stands still for four readings, then jumps by 2 ms.
  const coarse = { now: () => Math.floor(reads++ / 5) * 2, wallTime: () => new Date(0) };
  expect(clockStep(coarse)).toBe(2);
});

test('the facts of this machine are all there', async () => {
  const facts = await readFacts({ concurrency: 7, env: { HTTP_PROXY: 'x' } });
  expect(facts).toMatchObject({ concurrency: 7, proxyVariables: ['HTTP_PROXY'], platform: process.platform });
  expect(facts.requiredNode).toMatch(/^>=\d+\.\d+\.\d+$/);
  expect(facts.clockStepMs).toBeLessThan(1);
  expect(facts.timerLateMs.max).toBeGreaterThanOrEqual(facts.timerLateMs.p50);
});

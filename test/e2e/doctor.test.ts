import { describe, expect, test } from 'vitest';
import { openFileLimit } from '../../src/bench/doctor/machine.ts';
import { streambench } from '../support/program.ts';

interface Document {
  schema: string;
  checks: { name: string; status: string; what: string; remedy?: string }[];
  calibration?: { levels: { streams: number; events: number; lagMs: { p50: number } | null }[] };
}

async function doctor(args: string[] = [], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await streambench(['doctor', '--json', ...args], { env });
  return { code, stderr, document: JSON.parse(stdout) as Document };
}

describe('doctor', () => {
  test('--json is one document with every check', async () => {
    const { code, document, stderr } = await doctor(['-c', '10']);
    expect(document.schema).toBe('streambench/doctor@1');
    const names = document.checks.map(({ name }) => name);
    for (const name of ['node', 'undici', 'open files', 'cpu quota', 'clock', 'timers', 'proxy', 'ipv6'])
      expect(names).toContain(name);
    // Whether this machine is busy now is not for a test to say; that the code agrees with the checks is.
    expect(code).toBe(document.checks.some(({ status }) => status === 'fail') ? 6 : 0);
    expect(stderr).toMatch(code === 0 ? /^$/ : /^exit 6: .*\n$/);
  });

  test('without it, a line for each check and a conclusion', async () => {
    const { stdout } = await streambench(['doctor', '-c', '10']);
    expect(stdout).toMatch(/^✔ node +\d+\.\d+\.\d+ /m);
    expect(stdout.trim().split('\n').at(-1)).toMatch(/^(not )?fit to measure/);
    expect(stdout).not.toContain('\u001b');
  });

  test.skipIf(openFileLimit() === undefined || openFileLimit()! > 90_000)(
    'streams beyond the limit on open files: exit 6, and the command that raises it',
    async () => {
      const { code, document, stderr } = await doctor(['-c', '100000']);
      expect(code).toBe(6);
      expect(stderr).toMatch(/^exit 6: /m);
      const check = document.checks.find(({ name }) => name === 'open files')!;
      expect(check.status).toBe('fail');
      expect(check.remedy).toContain('ulimit -n');
    },
  );

  test('proxy variables are told by name, and that runs use them only when asked', async () => {
    const { document } = await doctor([], { HTTPS_PROXY: 'http://me:hidden-1@proxy:1', no_proxy: 'a' });
    const check = document.checks.find(({ name }) => name === 'proxy')!;
    expect(check).toMatchObject({ status: 'warn', what: expect.stringContaining('HTTPS_PROXY is set') });
    expect(check.remedy).toMatch(/--proxy env.*loopback.*NO_PROXY/);
    expect(JSON.stringify(document)).not.toContain('hidden-1');
    const { document: none } = await doctor([], { ALL_PROXY: 'socks5://p' });
    expect(none.checks.find(({ name }) => name === 'proxy')!.what).toContain('which is not supported');
  });

  test('--calibrate measures each level', async () => {
    const { document, stderr } = await doctor(['--calibrate', '--levels', '2,5', '--window', '300ms']);
    expect(document.calibration!.levels.map(({ streams }) => streams)).toEqual([2, 5]);
    for (const { events, lagMs } of document.calibration!.levels) {
      expect(events).toBeGreaterThan(10);
      expect(lagMs!.p50).toBeGreaterThan(0);
    }
    expect(stderr).toContain('calibrating: 5 streams (2 of 2)');
  });
});

test.each([
  [['-c', 'x'], '--concurrency'],
  [['--calibrate', '--levels', '1,x'], '--levels'],
  [['--window', 'soon'], '--window'],
])('doctor %j is a mistake', async (args, flag) => {
  const { code, stdout, stderr } = await streambench(['doctor', ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(flag);
});

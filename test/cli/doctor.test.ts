import { expect, test } from 'vitest';
import type { Calibration } from '../../src/bench/doctor/calibrate.ts';
import type { Check } from '../../src/bench/doctor/checks.ts';
import { doctorCommand } from '../../src/cli/commands/doctor.ts';
import { calibrationView, checksView } from '../../src/cli/doctor-view.ts';
import { displayWidth } from '../../src/report/text-width.ts';
import { runCommand } from './in-process.ts';

const CHECKS: Check[] = [
  { name: 'node', status: 'ok', what: '20.20.2 (>=20.18.1)' },
  {
    name: 'proxy',
    status: 'warn',
    what: 'HTTPS_PROXY is set, and not used by default',
    why: 'connections are made directly',
    remedy: 'nothing, where targets are reached without a proxy',
  },
  {
    name: 'cpu quota',
    status: 'fail',
    what: '0.5 of 8 cores',
    why: 'it stands still',
    remedy: 'raise the limit',
  },
];

const CALIBRATION: Calibration = {
  ratePerSecond: 50,
  windowMs: 3000,
  limitMs: 10,
  levels: [
    {
      ...{ streams: 10, eventsPerSecond: 500, events: 1500, lagMs: { p50: 0.04, p99: 0.31, max: 2.2 } },
      ...{ serverLateMs: 1.1, utilization: 0.031, accurate: true },
    },
    {
      ...{ streams: 1000, eventsPerSecond: 50_000, events: 150_000, lagMs: { p50: 41, p99: 210, max: 260 } },
      ...{ serverLateMs: 20, utilization: 0.98, accurate: false },
    },
  ],
  accurateStreams: 10,
  skipped: [2000],
};

test('each check has its sign; what is not well has why and remedy below it', () => {
  expect(checksView(CHECKS, { width: 80, color: 0 })).toBe(`✔ node       20.20.2 (>=20.18.1)
▲ proxy      HTTPS_PROXY is set, and not used by default
             connections are made directly
             → nothing, where targets are reached without a proxy
✘ cpu quota  0.5 of 8 cores
             it stands still
             → raise the limit

not fit to measure: 1 of 3 checks failed
`);
});

test('the levels of a calibration, and the highest that is measured accurately', () => {
  expect(
    calibrationView(CALIBRATION, { width: 80, color: 0 }),
  ).toBe(`Lag: from the server’s write to the client’s timestamp
streams  events/s      p50      p99     max  utilization
     10       500  0.04 ms  0.31 ms  2.2 ms        3.1 %
   1000    50\u202f000    41 ms   210 ms  260 ms         98 %

This machine is accurate up to 10 streams × 50 events/s (p99 under 10 ms).
Skipped: 2000 streams.
`);
});

test('no accurate level is reported', () => {
  const none = { ...CALIBRATION, accurateStreams: null };
  expect(calibrationView(none, { width: 80, color: 0 })).toContain('No tested load');
  const refused = { ...CALIBRATION.levels[0]!, lagMs: null, accurate: false, problem: 'too few open files' };
  const text = calibrationView({ ...none, levels: [refused] }, { width: 80, color: 0 });
  expect(text).toContain('too few open files');
  expect(text).toContain('No load could be measured.');
});

test.each([50, 60, 120])('both keep within %i columns, and to ASCII where the terminal is dumb', (width) => {
  const text = checksView(CHECKS, { width, color: 0 }) + calibrationView(CALIBRATION, { width, color: 0 });
  for (const line of text.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(width, 56));
  const options = { width, color: 0, ascii: true } as const;
  expect(checksView(CHECKS, options) + calibrationView(CALIBRATION, options)).toMatch(/^[\x20-\x7e\n]+$/);
});

test('--json prints one versioned document', async () => {
  const { stdout } = await runCommand(doctorCommand, ['doctor', '--json']);
  const document = JSON.parse(stdout) as { schema: string; checks: Check[] };
  expect(document.schema).toBe('streambench/doctor@1');
  expect(document.checks.length).toBeGreaterThan(7);
  expect(document).not.toHaveProperty('calibration');
});

test('a concurrency above the limit on open files fails, with exit code 6', async () => {
  const { code, stdout } = await runCommand(doctorCommand, ['doctor', '-c', '100000'], {
    env: { HTTPS_PROXY: 'http://user:password@proxy:3128' },
  });
  expect(stdout).not.toContain('password');
  expect(stdout).toContain('HTTPS_PROXY is set');
  // A machine may have a limit as high as this.
  if (!stdout.includes('ulimit -n')) return;
  expect(code).toBe(6);
  expect(stdout).toContain('not fit to measure');
});

test('--calibrate shows where it is, then the lag of each level', async () => {
  const args = ['doctor', '--calibrate', '--levels', '4,2', '--window', '200ms'];
  const { stdout, stderr } = await runCommand(doctorCommand, args);
  expect(stderr).toBe('calibrating: 2 streams (1 of 2)\ncalibrating: 4 streams (2 of 2)\n');
  expect(stdout).toMatch(/^ +2 +100 +\S+ ms/m);
  expect(stdout).toMatch(/^ +4 +200 +\S+ ms/m);
  expect(stdout).toMatch(/This machine is accurate up to|No tested load/);
});

test.each([
  [['-c', '0'], '--concurrency'],
  [['--levels', '10,x'], '--levels'],
  [['--window', '1'], '--window'],
])('%j is a mistake', async (args, message) => {
  await expect(runCommand(doctorCommand, ['doctor', ...args])).rejects.toThrow(message);
});

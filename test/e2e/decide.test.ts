import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ComparisonReport } from '../../src/bench/compare.ts';
import type { Report } from '../../src/model/report.ts';
import { scratch, streambench } from '../support/program.ts';

const folder = scratch();
afterAll(() => folder.dispose());
const output = join(folder.path, 'results');

/** A scenario whose only model answers after this long: what differs is behind a variable, so the hash is the same. */
const scenario = join(folder.path, 'gate.yaml');
writeFileSync(
  scenario,
  `version: 1
name: gate
targets: [{ name: t, provider: simulator, profile: m }]
prompts: [{ name: p, text: hello }]
load: { concurrency: 4, requests: 200, rounds: 5 }
simulator: { profiles: { m: { ttft: { mean: "\${env:TTFT}", sd: 4ms }, gap: 1ms, tokens: 5 } } }
`,
);
const run = (ttft: string, ...more: string[]) =>
  streambench(['run', scenario, '-o', output, ...more], { env: { TTFT: ttft } });

describe('a baseline', () => {
  test('is saved, and decides: no change passes, a slower service exits 4, a run of other load is not comparable', async () => {
    const saved = await run('30ms', '--save-baseline', 'main', '-q');
    expect(saved.code, saved.stderr).toBe(0);
    expect(existsSync(join(output, 'baselines/main/records.ndjson'))).toBe(true);

    const slower = await run('60ms', '--baseline', 'main');
    expect(slower.code, slower.stdout).toBe(4);
    expect(slower.stdout).toMatch(/regression/);
    expect(slower.stderr.trim().split('\n').at(-1)).toBe('exit 4: regression against the baseline');

    const same = await streambench(['compare', 'main', 'main', '-o', output, '--json']);
    expect(same.code).toBe(0);
    const comparison = JSON.parse(same.stdout) as ComparisonReport;
    expect(comparison).toMatchObject({ schema: 'streambench/comparison@1', verdict: 'equivalent' });

    const other = await run('30ms', '--baseline', 'main', '-n', '20', '--strict');
    expect(other.code).toBe(5);
    expect(other.stdout).toContain('not comparable');
  }, 60_000);

  test.each<[string, () => string[], RegExp]>([
    [
      'that is missing',
      () => ['run', scenario, '--baseline', 'nope'],
      /no baseline "nope"[\s\S]*--save-baseline nope/,
    ],
    ['with a bad name', () => ['run', scenario, '--save-baseline', '../x'], /is no name for a baseline/],
    ['that is no run', () => ['compare', folder.path, folder.path], /manifest\.json|no run/],
    [
      'of another schema',
      () => {
        const old = join(folder.path, 'old');
        mkdirSync(old, { recursive: true });
        writeFileSync(join(old, 'manifest.json'), '{"schema":"streambench/manifest@9"}');
        writeFileSync(join(old, 'records.ndjson'), '');
        return ['compare', old, old];
      },
      /manifest@9/,
    ],
  ])('%s is an error, never a pass', async (_name, args, message) => {
    const { code, stdout, stderr } = await streambench(args(), { env: { TTFT: '1ms' } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('thresholds', () => {
  test('decide the exit code, and are told with what was measured', async () => {
    const { code, stdout } = await run(
      '20ms',
      '-n',
      '8',
      '--rounds',
      '1',
      '--threshold',
      'ttft.p50 < 1ms',
      '--threshold',
      'errors.rate < 1%',
    );
    expect(code).toBe(3);
    expect(stdout).toMatch(/fail +ttft\.p50 < 1ms: \d+ ms/);
    expect(stdout).toMatch(/pass +errors\.rate < 1%: 0 %/);
  });

  test('that cannot be are told before anything is sent, all at once', async () => {
    const { code, stderr } = await run(
      '20ms',
      '--threshold',
      'tftt.p95 < 1s',
      '--threshold',
      'ttft.p95{target=x} < 1s',
      '--threshold',
      'ttft.p95 < 100',
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(/3 problems[\s\S]*unknown metric "tftt"[\s\S]*"ttft"[\s\S]*target[\s\S]*unit/);
  });
});

test('a service that makes the whole answer first is found out', async () => {
  const file = join(folder.path, 'verdict.yaml');
  writeFileSync(
    file,
    `version: 1
name: verdict
targets:
  - { name: real, provider: simulator, profile: real }
  - { name: fake, provider: simulator, profile: fake }
prompts: [{ name: p, text: hello }]
load: { requests: 6, rounds: 1 }
thresholds: [streaming.verdict == streaming]
simulator:
  profiles:
    real: { ttft: 60ms, gap: { mean: 12ms, sd: 4ms }, tokens: 30 }
    fake: { ttft: 60ms, gap: { mean: 12ms, sd: 4ms }, tokens: 30, mode: burst }
`,
  );
  const { code, stdout } = await streambench(['run', file, '-o', output, '--json']);
  expect(code).toBe(3);
  const report = JSON.parse(stdout) as Report;
  expect(report.cells.map(({ target, streaming }) => [target, streaming?.verdict])).toEqual([
    ['real', 'streaming'],
    ['fake', 'buffered'],
  ]);
  expect(report.cells[1]!.streaming!.evidence).toMatch(/30 chunks in .* after .* of silence/);
  expect(report.gates[0]).toMatchObject({ verdict: 'fail', actual: 'buffered' });
});

test('ab says which side is better, in a sentence', async () => {
  const { code, stdout } = await streambench([
    'ab',
    'simulator/glm-4-flash',
    'simulator/glm-4.6',
    '-n',
    '20',
    '--set',
    'prompts.0.maxTokens=4',
    '-o',
    output,
  ]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/glm-4-flash answers first \d\.\d+ times sooner \(\d/);
}, 60_000);

test('several threads measure what one would, and their records sum to the whole', async () => {
  const counts: number[] = [];
  const medians: number[] = [];
  for (const workers of ['1', '3']) {
    const { code, stdout } = await run(
      '40ms',
      '-c',
      '7',
      '-n',
      '70',
      '--rounds',
      '2',
      '--workers',
      workers,
      '--json',
    );
    expect(code).toBe(0);
    const [cell] = (JSON.parse(stdout) as Report).cells;
    counts.push(cell!.outcomes.ok!);
    medians.push(cell!.metrics.ttft!.p50);
    expect(cell!.client!.threads).toBe(Number(workers));
  }
  expect(counts).toEqual([70, 70]);
  expect(Math.abs(medians[0]! - medians[1]!)).toBeLessThan(15);
}, 60_000);

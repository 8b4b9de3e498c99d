import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sweepCommand } from '../../src/cli/commands/sweep.ts';
import { UserError } from '../../src/model/errors.ts';
import { runCommand } from './in-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'streambench-'));
const output = ['-o', join(folder, 'results')];

/** What a sweep of the demo scenario is refused for. */
async function refusal(...flags: string[]): Promise<string> {
  const error = await runCommand(sweepCommand, ['sweep', ...flags, ...output]).catch((thrown) => thrown);
  if (!(error instanceof UserError)) throw error;
  return error.problems.map(({ message, hint, place }) => `${place?.file} ${message} | ${hint}`).join('\n');
}

describe('sweep', () => {
  test.each([
    [[], /no target to measure \| .*sweep scenarios\/sweep\.yaml/],
    [['scenarios/demo.yaml'], /a sweep needs objectives \| .*--slo "ttft\.p95 < 800ms"/],
    [['http://127.0.0.1:9/v1', '--provider', 'openai'], /a sweep needs objectives/],
    [['scenarios/demo.yaml', '--slo', 'ttf.p95 < 800ms'], /unknown metric "ttf"[\s\S]*did you mean/],
    [['scenarios/demo.yaml', '--slo', 'throughput.tokens > 5'], /has no largest load/],
    [['scenarios/demo.yaml', '--slo', 'ttft.p95 < 1s', '--by', 'streams'], /one of concurrency, rate/],
    [['scenarios/demo.yaml', '--slo', 'ttft.p95 < 1s', '--max', '0'], /a number above 0/],
    [
      ['scenarios/demo.yaml', '--slo', 'ttft.p95 < 1s', '--start', '9', '--max', '4'],
      /max is less than start/,
    ],
    [
      ['scenarios/demo.yaml', '--slo', 'ttft.p95 < 1s', '--threshold', 'capacity.rate >= 4'],
      /largest concurrency/,
    ],
    [
      ['scenarios/demo.yaml', '--slo', 'gap.p95 < 1s', '--mode', 'both'],
      /no objective .* mode non-streaming/,
    ],
    [['scenarios/demo.yaml', '--slo', 'goodput.rate > 95%'], /needs objectives/],
    [['scenarios/demo.yaml', '--slo', 'ttft.p95 < 1s', '--model', 'm'], /cannot be combined with a scenario/],
    [['missing.yaml', '--slo', 'ttft.p95 < 1s'], /missing\.yaml/],
  ])('%j is refused before anything is sent', async (flags, message) => {
    expect(await refusal(...flags)).toMatch(message);
  });

  test('of an ordinary scenario replaces its load and says that its thresholds do not apply', async () => {
    const flags = ['--slo', 'ttft.p95 < 1s', '--dry-run'];
    const { stdout, stderr } = await runCommand(sweepCommand, [
      'sweep',
      'scenarios/service-goals.yaml',
      ...flags,
    ]);
    expect(stderr).toMatch(/thresholds of scenarios\/service-goals\.yaml do not apply/);
    expect(stdout).toMatch(/a sweep from 1 stream up to at most 256 streams, for each of:\n {2}\S/);
    expect(stdout).toMatch(/Every level must meet: ttft\.p95 < 1s\./);
  });

  test('of a URL is by the flags; the objectives may be about errors alone', async () => {
    const flags = [
      '--provider',
      'openai',
      '--model',
      'm',
      '--slo',
      'errors.rate < 1%',
      '--by',
      'rate',
      '--dry-run',
    ];
    const env = { OPENAI_API_KEY: 'sk-for-the-test' };
    const { stdout } = await runCommand(sweepCommand, ['sweep', '127.0.0.1:9/v1', ...flags], { env });
    expect(stdout).toMatch(/a sweep from 1 request\/s up to at most 1000 requests\/s/);
  });

  test('without a level that meets its objectives ends with 3; its time limit ends it too', {
    timeout: 60_000,
  }, async () => {
    const file = join(folder, 'none.yaml');
    writeFileSync(
      file,
      `version: 1
name: none
targets: [{ name: t, provider: simulator, model: m }]
prompts: [{ name: p, text: hello, maxTokens: 5 }]
load: { sweep: { slo: ["ttft.p95 < 1ms"], max: 1 } }
simulator: { profiles: { m: { ttft: 5ms, gap: 0ms, tokens: 2 } } }
`,
    );
    const none = await runCommand(sweepCommand, ['sweep', file, ...output]);
    expect(none.code).toBe(3);
    expect(none.stdout).toMatch(/^capacity +none found$/m);
    const brief = await runCommand(sweepCommand, ['sweep', file, '--budget', '1ms', ...output]);
    expect(brief.stdout).toMatch(/stopped by the time limit: the time limit of 1 ms was over/);
  });
});

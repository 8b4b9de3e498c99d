import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reportRun } from '../../src/bench/run/report-builder.ts';
import type { Report } from '../../src/model/report.ts';
import { jsonReport } from '../../src/report/formats/json.ts';
import { markdownReport } from '../../src/report/formats/markdown.ts';
import { terminalReport } from '../../src/report/terminal/terminal.ts';
import { scratch, start, streambench } from '../support/program.ts';

const folder = scratch();
afterAll(() => folder.dispose());
const output = join(folder.path, 'results');

/** A service that answers 3 requests at once and refuses the others, so its capacity is 3. */
function scenario(name: string, rest = ''): string {
  const file = join(folder.path, `${name}.yaml`);
  writeFileSync(
    file,
    `version: 1
name: ${name}
targets: [{ name: t, provider: simulator, model: m }]
prompts: [{ name: p, text: hello, maxTokens: 5 }]
load: { sweep: { slo: ["ttft.p95 < 5s"], start: 2, max: 8, repeats: 4, budget: 10s } }
simulator: { profiles: { m: { ttft: 20ms, gap: 2ms, tokens: 5, slots: 3, queue: 0 } } }
${rest}`,
  );
  return file;
}

const folderOf = (stderr: string) => /^results: (.+)$/m.exec(stderr)![1]!;

// On a busy machine the client is disturbed, and measurements are repeated until the time limit.
const PATIENCE_MS = 90_000;

/** What holds however busy the machine is: a busy client finds less, and says so, but nothing that is false. */
function expectTrue({ sweep }: Report): void {
  const [search] = sweep!.searches;
  const { met, broken } = search!.range;
  if (met !== null) expect(met).toBeLessThanOrEqual(3);
  if (broken !== null) expect(broken).toBeGreaterThan(3);
  if (search!.stop.reason !== 'budget' && sweep!.points.every(({ invalid }) => invalid === 0)) {
    expect(search).toMatchObject({ range: { met: 3, broken: 4 }, decided: true, stop: { reason: 'errors' } });
    expect(search!.stop.message).toMatch(/^at 4 streams errors\.rate is .*not < 1%: .*429/);
  }
}

describe('a sweep', () => {
  test('finds the capacity, gates on it, and is rebuilt from its records to the byte', {
    timeout: PATIENCE_MS,
  }, async () => {
    const file = scenario('known', 'thresholds: ["capacity.concurrency{slo} >= 4"]');
    const run = await streambench(['run', file, '--json', '-o', output]);
    // 4 streams are refused: the threshold fails, or, with a busy client, has no data.
    expect(run.code, run.stderr).toBe(3);
    const report = JSON.parse(run.stdout) as Report;
    expectTrue(report);
    expect(report.sweep).toMatchObject({
      by: 'concurrency',
      objectives: ['ttft.p95 < 5s', 'errors.rate < 1%'],
      confidence: 0.95,
    });
    expect(report.gates[0]?.verdict).not.toBe('pass');
    expect(run.stderr).toMatch(/^t · p · 2 streams · streaming: (met|client)/m);

    const at = folderOf(run.stderr);
    const { report: rebuilt } = await reportRun(at);
    expect(jsonReport(rebuilt)).toBe(run.stdout);
    expect(markdownReport(rebuilt)).toMatch(/### Sweep\n[\s\S]*\| streams \| TTFT p95 \|/);
    const narrow = terminalReport(rebuilt, { width: 60, color: 0, ascii: true });
    const drawn = narrow.slice(narrow.indexOf('\nSweep\n'), narrow.indexOf('\nThresholds\n'));
    expect(drawn).toMatch(/^streams +TTFT p95 .* SLO$/m);
    expect([...drawn].filter((char) => char > '~')).toEqual([]);
    expect(drawn.split('\n').filter((line) => line.length > 60)).toEqual([]);
  });

  test('that is interrupted says what is known, and goes on with run --resume', {
    timeout: PATIENCE_MS,
  }, async () => {
    const running = start(['run', scenario('interrupted'), '-o', output]);
    await running.until('2 streams · streaming:');
    running.kill('SIGINT');
    const { code, stdout, stderr } = await running.done;
    expect(code).toBe(130);
    expect(stdout).toMatch(/ABORTED: interrupted\./);
    expect(stdout).toMatch(/interrupted: the run ended before the edge was found/);

    const resumed = await streambench(['run', '--resume', folderOf(stderr), '--json']);
    const report = JSON.parse(resumed.stdout) as Report;
    expect(report.run).toMatchObject({ aborted: false, resumed: [{}] });
    expectTrue(report);
    expect(jsonReport((await reportRun(folderOf(stderr))).report)).toBe(resumed.stdout);
  });
});

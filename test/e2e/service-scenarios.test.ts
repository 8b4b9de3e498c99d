import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { scratch, streambench } from '../support/program.ts';

const folder = scratch();
afterAll(() => folder.dispose());

// The shipped scenarios with their own thresholds, and fewer requests.
async function run(name: string, expected: string[], ...flags: string[]) {
  const args = ['run', `scenarios/${name}.yaml`, '--json', '-o', folder.path, ...flags];
  const { code, stdout, stderr } = await streambench(args);
  expect(stderr).not.toMatch(/error/);
  const report = JSON.parse(stdout) as Report;
  for (const { outcomes } of report.cells) expect(Object.keys(outcomes).sort()).toEqual(expected);
  const cell = (target: string, prompt?: string) =>
    report.cells.find((one) => one.target === target && (prompt === undefined || one.prompt === prompt))!;
  return { code, report, cell };
}

// Each waits for simulated models most of the time.
describe.concurrent('the scenarios of the service', { timeout: 60_000 }, () => {
  test('cached-vs-streaming: a cached answer is one chunk, and only for a repeated prompt', async () => {
    const { code, cell } = await run('cached-vs-streaming', ['ok'], '-n', '16', '--rounds', '1');
    expect(cell('cached', 'repeated').metrics.chunks!.max).toBe(1);
    expect(cell('cached', 'new').metrics.chunks!.min).toBe(60);
    expect(cell('streaming', 'repeated').metrics.chunks!.min).toBe(60);
    expect(code).toBe(0);
  });

  test('batch: every prompt is answered in full, whatever the concurrency', async () => {
    const { code, report } = await run('batch', ['ok'], '-c', '2', '-n', '2', '--rounds', '1');
    for (const { metrics } of report.cells) {
      expect(metrics.chunks).toMatchObject({ min: 8 * 16, max: 8 * 16 });
      // As the model states them, summed over the prompts.
      expect(metrics.output_tokens).toMatchObject({ min: 8 * 16 });
    }
    expect(code).toBe(0);
  });

  test('cancel-and-resume: broken answers are whole, cancelled ones count apart', async () => {
    const { code, cell } = await run('cancel-and-resume', ['cancelled', 'ok'], '-n', '10', '--rounds', '1');
    const { steady, cut } = { steady: cell('steady'), cut: cell('cut') };
    expect([steady.outcomes, cut.outcomes]).toEqual([
      { ok: 8, cancelled: 2 },
      { ok: 8, cancelled: 2 },
    ]);
    expect(cut.metrics.chunks).toMatchObject({ min: 60, max: 60 });
    expect(steady.behaviours?.resumed).toBeFalsy();
    expect(cut.behaviours?.resumed).toMatchObject({ lost: 0, doubled: 0 });
    expect(code).toBe(0);
  });
});

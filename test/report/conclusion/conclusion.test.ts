import { describe, expect, test } from 'vitest';
import { createReportBuilder } from '../../../src/bench/run/report-builder.ts';
import type { Report } from '../../../src/model/report.ts';
import { conclude } from '../../../src/report/conclusion/conclusion.ts';
import { terminalReport } from '../../../src/report/terminal/terminal.ts';
import { displayWidth } from '../../../src/report/text-width.ts';
import { abortedReport, comparedReport, failedReport, gatedReport } from '../reports.ts';
import { type SampleOptions, sampleReport, sampleRun } from '../sample.ts';

/** A sample run with its comparisons. Target `slow` takes twice as long. */
function measured(options: SampleOptions, change: (report: Report) => void = () => {}): Report {
  const { manifest, records } = sampleRun(options);
  const builder = createReportBuilder(manifest);
  for (const record of records) {
    if (record.target === 'slow') {
      const { sent } = record.marks;
      for (const name of ['headers', 'firstByte', 'firstToken', 'firstAnswer', 'lastToken', 'end'] as const) {
        const at = record.marks[name];
        if (at !== undefined && sent !== undefined) record.marks[name] = sent + 2 * (at - sent);
      }
    }
    builder.add(record);
  }
  const report = builder.report(manifest);
  change(report);
  return report;
}

/** What is on the first screen of a terminal with 100 columns. */
function firstScreen(report: Report): string {
  return terminalReport(report, { width: 100, color: 0 }).split('\n').slice(0, 24).join('\n');
}

function lineOf(report: Report, label: string) {
  return conclude(report).lines.find((line) => line.label.split(',')[0] === label);
}

const MODELS = {
  targets: ['flash', 'slow'],
  prompts: ['short', 'long'],
  modes: ['streaming'],
  concurrency: [4],
} as const;

describe('five questions are answered on the first screen', () => {
  test('which model is faster', async () => {
    await expect(firstScreen(measured(MODELS))).toMatchFileSnapshot('../fixtures/conclusion-models.txt');
  });

  test('did it regress', async () => {
    await expect(firstScreen(comparedReport())).toMatchFileSnapshot('../fixtures/conclusion-regression.txt');
  });

  test('is it a real stream', async () => {
    await expect(firstScreen(gatedReport())).toMatchFileSnapshot('../fixtures/conclusion-streams.txt');
  });

  test('how does it hold up under load', async () => {
    const report = sampleReport({ prompts: ['short'], modes: ['streaming'], concurrency: [1, 2, 4, 8, 16] });
    await expect(firstScreen(report)).toMatchFileSnapshot('../fixtures/conclusion-levels.txt');
  });

  test('why did it fail', async () => {
    await expect(firstScreen(failedReport())).toMatchFileSnapshot('../fixtures/conclusion-failed.txt');
  });
});

describe('figures', () => {
  test('name the better side with factor, interval and certainty', () => {
    const line = lineOf(measured(MODELS), 'first token');
    expect(line?.text).toMatch(/^flash \d\.\dx faster \[\d\.\dx to \d\.\dx\], sure$/);
    expect(line?.figure).toMatchObject({ metric: 'ttft', certainty: 'sure', best: 'flash', against: 'slow' });
    expect(line?.figure?.values).toHaveLength(2);
  });

  test('are the other way round where the second side is better', () => {
    const line = lineOf(measured({ ...MODELS, targets: ['slow', 'flash'] }), 'first token');
    expect(line?.text).toMatch(/^flash \d\.\dx faster/);
    expect(line?.figure?.factor).toBeGreaterThan(1.5);
  });

  test('of several targets, the best is compared with the second', () => {
    const line = lineOf(measured({ ...MODELS, targets: ['flash', 'slow', 'again'] }), 'first token');
    expect(line?.text).toMatch(/^(flash|again) and (flash|again) equal|^not sure|than (flash|again)/);
  });

  test('a comparison of too few requests is not sure, and says how many settle it', () => {
    const report = measured({ ...MODELS, requests: 8 });
    expect(lineOf(report, 'first token')).toMatchObject({
      text: expect.stringMatching(/^not sure: \d+ of 20 answers needed per side$/),
      outcome: 'unknown',
    });
    expect(lineOf(report, 'unsure')?.text).toMatch(/^ttft, total: run it again with -n \d+$/);
  });

  test('prompts without a value on one side count on neither', () => {
    const report = sampleReport({ prompts: ['short', 'broken'], concurrency: [1] });
    const alone = sampleReport({ prompts: ['short'], concurrency: [1] });
    expect(lineOf(report, 'first token')?.values).toEqual(lineOf(alone, 'first token')?.values);
  });

  test('of more than four load levels, four are shown', () => {
    const report = sampleReport({
      prompts: ['short'],
      modes: ['streaming'],
      concurrency: [1, 2, 3, 4, 5, 6],
    });
    expect(conclude(report).sides).toEqual(['1 stream', '3 streams', '4 streams', '6 streams']);
  });
});

describe('trouble', () => {
  test('an aborted run, failures and unmet thresholds are bad', () => {
    expect(conclude(abortedReport()).lines[0]).toMatchObject({ topic: 'incomplete', outcome: 'bad' });
    expect(lineOf(failedReport(), 'failed')).toMatchObject({
      outcome: 'bad',
      text: expect.stringContaining('HTTP 500'),
    });
    expect(lineOf(gatedReport(), 'thresholds')).toMatchObject({
      outcome: 'bad',
      text: expect.stringMatching(
        /^1 of 3 thresholds failed, 1 had no data: streaming\.verdict == streaming is replayed/,
      ),
    });
    expect(lineOf(gatedReport(), 'client')?.text).toContain('saturated');
    expect(lineOf(gatedReport(), 'stream')).toMatchObject({
      outcome: 'bad',
      text: expect.stringContaining('dribbled'),
    });
  });

  test('without trouble nothing is bad', () => {
    const outcomes = conclude(
      measured(MODELS, (report) => {
        for (const cell of report.cells) Object.assign(cell, { failures: [], outcomes: { ok: 40 } });
      }),
    ).lines.map(({ outcome }) => outcome);
    expect(outcomes).not.toContain('bad');
  });
});

describe('a load with stages', () => {
  const staged = (): Report => {
    const report = sampleReport({
      targets: ['模型甲'],
      prompts: ['short'],
      modes: ['streaming'],
      concurrency: [1, 2, 3],
    });
    for (const [at, cell] of report.cells.entries())
      Object.assign(cell, { rate: 20, stage: ['warm up', '尖峰 of the load in the evening', 'after'][at] });
    return report;
  };

  test('has a column for each stage, named without its load', () => {
    expect(conclude(staged()).sides).toEqual(['warm up', '尖峰 of the load in the evening', 'after']);
    const text = terminalReport(staged(), { width: 100, color: 0 });
    const [header = '', ...lines] = text.slice(text.indexOf('Conclusion')).split('\n');
    expect(header).toMatch(/^Conclusion +warm up {2}尖峰 of the load in the… {2,}after$/);
    // The first figures end where their names end.
    const end = displayWidth(header.slice(0, header.indexOf('warm up') + 'warm up'.length));
    expect(lines[0]?.slice(0, end)).toMatch(/\d ms$/);
  });

  test.each([60, 80, 120, 200])('fits %d columns, with tables whose borders line up', (width) => {
    const lines = terminalReport(staged(), { width, color: 0 }).split('\n');
    expect(lines.filter((line) => displayWidth(line) > width)).toEqual([]);
    const table = lines.filter((line) => /^[│├╭╰]/.test(line));
    expect(table.length).toBeGreaterThan(4);
    expect(new Set(table.map(displayWidth)).size).toBe(1);
  });
});

test('an inconclusive verdict is one short line with what would decide it', () => {
  const report = gatedReport({
    targets: ['flash'],
    prompts: ['short'],
    modes: ['streaming'],
    concurrency: [4],
  });
  for (const { streaming } of report.cells) {
    if (streaming)
      Object.assign(streaming, {
        verdict: 'inconclusive',
        evidence:
          '40 chunks over 584 ms after a wait of 541 ms: a live stream and an answer generated first can look like this; measure again with --mode both or --lengths 16,256',
      });
  }
  expect(lineOf(report, 'stream')?.text).toBe(
    'not decided: measure again with --mode both or --lengths 16,256',
  );
});

test('never more than eight lines, and none wider than the terminal', () => {
  for (const report of [gatedReport(), comparedReport(), failedReport(), abortedReport(), measured(MODELS)]) {
    const { lines, sides } = conclude(report);
    expect(lines.length + (sides.length > 1 ? 1 : 0)).toBeLessThanOrEqual(8);
    for (const width of [60, 80, 120, 200]) {
      const wide = terminalReport(report, { width, color: 0 })
        .split('\n')
        .filter((line) => displayWidth(line) > width);
      expect(wide).toEqual([]);
    }
  }
});

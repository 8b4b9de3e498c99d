import { describe, expect, test } from 'vitest';
import { historyOf } from '../../../src/analysis/history/history.ts';
import type { AcceptedRun } from '../../../src/model/accepted-run.ts';
import type { Chart, LinesChart } from '../../../src/report/html/chart.ts';
import { htmlHistory } from '../../../src/report/html/history-page.ts';
import { dailyRun, dailyRuns, ERRORS, TTFT } from '../../analysis/history/runs.ts';
import { parsePage } from './parse-page.ts';

const step = (day: number) => (day >= 8 ? 1.31 : 1);
const page = (runs: readonly AcceptedRun[], source = 'main') =>
  htmlHistory(historyOf(runs, { source, figures: [TTFT, ERRORS], warnings: ['a.json is <damaged>'] }));
const lines = (chart: Chart | undefined) => chart as LinesChart;

describe('the page of a history', () => {
  test('has a point for each run with a value, the levels and the changes', () => {
    const runs = dailyRuns(14, step);
    const cells = (runs[3]?.cells ?? []).map((cell) => ({ ...cell, failed: 200, figures: {} }));
    runs[3] = dailyRun(3, { cells });
    const { tags, text, open, data } = parsePage(page(runs));
    expect(open).toEqual([]);
    const [ttft, errors] = data.charts.map(lines);
    const points = (chart: LinesChart | undefined) =>
      chart?.lines.at(-1)?.y.filter((value) => value !== null).length;
    expect([points(ttft), ttft?.missing, points(errors)]).toEqual([13, [3], 14]);
    const [level] = ttft?.lines ?? [];
    expect(level?.x).toEqual([-0.5, 7.5, 13.5]);
    expect(ttft?.guides).toMatchObject([
      { at: 7.5, tone: 'bad', label: expect.stringMatching(/^\+3\d % slower$/) },
    ]);
    expect(text).toContain('ttft.p50 +3');
    expect(text).toContain('since commit abcdef008 of 2026-10-09 03:31');
    expect(text).toContain('1 of 14 runs have no value');
    expect(text).toContain('a.json is <damaged>');
    expect(tags.filter(([tag]) => tag === 'tr')).toHaveLength(15);
  });

  test('names from files are text, whatever is in them', () => {
    const evil = `"></script><script>alert(1)</script><!--<img src=x onerror='x'>\u202e`;
    const runs = dailyRuns(14, step).map((run) => ({
      ...run,
      manifest: {
        ...run.manifest,
        scenario: { ...run.manifest.scenario, name: evil },
        environment: { ...run.manifest.environment, gitCommit: evil, gitBranch: evil },
      },
    }));
    const { tags, text, open } = parsePage(page(runs, evil));
    expect(open).toEqual([]);
    expect(tags.filter(([tag]) => tag === 'script')).toHaveLength(3);
    expect(tags.map(([tag]) => tag)).not.toContain('img');
    expect(text).toContain('<script>alert(1)</script>');
    expect(text).not.toContain('\u202e');
  });

  test.each([
    ['one run', dailyRuns(1, step)],
    ['no value', [dailyRun(0, { cells: [] })]],
  ])('%s: every number of its charts exists', (_, runs) => {
    const { data, text } = parsePage(page(runs));
    expect(`${JSON.stringify(data)} ${text}`).not.toMatch(/NaN|Infinity|undefined/);
    for (const chart of data.charts.map(lines)) expect(chart.y.range ?? []).not.toContain(null);
  });
});

import { describe, expect, test } from 'vitest';
import { historyOf } from '../../../src/analysis/history/history.ts';
import type { AcceptedRun } from '../../../src/model/accepted-run.ts';
import { terminalHistory } from '../../../src/report/history/terminal-history.ts';
import { displayWidth } from '../../../src/report/text-width.ts';
import { dailyRun, dailyRuns, ERRORS, MEAN, TTFT } from '../../analysis/history/runs.ts';
import { acceptedCell, figure } from '../../analysis/regression/accepted.ts';

const WIDTHS = [40, 60, 80, 120];
const step = (day: number) => (day >= 8 ? 1.31 : 1);

/** Twelve runs with a step, a gap and a new level. */
function eventful(): AcceptedRun[] {
  const runs = dailyRuns(14, step);
  const failed = (runs[3]?.cells ?? []).map((cell) => ({ ...cell, failed: 200, figures: {} }));
  runs[3] = dailyRun(3, { cells: failed });
  const [changed] = runs.splice(8, 1, { ...runs[8]!, newLevel: true });
  expect(changed).toBeDefined();
  return runs;
}

const shown = (
  runs: readonly AcceptedRun[],
  { width = 80, color = 0 as 0 | 1, ascii = false, figures = [TTFT] } = {},
) => {
  const report = historyOf(runs, { source: 'main', figures, byCell: figures.length === 1 });
  return terminalHistory(report, { width, color, ascii });
};

test('one figure: every run has a line, with its change point above the first run of the new level', () => {
  expect(shown(eventful())).toMatchInlineSnapshot(`
    "main: ttft.p50 +32 % (slower) since commit abcdef008 of 2026-10-09

    14 runs of demo, 2026-10-01 to 2026-10-14, on linux x64, 2 x Xeon  Gold

    - since commit abcdef008 of 2026-10-09 03:31 (the run before: commit abcdef007):
      ttft.p50 +32 % (slower), 298 ms instead of 225 ms

    ttft.p50: geometric mean of 2 cells
    date              commit     ttft.p50  223 ms                             301 ms
    2026-10-01 03:31  abcdef000    228 ms   │ ●
    2026-10-02 03:31  abcdef001    232 ms   │   ●
    2026-10-03 03:31  abcdef002    223 ms  ●│
    2026-10-04 03:31  abcdef003         —  all 400 requests failed
    2026-10-05 03:31  abcdef004    225 ms   ●
    2026-10-06 03:31  abcdef005    225 ms   ●
    2026-10-07 03:31  abcdef006    227 ms   │●
    2026-10-08 03:31  abcdef007    224 ms   ●
    ── +32 % slower, accepted as a new level ───────────────────────────────────────
    2026-10-09 03:31  abcdef008    300 ms                                        │●
    2026-10-10 03:31  abcdef009    293 ms                                      ● │
    2026-10-11 03:31  abcdef010    295 ms                                       ●│
    2026-10-12 03:31  abcdef011    301 ms                                        │ ●
    2026-10-13 03:31  abcdef012    301 ms                                        │ ●
    2026-10-14 03:31  abcdef013    296 ms                                       ●│

    cell          now  last change   trend
    1 stream   208 ms  +29 % slower  ▁▂▁ ▁▁▁▁▇▇▇██▇
                                             ^
    4 streams  425 ms  +33 % slower  ▁▁▁ ▁▁▁▁████▇█
                                             ^

    change points by E-divisive with a permutation test (seed 1): a history without
    changes shows one in 5.0 % of cases
    "
  `);
});

test('several figures: each has a line with its trend', () => {
  expect(shown(eventful(), { figures: [TTFT, MEAN, ERRORS], width: 60 })).toMatchInlineSnapshot(`
    "main: ttft.p50 +32 % (slower) since commit abcdef008 of
    2026-10-09

    14 runs of demo, 2026-10-01 to 2026-10-14, on linux x64, 2 x
    Xeon  Gold

    figure          now  last change   trend
    ttft.p50     298 ms  +32 % slower  ▁▁▁ ▁▁▁▁██████
                                               ^
    ttft.mean    328 ms  +32 % slower  ▁▁▁ ▁▁▁▁██████
                                               ^
    errors.rate     0 %  —             ▁▁▁█▁▁▁▁▁▁▁▁▁▁

    - since commit abcdef008 of 2026-10-09 03:31 (the run
      before: commit abcdef007): ttft.p50 +32 % (slower), 298 ms
      instead of 225 ms; ttft.mean +32 % (slower), 328 ms
      instead of 247 ms

    change points by E-divisive with a permutation test (seed
    1): a history without changes shows one in 5.0 % of cases
    "
  `);
});

describe.each(WIDTHS)('%i columns', (width) => {
  const cases = {
    'one figure': () => shown(eventful(), { width }),
    'several figures': () => shown(eventful(), { width, figures: [TTFT, MEAN, ERRORS] }),
    'more runs than lines': () =>
      shown(
        dailyRuns(130, (day) => (day > 60 ? 1.2 : 1)),
        { width },
      ),
    'one run': () => shown(dailyRuns(1, step), { width }),
    'long names': () =>
      shown(
        dailyRuns(8, step).map((run) => ({
          ...run,
          cells: run.cells.map((cell) => ({
            ...cell,
            target: `target-${'x'.repeat(60)}-${cell.concurrency}`,
          })),
        })),
        { width },
      ),
  };
  test.each(Object.entries(cases))('%s: no line is wider', (_, text) => {
    const wide = text()
      .split('\n')
      .filter((line) => displayWidth(line) > width);
    expect(wide).toEqual([]);
  });
});

test('without color there is no escape code; with it, only color codes', () => {
  expect(shown(eventful())).not.toContain('\u001b');
  const colored = shown(eventful(), { color: 1 });
  expect(colored).toContain('\u001b[31m');
  expect(colored.replaceAll(/\u001b\[\d+m/g, '')).toBe(shown(eventful()));
});

test('a terminal without block elements gets ASCII only', () => {
  const faster = dailyRuns(14, (day) => (day >= 8 ? 0.7 : 1));
  for (const runs of [eventful(), faster]) expect(shown(runs, { ascii: true })).toMatch(/^[\n -~]+$/);
});

test('with more than 40 runs the newest are listed, and the line shows all', () => {
  const text = shown(
    dailyRuns(130, (day) => (day > 60 ? 1.2 : 1)),
    { width: 80 },
  );
  expect(text).toContain('the newest 40 of 130 runs:');
  expect(text.split('\n').filter((line) => /^2\d{3}-/.test(line))).toHaveLength(40);
  expect(text).toContain('^');
});

test('too few runs: the result says how many a change needs', () => {
  const text = shown(dailyRuns(1, step), { width: 120 });
  expect(text).toContain('a change needs at least 6 runs with values, and there is 1');
});

test('no run with a value: the reason is on each line', () => {
  const cells = [
    acceptedCell({ 'ttft.p50': figure(0, { value: null, logVariance: null }) }, { failed: 200 }),
  ];
  const text = shown([dailyRun(0, { cells }), dailyRun(1, { cells })]);
  expect(text.match(/all 200 requests failed/g)).toHaveLength(2);
  expect(text).not.toMatch(/NaN|Infinity|undefined/);
});

test('names from a file cannot break a line', () => {
  const runs = dailyRuns(2, step).map((run) => ({
    ...run,
    manifest: { ...run.manifest, scenario: { ...run.manifest.scenario, name: 'demo\n::error::x\u202e' } },
  }));
  expect(shown(runs)).toContain('of demo ::error::x\\u{202e},');
});

import { describe, expect, test } from 'vitest';
import { historyOf } from '../../../src/analysis/history/history.ts';
import type { AcceptedRun } from '../../../src/model/accepted-run.ts';
import { acceptedCell, figure } from '../regression/accepted.ts';
import { dailyRun, dailyRuns, ERRORS, MEAN, TTFT } from './runs.ts';

const step = (day: number) => (day >= 20 ? 1.3 : 1);
const traced = (
  runs: readonly AcceptedRun[],
  options: { byCell?: boolean; figures?: (typeof TTFT)[] } = {},
) => historyOf(runs, { source: 'main', figures: [TTFT], ...options });
const withFigures = (day: number, ...values: (number | null)[]) =>
  dailyRun(day, {
    cells: values.map((value, index) =>
      acceptedCell(
        { 'ttft.p50': figure(0, { value, logVariance: value === null ? null : 0 }) },
        { concurrency: index + 1 },
      ),
    ),
  });

/** The runs on another machine. */
const onMac = (runs: readonly AcceptedRun[]) =>
  runs.map((run) => {
    const { run: info, environment } = run.manifest;
    const cpus = { model: 'Apple M4', count: 10 };
    return {
      ...run,
      manifest: {
        ...run.manifest,
        run: { ...info, id: `${info.id}-mac` },
        environment: { ...environment, cpus },
      },
    };
  });

describe('a history', () => {
  test('names the run, the commit and the machine from which on a figure has another level', () => {
    const { changePoints, series, runs } = traced(dailyRuns(30, step));
    expect(changePoints).toHaveLength(1);
    const [change] = changePoints;
    expect(change).toMatchObject({
      figure: 'ttft.p50',
      cell: null,
      direction: 'worse',
      run: runs[20]?.id,
      startedAt: '2026-10-21T03:31:00.000Z',
      commit: 'abcdef020',
      previousRun: runs[19]?.id,
      previousCommit: 'abcdef019',
      runsBefore: 20,
      runsAfter: 10,
      hostClass: 'linux x64, 2 x Xeon  Gold',
    });
    expect(change?.ratio).toBeCloseTo(1.3, 1);
    expect(series[0]?.levels.map(({ from }) => from)).toEqual([0, 20]);
  });

  test('a rate that falls is worse, an error rate that falls is better', () => {
    const rate = { figure: 'token_rate.p50', unit: '1/s', better: 'higher' } as const;
    const runs = Array.from({ length: 20 }, (_, day) =>
      dailyRun(day, {
        cells: [
          acceptedCell(
            { 'token_rate.p50': figure((day < 10 ? 60 : 40) + (day % 3)) },
            { failed: day < 10 ? 40 + (day % 3) : 1 },
          ),
        ],
      }),
    );
    const { changePoints } = historyOf(runs, { source: 'main', figures: [rate, ERRORS] });
    expect(
      changePoints.map(({ figure: name, direction, ratio }) => [name, direction, ratio === null]),
    ).toEqual([
      ['token_rate.p50', 'worse', false],
      ['errors.rate', 'better', true],
    ]);
    expect(changePoints[1]).toMatchObject({ before: 0.205, after: 0.005 });
  });

  test('the order of the runs that are read does not matter, and a run that is there twice counts once', () => {
    const runs = dailyRuns(30, step);
    const shuffled = [...runs.slice(15), ...runs.slice(0, 18)].reverse();
    expect(traced(shuffled)).toEqual(traced(runs));
  });

  test('all cells together are their geometric mean; a run that lacks a cell has no value', () => {
    const { runs, series } = traced(
      [withFigures(0, 100, 400), withFigures(1, 100), withFigures(2, 100, null)],
      {
        byCell: true,
      },
    );
    expect(runs.map(({ figures }) => figures['ttft.p50'])).toEqual([expect.closeTo(200, 6), null, null]);
    expect(series.map(({ cell, values }) => [cell?.concurrency, values])).toEqual([
      [undefined, [expect.closeTo(200, 6), null, null]],
      [1, [100, 100, 100]],
      [2, [400, null, null]],
    ]);
  });

  test('a cell that never has the figure is left out', () => {
    const runs = [0, 1].map((day) =>
      dailyRun(day, {
        cells: [acceptedCell({ 'ttft.p50': figure(100) }), acceptedCell({}, { mode: 'non-streaming' })],
      }),
    );
    expect(traced(runs).runs.map(({ figures }) => figures['ttft.p50'])).toEqual([100, 100]);
  });

  test('a change of one cell is found there', () => {
    const runs = dailyRuns(30, () => 1).map((run, day) => ({
      ...run,
      cells: run.cells.map((cell) => {
        const slower = cell.concurrency === 4 && day >= 15 ? 1.2 : 1;
        return { ...cell, figures: { 'ttft.p50': figure((cell.figures['ttft.p50']?.value ?? 0) * slower) } };
      }),
    }));
    const single = traced(runs, { byCell: true }).changePoints.filter(({ cell }) => cell !== null);
    expect(single.map(({ cell, commit }) => [cell?.concurrency, commit])).toEqual([[4, 'abcdef015']]);
  });

  test('a figure whose failed requests reach it has a gap, and the error rate shows why', () => {
    const runs = dailyRuns(30, step);
    const cells = (runs[10]?.cells ?? []).map((cell) => ({
      ...cell,
      failed: 200,
      figures: { 'ttft.p50': figure(0, { value: null, logVariance: null, censored: 200 }) },
    }));
    runs[10] = dailyRun(10, { cells });
    const { series, changePoints, runs: shown } = traced(runs, { figures: [TTFT, ERRORS] });
    expect(series[0]?.values[10]).toBeNull();
    expect(series[1]?.values[10]).toBe(1);
    expect(shown[10]).toMatchObject({ requests: 400, failed: 400 });
    expect(changePoints.map(({ run }) => run)).toEqual([runs[20]?.manifest.run.id]);
  });

  test.each([
    ['one run', dailyRuns(1, step)],
    ['no run with a value', [withFigures(0, null), withFigures(1, null)]],
    ['no requests', [dailyRun(0, { cells: [acceptedCell({}, { requests: 0 })] })]],
  ])('%s: no change points', (_, runs) => {
    const report = traced(runs, { figures: [TTFT, ERRORS] });
    expect(report.changePoints).toEqual([]);
    expect(report.runs).toHaveLength(runs.length);
  });

  test('a report is plain JSON: it is the same when it is read again', () => {
    const report = traced(dailyRuns(30, step), { byCell: true, figures: [TTFT, MEAN] });
    const read = JSON.parse(JSON.stringify(report));
    expect(JSON.parse(JSON.stringify(read))).toEqual(read);
    expect(Object.keys(read)).toEqual([
      'schema',
      'source',
      'runs',
      'changePoints',
      'groups',
      'series',
      'settings',
      'warnings',
    ]);
  });
});

describe('runs that cannot be compared', () => {
  test('another kind of machine is another series: a move to it is no change point', () => {
    const { changePoints, groups, series } = traced([
      ...dailyRuns(12, () => 1),
      ...onMac(dailyRuns(12, () => 1.5, { first: 12 })),
    ]);
    expect(changePoints).toEqual([]);
    expect(groups.map(({ hostClass, runs, differs }) => [hostClass, runs, differs])).toEqual([
      // The group of the newest run is the first.
      ['linux x64, 10 x Apple M4', 12, []],
      ['linux x64, 2 x Xeon  Gold', 12, ['another kind of machine: linux x64, 2 x Xeon  Gold']],
    ]);
    expect(series.map(({ group, values }) => [group, values.length])).toEqual([
      [0, 12],
      [1, 12],
    ]);
  });

  test('runs of two machines in turn are two series', () => {
    const runs = dailyRuns(40, (day) => (day % 2 === 0 ? 1 : 1.5));
    const mixed = runs.flatMap((run, day) => (day % 2 === 0 ? [run] : onMac([run])));
    const { changePoints, groups } = traced(mixed);
    expect(changePoints).toEqual([]);
    expect(groups.map(({ runs: count }) => count)).toEqual([20, 20]);
  });

  test('a changed scenario or load is another series, with the reason', () => {
    const changed = dailyRuns(3, () => 1, { first: 6 }).map((run) => ({
      ...run,
      manifest: { ...run.manifest, scenario: { ...run.manifest.scenario, hash: 'other' } },
    }));
    const more = dailyRuns(3, () => 1, { first: 3 }).map((run) => ({
      ...run,
      manifest: { ...run.manifest, run: { ...run.manifest.run, rounds: 9 } },
    }));
    const { groups } = traced([...dailyRuns(3, () => 1), ...more, ...changed]);
    expect(groups).toHaveLength(3);
    expect(groups[1]?.differs.join()).toContain('has changed between the runs');
    expect(groups[1]?.differs.join()).toContain('the load differs');
    expect(groups[2]?.differs.join()).toContain('has changed between the runs');
  });
});

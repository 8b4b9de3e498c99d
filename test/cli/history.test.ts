import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { historyCommand } from '../../src/cli/commands/history.ts';
import { UserError } from '../../src/model/errors.ts';
import type { HistoryReport } from '../../src/model/history.ts';
import { appendAcceptedRun } from '../../src/results/baselines.ts';
import { dailyRuns } from '../analysis/history/runs.ts';
import { manifest, record } from '../metrics/records.ts';
import { runCommand } from './in-process.ts';

const root = mkdtempSync(join(tmpdir(), 'streambench-history-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const output = join(root, 'results');
const store = join(output, 'baselines/main');
beforeEach(() => rmSync(output, { recursive: true, force: true }));

const history = (...args: string[]) => runCommand(historyCommand, ['history', ...args, '-o', output]);
const asJson = async (...args: string[]): Promise<HistoryReport> =>
  JSON.parse((await history(...args, '--json')).stdout);
const errorOf = async (...args: string[]): Promise<string> => {
  const error = await history(...args).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UserError);
  return (error as UserError).message;
};

async function saveRuns(count: number): Promise<void> {
  for (const run of dailyRuns(count, (day) => (day >= 8 ? 1.3 : 1)))
    await appendAcceptedRun(output, 'main', run);
}

/** The folder of a run on a day of November, with twenty requests that take this long to the first token. */
function writeRun(day: number, ttftMs: number, { aborted = false, failed = false } = {}): string {
  const startedAt = new Date(Date.UTC(2026, 10, day)).toISOString();
  const id = `${startedAt.slice(0, 10)}T00-00-00-demo-${String(day).padStart(4, '0')}`;
  const base = manifest();
  const folder = join(output, id);
  mkdirSync(folder, { recursive: true });
  const cells = base.cells.slice(0, 1);
  const run = { ...base.run, id, startedAt, planned: 20, aborted };
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...base, run, cells, records: 20 }));
  const lines = Array.from({ length: 20 }, (_, seq) => {
    const { marks } = record();
    const at = marks.sent! + ttftMs + (seq % 5);
    return JSON.stringify(
      record({
        ...cells[0],
        seq,
        outcome: failed ? { kind: 'http_error', message: 'status 503' } : { kind: 'ok' },
        marks: { ...marks, firstToken: at, firstAnswer: at, lastToken: at + 100, end: at + 120 },
      }),
    );
  });
  writeFileSync(join(folder, 'records.ndjson'), `${lines.join('\n')}\n`);
  return folder;
}

describe('the history of a baseline', () => {
  test('is printed with its figures and its change points', async () => {
    await saveRuns(14);
    const { code, stdout, stderr } = await history('main');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^main: ttft\.p50 \+3\d % \(slower\) since commit abcdef008 of 2026-10-09/);
    expect(stdout).toContain('ttft.mean');
    // The runs have no total times; that is said, and nothing is made up.
    expect(stderr).toContain('no run has enough values for ttft.p95, total.p50, total.mean, gap.p95');
    expect(stdout).not.toContain('total.p50');
  });

  test('one figure is shown by cell as well; several are not', async () => {
    await saveRuns(14);
    const one = await asJson('main', 'ttft.p50');
    expect(one.series.map(({ cell }) => cell?.concurrency ?? null)).toEqual([null, 1, 4]);
    expect(one.changePoints[0]).toMatchObject({ commit: 'abcdef008', previousCommit: 'abcdef007' });
    const two = await asJson('main', 'ttft.p50', 'errors.rate');
    expect(two.series.map(({ figure }) => figure)).toEqual(['ttft.p50', 'errors.rate']);
  });

  test('--last limits the runs, --html writes the page', async () => {
    await saveRuns(14);
    expect((await asJson('main', '--last', '5')).runs.map(({ commit }) => commit)).toEqual(
      [9, 10, 11, 12, 13].map((day) => `abcdef${String(day).padStart(3, '0')}`),
    );
    const file = join(root, 'page.html');
    const { stderr } = await history('main', '--html', file);
    expect(stderr).toContain(`written: ${file}`);
    expect(readFileSync(file, 'utf8')).toMatch(/^<!doctype html>[\s\S]+<\/html>\n$/);
    expect(readdirSync(root).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test('damaged entries and entries of another version are left out with a warning', async () => {
    await saveRuns(3);
    writeFileSync(join(store, 'damaged.json'), '{"schema":');
    writeFileSync(join(store, 'newer.json'), '{"schema":"streambench/baseline@9"}');
    const { runs, warnings } = await asJson('main');
    expect(runs).toHaveLength(3);
    expect(warnings.join('\n')).toContain('damaged.json is not JSON');
    expect(warnings.join('\n')).toContain('newer.json was written with "streambench/baseline@9"');
  });

  test('mistakes have a cause and a remedy', async () => {
    expect(await errorOf()).toContain('no baseline and no runs given');
    await saveRuns(2);
    expect(await errorOf('mian')).toMatch(/no baseline "mian"[\s\S]*main/);
    expect(await errorOf('main', 'tftt.p50')).toContain('unknown figure "tftt.p50"');
    expect(await errorOf('main', 'ttft.p75')).toMatch(
      /no run has a value for ttft\.p75[\s\S]*stored: ttft\.mean, ttft\.p50/,
    );
    expect(await errorOf('main', '--html', join(root, 'no/page.html'))).toMatch(
      /cannot write[\s\S]*--html FILE/,
    );
    rmSync(store, { recursive: true });
    mkdirSync(store);
    writeFileSync(join(store, 'damaged.json'), 'x');
    expect(await errorOf('main')).toMatch(
      /damaged\.json is not JSON[\s\S]*has no accepted run that can be used/,
    );
  });
});

describe('the history of run folders', () => {
  const pattern = join(output, '*');

  test('a step is found; an aborted, a failed and a damaged run and other folders do no harm', async () => {
    for (let day = 1; day <= 12; day++) writeRun(day, day < 7 ? 100 : 150);
    writeRun(13, 400, { aborted: true });
    writeRun(14, 100, { failed: true });
    writeFileSync(join(writeRun(15, 900), 'manifest.json'), '{');
    mkdirSync(join(output, 'baselines/main'), { recursive: true });
    writeFileSync(join(output, 'notes.txt'), 'x');
    const report = await asJson('--runs', pattern, 'ttft.p50');
    expect(report.changePoints.map(({ run }) => run)).toEqual(['2026-11-07T00-00-00-demo-0007']);
    expect(report.runs).toHaveLength(13);
    expect(report.runs.at(-1)).toMatchObject({ failed: 20, figures: { 'ttft.p50': null } });
    expect(report.warnings.join('\n')).toMatch(/demo-0013 is left out: the run is incomplete/);
    expect(report.warnings.join('\n')).toMatch(/demo-0015 is left out: .*is not JSON/);
  });

  test('a figure that is not stored in baselines is computed', async () => {
    writeRun(1, 100);
    const { runs } = await asJson('--runs', pattern, 'ttfe.p50');
    expect(runs[0]?.figures['ttfe.p50']).toBe(90);
  });

  test('folders, the folder above them and a pattern that the shell expanded give the same', async () => {
    const folders = [1, 2, 3].map((day) => writeRun(day, 100));
    const ids = async (...args: string[]) => (await asJson(...args)).runs.map(({ id }) => id);
    const expected = await ids('--runs', pattern);
    expect(expected).toHaveLength(3);
    expect(await ids('--runs', output)).toEqual(expected);
    expect(await ids('--runs', folders[0]!, ...folders.slice(1), 'ttft.p50')).toEqual(expected);
    expect(
      await ids('--runs', folders[0]!, '--runs', join(output, '2026-11-0[23]*'.replace('[23]', '?'))),
    ).toEqual(expected);
  });

  test('a copy of a run counts once', async () => {
    cpSync(writeRun(1, 100), join(output, 'copy'), { recursive: true });
    writeRun(2, 100);
    expect((await asJson('--runs', pattern)).runs).toHaveLength(2);
  });

  test('no run to read: cause and remedy, never an empty success', async () => {
    expect(await errorOf('--runs', pattern)).toMatch(/no run at .*\*[\s\S]*manifest\.json/);
    writeRun(1, 100, { aborted: true });
    expect(await errorOf('--runs', pattern)).toMatch(/incomplete[\s\S]*no run of .* can be used/);
  });
});

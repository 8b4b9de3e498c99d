import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareCommand } from '../../src/cli/commands/compare.ts';
import { historyCommand } from '../../src/cli/commands/history.ts';
import { importCommand } from '../../src/cli/commands/import.ts';
import { reportCommand } from '../../src/cli/commands/report.ts';
import type { Manifest, Report } from '../../src/model/report.ts';
import { importFile } from '../imports/fixtures.ts';
import { everyFile } from '../support/canary.ts';
import { scratch } from '../support/program.ts';
import { runCommand } from './in-process.ts';

const folder = scratch();
afterAll(() => folder.dispose());

async function imported(tool: string, ...flags: string[]): Promise<{ run: string; stdout: string }> {
  const args = ['import', importFile(tool), '-o', folder.path, ...flags];
  const { code, stdout, stderr } = await runCommand(importCommand, args, { width: 100 });
  expect(code, stderr).toBe(0);
  return { run: /results: (.+)/.exec(stderr)?.[1] ?? '', stdout };
}

const runs: Record<string, { run: string; stdout: string }> = {};
beforeAll(async () => {
  for (const tool of ['aiperf', 'guidellm', 'vllm', 'genai-bench', 'inference-perf'])
    runs[tool] = await imported(tool, '--name', 'nightly', '--target', 'flash');
});
const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ');
const runOf = (tool: string) => runs[tool]?.run ?? '';

describe('import', () => {
  test('the head of the report has the tool, its version, the file and its definitions', () => {
    const [name, ...head] = (runs.aiperf?.stdout ?? '').split('\n');
    expect(name).toBe('nightly');
    expect(head.join(' ')).toContain('Measured by AIPerf 0.13.0, imported from profile_export.jsonl.');
    expect(head.join(' ')).toContain(
      'TTFT as AIPerf measures it: from the call of the HTTP client, connecting included',
    );
    expect(runs.aiperf?.stdout).toContain('measured by AIPerf 0.13.0 · imported by streambench');
    expect(runs.aiperf?.stdout).toMatch(/│ imported │ +4 │ 14\/16 │/);
  });

  test('what the tool did not record is a dash, not zero', () => {
    expect(runs['genai-bench']?.stdout).toMatch(/│ D\(10,20\) │ +4 │ 38\/40 │ +— │/);
    expect(runs['genai-bench']?.stdout).toContain('duration not recorded');
    const report = JSON.parse(readFileSync(join(runOf('genai-bench'), 'report.json'), 'utf8')) as Report;
    const [cell] = report.cells;
    expect(cell?.throughput).toMatchObject({ requestsPerSecond: null, tokensPerSecond: null });
    expect(cell).toMatchObject({ reached: null, streaming: null, client: null, coalescedShare: null });
    expect(cell).not.toHaveProperty('io');
    for (const name of [
      'gap',
      'ttfb',
      'latency',
      'chunks',
      'bytes',
      'queue',
      'stalls',
      'tail',
      'reader_wait',
    ])
      expect(cell?.metrics[name], name).toBeNull();
  });

  test('the manifest holds no more of the files than names: no path, no command line', () => {
    const { origin, environment } = JSON.parse(
      readFileSync(join(runOf('genai-bench'), 'manifest.json'), 'utf8'),
    ) as Manifest;
    expect(origin?.files).toEqual(['D10_20_text-to-text_num_concurrency_4_time_1s.json']);
    expect(environment).toMatchObject({ cpus: { count: null }, memoryBytes: null });
    expect(everyFile(runOf('genai-bench'))).not.toContain('--api-key');
  });

  test('every format is made again from the records', async () => {
    for (const format of [
      'terminal',
      'json',
      'markdown',
      'csv',
      'junit',
      'prometheus',
      'hgrm',
      'benchmark-report',
    ]) {
      const { code, stdout } = await runCommand(reportCommand, ['report', runOf('vllm'), '-f', format]);
      expect(code).toBe(0);
      expect(stdout).not.toContain('NaN');
      if (format === 'json') expect(stdout).toBe(readFileSync(join(runOf('vllm'), 'report.json'), 'utf8'));
      if (format === 'markdown')
        expect(stdout).toContain('Measured by vllm bench serve, imported from result.json');
    }
  });

  test('the page names the tool that measured, below its heading', async () => {
    const { stdout } = await runCommand(reportCommand, ['report', runOf('vllm'), '-f', 'html']);
    const head = stdout.slice(stdout.indexOf('<header>'), stdout.indexOf('</header>'));
    expect(head).toContain('Measured by vllm bench serve, imported from result.json.');
    expect(head).toContain('as vllm bench serve measures it');
  });

  test('the same files cannot be imported twice into one folder by accident', async () => {
    const again = imported('vllm', '--name', 'nightly', '--target', 'flash');
    await expect(again).rejects.toThrow('the path already exists');
  });
});

describe('imported runs with other commands', () => {
  test('TERM=dumb: reports, comparisons and views of another tool are ASCII', async () => {
    const env = { TERM: 'dumb' };
    const outputs = await Promise.all([
      runCommand(compareCommand, ['compare', runOf('guidellm'), runOf('vllm'), '-o', folder.path], { env }),
      runCommand(reportCommand, ['report', runOf('vllm')], { env }),
      runCommand(reportCommand, ['report', runOf('vllm'), '--as', 'vllm'], { env }),
      runCommand(importCommand, ['import', importFile('vllm'), '-o', folder.path, '--name', 'ascii'], {
        env,
      }),
    ]);
    for (const { stdout, stderr } of outputs) expect(stdout + stderr).toMatch(/^[\n -~]+$/);
  });

  test('compare: two tools, with a warning that their definitions differ', async () => {
    const args = ['compare', runOf('guidellm'), runOf('vllm'), '-o', folder.path, '--json'];
    const { stdout } = await runCommand(compareCommand, args);
    const { obstacles, warnings, summaries } = JSON.parse(stdout);
    expect(obstacles).toEqual([]);
    expect(warnings.join(' ')).toContain('the tool that measured');
    expect(warnings.join(' ')).toContain('guidellm 0.8.1, vllm bench serve');
    expect(summaries.map(({ figure }: { figure: string }) => figure)).toContain('ttft.mean');
  });

  test('compare: runs of different names are refused', async () => {
    const { run } = await imported('vllm', '--name', 'other', '--target', 'flash');
    const { stdout } = await runCommand(compareCommand, [
      'compare',
      runOf('guidellm'),
      run,
      '-o',
      folder.path,
    ]);
    expect(oneLine(stdout)).toContain('the runs have different names: "nightly", "other"');
    expect(oneLine(stdout)).toContain('with one --name');
  });

  test('history: runs of one tool are a series; another tool is another group', async () => {
    const args = ['history', '--runs', runOf('guidellm'), runOf('vllm'), '-o', folder.path];
    const { stdout, stderr } = await runCommand(historyCommand, args);
    expect(oneLine(stdout + stderr)).toContain('measured by another tool: guidellm');
  });

  test('report --as: only for a terminal or as JSON', async () => {
    const { stdout } = await runCommand(reportCommand, ['report', runOf('vllm'), '--as', 'vllm']);
    expect(stdout).toMatch(/TTFT +44\.13 ms +44\.50 ms/);
    const json = await runCommand(reportCommand, ['report', runOf('vllm'), '--as', 'aiperf', '-f', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ schema: 'streambench/tool-view@1', tool: 'AIPerf' });
    const csv = runCommand(reportCommand, ['report', runOf('vllm'), '--as', 'vllm', '-f', 'csv']);
    await expect(csv).rejects.toThrow(
      '--as vllm cannot be combined with -f csv\n  --as prints -f terminal or -f json',
    );
    const narrow = await runCommand(reportCommand, ['report', runOf('vllm'), '--as', 'aiperf'], {
      width: 60,
    });
    for (const line of narrow.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(60);
  });
});

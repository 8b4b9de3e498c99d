import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reportCommand } from '../../src/cli/commands/report.ts';
import { REPORTER_NAMES } from '../../src/report/formats/names.ts';
import { parseXml } from '../report/xml.ts';
import { scratch, streambench } from '../support/program.ts';
import { runCommand } from './in-process.ts';

const folder = scratch();
let run = '';
/** The page that the run wrote. */
let page = '';

beforeAll(async () => {
  const gates = ['--threshold', 'ttft.p50 < 1ms', '--threshold', 'errors.rate <= 0%'];
  page = join(folder.path, 'page.html');
  const args = [
    'run',
    '-n',
    '2',
    '-c',
    '1',
    '--rounds',
    '1',
    '-q',
    ...gates,
    '-o',
    folder.path,
    '--html',
    page,
  ];
  const { code, stderr } = await streambench(args);
  expect(code, stderr).toBe(3);
  run = join(folder.path, readdirSync(folder.path).find((name) => name !== 'page.html')!);
});
afterAll(() => folder.dispose());

const report = (format: string) => runCommand(reportCommand, ['report', run, '-f', format]);

describe('report', () => {
  test.each(REPORTER_NAMES)('-f %s prints the format and nothing else', async (format) => {
    const { code, stdout, stderr } = await report(format);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.endsWith('\n')).toBe(true);
    expect(stdout.length).toBeGreaterThan(50);
  });

  test('the gates of the run are the cases of its JUnit XML', async () => {
    const { stdout } = await streambench(['report', run, '-f', 'junit']);
    const cases = parseXml(stdout).children[0]!.children.filter(({ name }) => name === 'testcase');
    expect(cases.map(({ attributes, children }) => [attributes.name, children[0]?.name])).toEqual([
      ['ttft.p50 < 1ms', 'failure'],
      ['errors.rate <= 0%', undefined],
    ]);
  });

  test('its help lists every format, and a name that is none is told what there is', async () => {
    const { stdout } = await streambench(['report', '--help']);
    for (const name of ['terminal', ...REPORTER_NAMES])
      expect(stdout).toMatch(new RegExp(`[ ,]${name}[,\\s]`));
    await expect(report('junti')).rejects.toThrow('got "junti"\n  did you mean "junit"?');
    await expect(report('pdf')).rejects.toThrow('one of terminal, json, markdown, csv, junit, ');
  });

  test('-o writes any format to a file, without color', async () => {
    const file = join(folder.path, 'report.txt');
    const { stdout, stderr } = await runCommand(reportCommand, ['report', run, '-o', file]);
    expect({ stdout, stderr }).toEqual({ stdout: '', stderr: `written: ${file}\n` });
    expect(readFileSync(file, 'utf8')).toBe((await report('terminal')).stdout);
    const nowhere = ['report', run, '-o', join(folder.path, 'missing', 'report.txt')];
    await expect(runCommand(reportCommand, nowhere)).rejects.toThrow(/cannot write .*\n.*-o FILE/);
  });

  test('-f html is one page; --open writes it next to the run, and says where it is without a browser', async () => {
    const { stdout } = await report('html');
    expect(stdout).toMatch(/^<!doctype html>[\s\S]+<\/html>\n$/);
    const { stderr } = await runCommand(reportCommand, ['report', run, '--open']);
    const file = join(run, 'report.html');
    expect(stderr).toBe(`written: ${file}\nno browser could be opened; open this file: ${file}\n`);
    expect(readFileSync(file, 'utf8')).toBe(stdout);
    await expect(runCommand(reportCommand, ['report', run, '--open', '-f', 'csv'])).rejects.toThrow(
      '--open opens a page, and the format is csv',
    );
  });

  test('run --html writes the same page as report -f html; a file that cannot be written is an error before the run', async () => {
    expect(readFileSync(page, 'utf8')).toBe((await report('html')).stdout);
    const output = join(folder.path, 'refused');
    const nowhere = ['run', '-o', output, '--html', join(folder.path, 'missing', 'page.html')];
    const { code, stderr } = await streambench(nowhere);
    expect([code, stderr]).toEqual([2, expect.stringMatching(/cannot write .*\n.*--html FILE/)]);
    expect(existsSync(output)).toBe(false);
  });

  test('--percentiles chooses the columns, in ascending order', async () => {
    const chosen = await runCommand(reportCommand, ['report', run, '--percentiles', 'p99,p50,p95']);
    expect(chosen.stdout).toMatch(/ {2}p50 \/ p95 \/ p99\n/);
    await expect(runCommand(reportCommand, ['report', run, '--percentiles', 'p42'])).rejects.toThrow(
      'some of p50, p90, p95, p99',
    );
  });

  test('without a run it takes the latest one, and says which', async () => {
    const { stdout, stderr } = await streambench(['report', '-f', 'csv'], { cwd: folder.path });
    expect({ stdout, stderr }).toEqual({
      stdout: '',
      stderr: expect.stringContaining('no run found in results'),
    });
  });
});

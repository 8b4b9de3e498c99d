import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeCommand } from '../../src/cli/commands/probe.ts';
import { reportCommand } from '../../src/cli/commands/report.ts';
import { validateCommand } from '../../src/cli/commands/validate.ts';
import { isInvisible } from '../../src/model/visible.ts';
import { REPORTER_NAMES } from '../../src/report/formats/names.ts';
import { runCommand } from '../cli/in-process.ts';
import { parseXml } from '../report/xml.ts';
import { scratch, streambench } from '../support/program.ts';
import { type RawServer, rawServer } from '../support/raw-server.ts';

/** Names from a scenario and texts from a server that a terminal or a spreadsheet would obey reach none of them. */

const BAD =
  '\u001b]52;c;UVE9PQ==\u0007\u009b2J\u202e\u2066\u200b\u200e\u2028\u2029\u061c\ufeff\u{e0041}\u007f\ud800';
const SHOWN = String.raw`\u{1b}]52;c;UVE9PQ==\u{7}\u{9b}2J\u{202e}\u{2066}\u{200b}\u{200e}\u{2028}\u{2029}\u{61c}\u{feff}\u{e0041}\u{7f}\u{d800}`;
const NAME = `=1+1 ${BAD} |\`*<b>@all\n::error::x\r\n" , 👩‍💻 请`;

const folder = scratch();
const output = join(folder.path, 'results');
let server: RawServer;
let file = '';
let run = '';

/** What a text holds that cannot be seen, line ends and joined emoji apart; and lines that would be commands of CI. */
function invisible(text: string): string[] {
  // A quoted cell of CSV keeps its line breaks.
  if (/^::error::x/m.test(text) && !text.startsWith('run,target,')) return ['a line made by a name'];
  return [...text.replaceAll(/\r\n|\n/g, '').replaceAll('👩‍💻', '')].filter(isInvisible);
}

beforeAll(async () => {
  server = await rawServer((socket) => {
    const body = JSON.stringify({ error: { message: NAME, code: NAME } });
    const header = Buffer.from(`x${BAD.replaceAll(/[\u0000-\u001f\u007f]/g, '')}`).toString('latin1');
    socket.write(`HTTP/1.1 500 ${header}\r\nserver: ${header}\r\nx-request-id: ${header}\r\n`, 'latin1');
    socket.end(`content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  });
  file = join(folder.path, 'hostile.yaml');
  const name = JSON.stringify(NAME);
  writeFileSync(
    file,
    `version: 1\nname: ${name}\ndescription: ${name}\ntargets:\n  - { name: ${name}, url: "${server.url}/v1", dialect: openai-chat, model: ${name} }\n  - { name: ok, provider: simulator, model: fast }\nprompts: [{ name: ${name}, text: hi, maxTokens: 4 }]\nload: { requests: 2, warmup: 0, rounds: 1 }\n`,
  );
  mkdirSync(output);
  const { stdout, stderr } = await streambench(['run', file, '-o', output]);
  run = join(output, readdirSync(output)[0]!);
  expect(invisible(stdout + stderr)).toEqual([]);
  // The line of progress, and the tables.
  expect(stderr).toContain(SHOWN);
  expect(stdout).toContain(SHOWN);
}, 60_000);
afterAll(async () => {
  await server.close();
  folder.dispose();
});

const reported = async (format: string) => {
  const { stdout, stderr } = await runCommand(reportCommand, ['report', run, '-f', format]);
  expect(invisible(stdout + stderr)).toEqual([]);
  return stdout;
};

describe('a report', () => {
  test.each(['terminal', ...REPORTER_NAMES])('as %s shows what cannot be seen', async (format) => {
    expect(await reported(format)).toMatch(/1b|%1B/i);
  });

  test('as JSON has the names as they were', async () => {
    const { scenario, cells } = JSON.parse(await reported('json'));
    expect(scenario.name).toBe(NAME);
    expect(cells.map(({ target }: { target: string }) => target)).toContain(NAME);
  });

  test('as CSV has no formula in it', async () => {
    const rows = parseCsv(await reported('csv'));
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([rows[0]!.length]));
    expect(rows[1]![1]).toMatch(/^'=1\+1 \\u\{1b\}/);
    for (const cell of rows.flat()) expect(cell).toMatch(/^($|[^=+\-@\t\r]|-?\d+(\.\d+)?(e-?\d+)?$)/);
  });

  test('as JUnit is XML', async () => {
    expect(parseXml(await reported('junit')).name).toBe('testsuites');
  });

  test('as annotations has one command a line, and none from a name', async () => {
    const lines = (await reported('annotations')).trimEnd().split('\n');
    for (const line of lines) expect(line).toMatch(/^::(error|warning|notice) title=[^:,]*::/);
  });

  test('as markdown has neither markup, mentions nor links from a name', async () => {
    const text = await reported('markdown');
    expect(text).not.toMatch(/(?<!\\)<b>|@all|(?<!\\)`\*|^::/m);
    const tables = text.split('\n').filter((line) => line.startsWith('|'));
    const columns = (line: string) => line.replaceAll('\\|', '').split('|').length;
    for (const [i, line] of tables.entries()) {
      if (i > 0 && tables[i - 1] !== undefined && /^\| :?-/.test(line))
        expect(columns(line)).toBe(columns(tables[i - 1]!));
    }
  });

  test('as Prometheus text has one series a line', async () => {
    for (const line of (await reported('prometheus')).trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .*|\w+\{(\w+="([^"\\\n]|\\[\\"n])*",?)*\} -?[\d.e+-]+)$/);
    }
  });
});

describe('a command', () => {
  test('validate', async () => {
    const { stdout } = await runCommand(validateCommand, ['validate', file]);
    expect(invisible(stdout)).toEqual([]);
    expect(stdout).toContain(SHOWN);
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
  });

  test.each([[[]], [['--json']]])('run --dry-run %j', async (more) => {
    const { stdout, stderr } = await streambench(['run', file, '--dry-run', ...more]);
    expect(invisible(stdout + stderr)).toEqual([]);
    if (more.length > 0) expect(JSON.parse(stdout).scenario).toBe(NAME);
    else expect(stdout).toContain(SHOWN);
  });

  test.each([[[]], [['--json']]])('probe %j', async (more) => {
    const args = ['probe', `${server.url}/v1`, '--dialect', 'openai-chat', '--model', NAME, ...more];
    const { stdout, stderr } = await runCommand(probeCommand, args);
    expect(invisible(stdout + stderr)).toEqual([]);
    expect(stdout).toMatch(/\\u\{1b\}|\\u001b/);
  });

  test.each([
    [['validate', `no\u001b[31m\u202e.yaml`]],
    [['run', '--provider', `x\u001b]0;t\u0007\u202e`]],
    [[`cmd\u001b[31m\u202e`]],
    [['report', `run\u001b[31m\u202e`]],
    [['run', '--set', `targets\u001b[31m\u202e=1`]],
  ])('%j is wrong', async (words) => {
    const { code, stdout, stderr } = await streambench(words, { cwd: folder.path });
    expect(code).not.toBe(0);
    expect(invisible(stdout + stderr)).toEqual([]);
    expect(stderr).toMatch(/\\u\{1b\}|\\u001b/);
  });

  test.each([
    ['a key', (bad: string) => `version: 1\n${JSON.stringify(bad)}: 1\n`],
    [
      'a value',
      (bad: string) =>
        `version: 1\nname: n\ntargets: [{ name: t, provider: ${JSON.stringify(bad)} }]\nprompts: [{ name: p, text: x }]\n`,
    ],
    ['a syntax error', (bad: string) => `version: 1\nname: *${bad}\n`],
  ])('that finds a mistake in %s of a scenario', async (_name, text) => {
    const path = join(folder.path, 'wrong.yaml');
    writeFileSync(path, text('k\u001b[31m\u202e\u200bz'));
    const { code, stdout, stderr } = await streambench(['validate', path]);
    expect(code).toBe(2);
    expect(invisible(stdout + stderr)).toEqual([]);
  });
});

/** The rows of a CSV text as RFC 4180 has them. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? bare!);
    if (end === '\r\n') rows.push([]);
  }
  return rows.filter((row) => row.length > 1);
}

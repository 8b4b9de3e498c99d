import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import { createJournal } from '../../src/results/journal.ts';
import { readRun } from '../../src/results/read-run.ts';
import { manifest, record } from '../metrics/records.ts';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'streambench-read-'));
  folder = join(root, 'run');
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function write(records: readonly RequestRecord[]): Promise<string> {
  const journal = await createJournal(folder, manifest());
  for (const one of records) journal.append(one);
  await journal.close();
  return join(folder, 'records.ndjson');
}

async function collect(records: AsyncIterable<RequestRecord>): Promise<RequestRecord[]> {
  const all: RequestRecord[] = [];
  for await (const one of records) all.push(one);
  return all;
}

async function readAll() {
  const { manifest: read, records, warnings } = await readRun(folder);
  return { manifest: read, records: await collect(records), warnings };
}

const three = [0, 1, 2].map((seq) => record({ seq, text: '请 🎉 \u2028' }));

describe('reading', () => {
  test('gives back what was written', async () => {
    await write(three);
    expect(await readAll()).toEqual({ manifest: manifest(), records: three, warnings: [] });
  });

  test('lines longer than a read, and characters cut by one', async () => {
    const long = [
      record({ text: '请'.repeat(100_000) }),
      record({ seq: 1, text: `x${'请'.repeat(70_000)}` }),
    ];
    await write(long);
    expect((await readAll()).records).toEqual(long);
  });

  test('can be read twice', async () => {
    await write(three);
    const { records } = await readRun(folder);
    for (let i = 0; i < 2; i++) expect(await collect(records)).toHaveLength(3);
  });

  test('a run without a record has none', async () => {
    await write([]);
    expect((await readAll()).records).toEqual([]);
  });
});

describe('a crash', () => {
  test('that cut the last line at any byte loses that record and no other', async () => {
    const path = await write(three);
    const bytes = await readFile(path);
    const lastStart = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    for (let cut = bytes.length - 1; cut > lastStart; cut -= 7) {
      await writeFile(path, bytes.subarray(0, cut));
      const { records, warnings } = await readAll();
      // Cut right before its line feed, the record is whole.
      const whole = cut === bytes.length - 1;
      expect(records).toHaveLength(whole ? 3 : 2);
      expect(warnings).toEqual(whole ? [] : [`${path}:3: the last record was cut off and is left out`]);
    }
    await truncate(path, lastStart);
    expect(await readAll()).toMatchObject({ warnings: [] });
  });

  test('does not excuse a broken line in the middle', async () => {
    const path = await write(three);
    await appendFile(path, `{"schema":"streambench/rec\n${JSON.stringify(record())}\n`);
    await expect(readAll()).rejects.toMatchObject({
      code: 'results_invalid',
      problems: [{ place: { file: path, line: 4 } }],
    });
  });
});

describe('what is not a run', () => {
  test('no folder', async () => {
    await expect(readRun(join(root, 'nothing'))).rejects.toMatchObject({
      code: 'results_not_found',
      message: expect.stringMatching(/there is no run at .*nothing/),
    });
  });

  test('another folder, or a file', async () => {
    await expect(readRun(root)).rejects.toThrow(/is not the folder of a run: it has no manifest.json/);
    const file = join(root, 'file');
    await writeFile(file, '');
    await expect(readRun(file)).rejects.toMatchObject({ code: 'results_not_found' });
  });

  test('a manifest without records', async () => {
    await mkdir(folder);
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest()));
    await expect(readRun(folder)).rejects.toThrow(/records\.ndjson is missing/);
  });

  test.each([
    ['{"schema":', 'is not JSON'],
    ['[]', 'is not JSON'],
    ['{"schema":"streambench/manifest@2"}', 'written with "streambench/manifest@2"'],
    ['{"schema":"streambench/manifest@1"}', 'is not a complete manifest'],
  ])('the manifest %s', async (text, message) => {
    await write(three);
    await writeFile(join(folder, 'manifest.json'), text);
    await expect(readRun(folder)).rejects.toMatchObject({
      code: 'results_invalid',
      message: expect.stringContaining(message),
    });
  });

  test.each([
    [{ ...record(), schema: 'streambench/record@2' }, 'written with "streambench/record@2"'],
    [{}, 'written with no schema'],
    [5, 'this line is not a JSON object'],
    [{ ...record(), mode: 'fast' }, 'no valid "mode"'],
    [{ ...record(), outcome: { kind: 'fine' } }, 'no valid "outcome"'],
    [{ ...record(), marks: {} }, 'no valid "marks"'],
    [{ ...record(), gaps: null }, 'no valid "gaps"'],
    [{ ...record(), bytes: undefined }, 'no valid "bytes"'],
  ])('a record %#', async (line, message) => {
    const path = await write(three);
    await appendFile(path, `${JSON.stringify(line)}\n`);
    await expect(readAll()).rejects.toThrow(`${path}:4: `);
    await expect(readAll()).rejects.toThrow(message);
  });
});

import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import { createJournal } from '../../src/results/journal.ts';
import { readRun, readWarnings } from '../../src/results/read-run.ts';
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

async function collect(batches: AsyncIterable<Iterable<RequestRecord>>): Promise<RequestRecord[]> {
  const all: RequestRecord[] = [];
  for await (const batch of batches) all.push(...batch);
  return all;
}

async function readAll() {
  const run = await readRun(folder);
  const records = await collect(run.batches);
  return { manifest: run.manifest, records, warnings: readWarnings(run, folder), found: run.found() };
}

const three = [0, 1, 2].map((seq) => record({ seq, text: '请 🎉 \u2028' }));

describe('reading', () => {
  test('gives back what was written', async () => {
    await write(three);
    expect(await readAll()).toMatchObject({ manifest: manifest(), records: three, warnings: [] });
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
    const { batches, found } = await readRun(folder);
    for (let i = 0; i < 2; i++) {
      expect(await collect(batches)).toHaveLength(3);
      expect(found().records).toBe(3);
    }
  });

  test('parses a record when it is asked for, and reads those that nobody asked for', async () => {
    await write(three);
    const { batches, found } = await readRun(folder);
    const counts: number[] = [];
    for await (const batch of batches) {
      for (const _ of batch) {
        counts.push(found().records);
        break;
      }
    }
    expect(counts).toEqual([1]);
    expect(found().records).toBe(3);
  });

  test('a run without a record has none', async () => {
    await write([]);
    expect((await readAll()).records).toEqual([]);
  });
});

test.each([
  { deltasUs: [1, 'x'], kinds: [] },
  { deltasUs: [1.5], kinds: [['answer', 1]] },
  { deltasUs: [1] },
  'AAEC',
])('a record with invalid chunks (%j) is skipped and named', async (chunks) => {
  const path = await write([record(), { ...record({ seq: 1 }), chunks } as unknown as RequestRecord]);
  const { records, warnings } = await readAll();
  expect(records).toHaveLength(1);
  expect(warnings.join('\n')).toContain(`${path}:2: this record has no valid "chunks"`);
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
      expect(warnings).toEqual(whole ? [] : [`${path}:3: the last record was cut off and is skipped`]);
    }
    await truncate(path, lastStart);
    expect(await readAll()).toMatchObject({ warnings: [] });
  });

  test('that left zero bytes at the end loses them, and a record behind them is read', async () => {
    const path = await write(three);
    const whole = (await readFile(path)).length;
    await appendFile(path, '\0'.repeat(5000));
    expect(await readAll()).toMatchObject({
      records: three,
      warnings: [`${path}:4: the last record was cut off and is skipped`],
      found: { wholeBytes: whole, unreadableInside: 0 },
    });
    await appendFile(path, `\n${JSON.stringify(record({ seq: 3 }))}\n`);
    const { records, warnings, found } = await readAll();
    expect(records).toHaveLength(4);
    expect(warnings).toEqual([
      `${path}: 1 of 5 lines could not be read and is skipped:\n  ${path}:4: this line holds zero bytes`,
    ]);
    expect(found.unreadableInside).toBe(1);
  });
});

describe('lines that are no record of the run', () => {
  const at = { ...record().marks };
  test.each<[unknown, string]>([
    ['{"schema":"streambench/rec', 'this line is not a JSON object'],
    [{ ...record(), schema: 'streambench/record@2' }, 'written with "streambench/record@2"'],
    [{}, 'written with no schema'],
    [5, 'this line is not a JSON object'],
    [{ ...record(), mode: 'fast' }, 'no valid "mode"'],
    [{ ...record(), outcome: { kind: 'fine' } }, 'no valid "outcome"'],
    [{ ...record(), gaps: null }, 'no valid "gaps"'],
    [{ ...record(), gaps: [1, null] }, 'no valid "gaps"'],
    [{ ...record(), gaps: [1, -5] }, 'no valid "gaps"'],
    [{ ...record(), bytes: undefined }, 'no valid "bytes"'],
    [{ ...record(), seq: undefined }, 'no valid "seq"'],
    [{ ...record(), round: -1 }, 'no valid "round"'],
    [{ ...record(), tokens: { output: 'many', source: 'usage' } }, 'no valid "tokens"'],
    [{ ...record(), marks: {} }, 'the mark "scheduled" is not a number'],
    [{ ...record(), marks: { ...at, sent: null } }, 'the mark "sent" is not a number'],
    [{ ...record(), marks: { ...at, end: '1220' } }, 'the mark "end" is not a number'],
    [{ ...record(), marks: { ...at, firstByte: -1 } }, 'the mark "firstByte" is negative'],
    [{ ...record(), marks: { ...at, end: 1010 } }, 'its marks are out of order: "end" before "lastToken"'],
    [{ ...record(), marks: { scheduled: 5, started: 6, sent: 90, end: 20 } }, '"end" before "sent"'],
    [{ ...record(), marks: { ...at, started: 900 } }, '"started" before "scheduled"'],
    [{ ...record(), marks: { ...at, headers: 1130 } }, '"firstByte" before "headers"'],
    [{ ...record(), target: 'other' }, 'this record belongs to a cell that the run did not plan'],
    [{ ...record(), seq: 2 }, 'record 2 is a duplicate'],
  ])('%# are left out, counted and named; the others are read', async (line, message) => {
    const path = await write(three);
    const text = typeof line === 'string' ? line : JSON.stringify(line);
    const next = record({ seq: 3 });
    await appendFile(path, `${text}\n${JSON.stringify(next)}\n`);
    const { records, warnings, found } = await readAll();
    expect(records).toEqual([...three, next]);
    expect(found).toMatchObject({ unreadable: { lines: 1 }, unreadableInside: 1 });
    expect(warnings[0]).toContain(`${path}: 1 of 5 lines could not be read`);
    expect(warnings[0]).toContain(`${path}:4: `);
    expect(warnings[0]).toContain(message);
  });

  test('only the first few are named', async () => {
    const path = await write(three);
    await appendFile(path, 'x\n'.repeat(20));
    const { records, warnings } = await readAll();
    expect(records).toHaveLength(3);
    expect(warnings[0]!.split('\n')).toHaveLength(1 + 5 + 1);
    expect(warnings[0]).toMatch(/20 of 23 lines[\s\S]*and 15 more$/);
  });

  test('marks of a connection that was opened before the run are no fault', async () => {
    await write([record({ marks: { ...at, connectStart: -20, dns: -19, tcp: -18, tls: -10 } })]);
    expect((await readAll()).warnings).toEqual([]);
  });
});

describe('what is not a run', () => {
  test('no folder', async () => {
    await expect(readRun(join(root, 'nothing'))).rejects.toMatchObject({
      code: 'results_not_found',
      message: expect.stringMatching(/no run at .*nothing/),
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
});

import { closeSync, mkdtempSync, openSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  type CheckedDataset,
  checkDatasetFile,
  type DatasetOptions,
} from '../../src/prompts/dataset-check.ts';
import { openDataset } from '../../src/prompts/dataset-reader.ts';

const folder = mkdtempSync(join(tmpdir(), 'streambench-dataset-'));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function check(
  content: string | Buffer,
  format: 'jsonl' | 'json' | 'csv' = 'jsonl',
  options: Partial<DatasetOptions> = {},
): CheckedDataset {
  const path = join(folder, `${count++}`);
  writeFileSync(path, content);
  const file = openSync(path, 'r');
  try {
    return checkDatasetFile(file, path, format, { order: 'sequential', seed: 1, ...options });
  } finally {
    closeSync(file);
  }
}

/** The ids and texts of all entries, each read from disk again. */
function entries(checked: CheckedDataset): [string, string][] {
  if (!('dataset' in checked)) throw new Error(JSON.stringify(checked));
  const reader = openDataset(checked.dataset);
  const all = Array.from({ length: checked.dataset.count }, (_, index) => reader.entry(index));
  reader.close();
  return all.map(({ id, messages }) => [id, messages.map(({ content }) => content).join('|')]);
}

function problems(checked: CheckedDataset): string[] {
  if (!('problems' in checked)) throw new Error('expected problems');
  return checked.problems.map(({ cause, line }) => `${line}: ${cause}`);
}

const line = (prompt: string) => `${JSON.stringify({ prompt })}\n`;

describe('a dataset file', () => {
  test('of lines: empty ones are skipped, the last needs no line break, CRLF and a byte order mark are accepted', () => {
    const text = `\uFEFF{"prompt":"a"}\r\n\r\n{"prompt":"é🙂"}\n   \n{"prompt":"c"}`;
    expect(entries(check(text))).toEqual([
      ['1', 'a'],
      ['3', 'é🙂'],
      ['5', 'c'],
    ]);
  });

  test('of one JSON list, with any white space, and with brackets, quotes and commas in texts', () => {
    const items = ['a', 'x],[{"y":"\\"}', 'c\\', '🙂,'].map((prompt) => ({ prompt }));
    for (const text of [
      JSON.stringify(items),
      JSON.stringify(items, null, 3),
      `\uFEFF\n ${JSON.stringify(items)} \n`,
    ]) {
      expect(entries(check(text, 'json')).map(([, prompt]) => prompt)).toEqual(
        items.map(({ prompt }) => prompt),
      );
    }
    expect(entries(check('[{"prompt":"a"}\n,{"prompt":"b"}]', 'json'))).toEqual([
      ['1', 'a'],
      ['2', 'b'],
    ]);
  });

  test('of CSV, with line breaks in quotes', () => {
    const text = 'id,prompt\r\n1,"two\r\nlines, one ""record"""\r\n\r\n2,b\r\n';
    expect(entries(check(text, 'csv'))).toEqual([
      ['2', 'two\r\nlines, one "record"'],
      ['5', 'b'],
    ]);
    expect(entries(check('q\na\n', 'csv'))).toEqual([['2', 'a']]);
    expect(entries(check('q,r\na,b\n', 'csv', { column: 'r' }))).toEqual([['2', 'b']]);
  });

  test('is read the same where entries cross the pieces in which it is read', () => {
    const prompts = Array.from({ length: 3000 }, (_, i) => `${i} ${'ü'.repeat(i % 211)}`);
    const objects = prompts.map((prompt) => ({ prompt }));
    const lines = prompts.map(line).join('');
    const csv = `prompt\n${prompts.map((prompt) => `"${prompt}\n"\n`).join('')}`;
    expect(lines.length).toBeGreaterThan(300_000);
    expect(entries(check(lines)).map(([, prompt]) => prompt)).toEqual(prompts);
    expect(entries(check(JSON.stringify(objects), 'json')).map(([, prompt]) => prompt)).toEqual(prompts);
    expect(entries(check(csv, 'csv')).map(([, prompt]) => prompt)).toEqual(
      prompts.map((prompt) => `${prompt}\n`),
    );
  });

  test('keeps only places: 16 bytes for each entry', () => {
    const checked = check(line('x'.repeat(10_000)).repeat(200));
    expect('dataset' in checked && checked.dataset.index.byteLength).toBe(200 * 16);
  });

  test('is limited in length and count; the same seed takes the same prompts', () => {
    const text = Array.from({ length: 50 }, (_, i) => line('x'.repeat(i + 1))).join('');
    const lengths = (options: Partial<DatasetOptions>) =>
      entries(check(text, 'jsonl', options)).map(([, { length }]) => length);
    expect(lengths({ minChars: 10, maxChars: 12 })).toEqual([10, 11, 12]);
    expect(lengths({ maxCount: 3 })).toEqual([1, 2, 3]);
    const drawn = lengths({ maxCount: 5, order: 'shuffle', seed: 7 });
    expect(drawn).toEqual(lengths({ maxCount: 5, order: 'shuffle', seed: 7 }));
    expect(new Set(drawn).size).toBe(5);
    expect(drawn).not.toEqual([1, 2, 3, 4, 5]);
    expect(check(text, 'jsonl', { maxCount: 3 })).toMatchObject({ dataset: { count: 3, available: 50 } });
  });

  test('has a digest of its content', () => {
    const digest = (text: string) => (check(text) as { digest: string }).digest;
    expect(digest(line('a'))).toBe(digest(line('a')));
    expect(digest(line('a'))).not.toBe(digest(line('b')));
  });

  test('that was changed since is refused', () => {
    const checked = check(line('a'));
    if (!('dataset' in checked)) throw new Error('expected a dataset');
    utimesSync(checked.dataset.path, 1, 1);
    expect(() => openDataset(checked.dataset)).toThrow('was changed');
  });
});

describe('a broken dataset file', () => {
  test('names the line of each problem, ten at most', () => {
    expect(problems(check(`${line('a')}{"prompt":\n\n[]\n${line('b')}{}\n`))).toEqual([
      '2: not valid JSON',
      '4: expected a JSON object, got a list',
      '6: the entry has no prompt, messages or conversations',
    ]);
    const many = check('x\n'.repeat(25));
    expect(problems(many)).toHaveLength(10);
    expect(many).toMatchObject({ more: 15 });
  });

  test.each([
    ['', 'jsonl', 'undefined: the dataset has no prompts'],
    ['[]', 'json', 'undefined: the dataset has no prompts'],
    ['prompt\n', 'csv', 'undefined: the dataset has no prompts'],
    ['{"prompt":"a"}', 'json', '1: the file is not a JSON list'],
    ['\n[{"prompt":"a"},\n{"prompt":"b"}\n', 'json', '3: the list is not closed'],
    ['[{"prompt":"a"},]', 'json', '1: not valid JSON'],
    ['[{"prompt":"a"}]\n[]', 'json', '2: text after the end of the list'],
    ['[{"prompt":"a"},\n{"prompt" "b"}]', 'json', '2: not valid JSON'],
    ['a,b\n1,2\n', 'csv', '1: the header has no column "prompt"'],
    ['id,prompt\n1,a\n2\n', 'csv', '3: the record has 1 field, and the prompt is in field 2'],
    ['id,prompt\n1,"a\n2,b\n', 'csv', '2: a quote is not closed'],
    ['id,prompt\n1,a"b"c\n', 'csv', '2: a quote inside the unquoted field 2'],
    ['id,prompt\n1,\n', 'csv', '2: the prompt is empty'],
  ] as const)('%j (%s)', (text, format, problem) => {
    expect(problems(check(text, format))).toContain(problem);
  });

  test('that is not UTF-8, or has a very long line', () => {
    const latin1 = Buffer.concat([Buffer.from(line('a')), Buffer.from('{"prompt":"\xe9"}\n', 'latin1')]);
    expect(problems(check(latin1))).toEqual(['2: not UTF-8 text']);
    expect(problems(check(line('x'.repeat(8 * 1024 * 1024))))).toEqual(['1: the entry is larger than 8 MiB']);
    expect(problems(check(line('abc'), 'jsonl', { minChars: 4 }))).toEqual([
      'undefined: none of the 1 prompts is within minChars and maxChars',
    ]);
  });
});

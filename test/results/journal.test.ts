import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/model/errors.ts';
import { createJournal, type RecordFile } from '../../src/results/journal.ts';
import { manifest, record } from '../metrics/records.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'streambench-journal-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(root, { recursive: true, force: true });
});

/** A file that keeps its writes, or fails them. */
function memoryFile(failWith?: string) {
  const writes: string[] = [];
  const file: RecordFile = {
    async appendFile(text) {
      if (failWith) throw Object.assign(new Error('write failed'), { code: failWith });
      writes.push(text);
    },
    sync: async () => {},
    close: async () => {},
  };
  return { writes, open: async () => file };
}

describe('the folder', () => {
  test('is made with its parents, its manifest and an empty file of records', async () => {
    const folder = join(root, 'results', 'run-1');
    const journal = await createJournal(folder, manifest());
    expect(journal.folder).toBe(folder);
    expect(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'))).toEqual(manifest());
    expect(await readFile(join(folder, 'records.ndjson'), 'utf8')).toBe('');
    await journal.close();
  });

  test('two runs never share one', async () => {
    const folder = join(root, 'run');
    await (await createJournal(folder, manifest())).close();
    await expect(createJournal(folder, manifest())).rejects.toMatchObject({
      code: 'output_unwritable',
      message: expect.stringContaining(`cannot write ${folder}: EEXIST`),
    });
  });

  test('a path that leads through a file is refused with the path and a remedy', async () => {
    await writeFile(join(root, 'file'), '');
    const error = await createJournal(join(root, 'file', 'run'), manifest()).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UserError);
    expect(String(error)).toMatch(/cannot write .*file.run: E(NOTDIR|EXIST)[\s\S]*-o FOLDER/);
  });

  test('so is one that may not be written to', async () => {
    const open = async () => {
      throw Object.assign(new Error('open failed'), { code: 'EACCES' });
    };
    await expect(createJournal(join(root, 'run'), manifest(), { open })).rejects.toThrow(
      /records\.ndjson: EACCES[\s\S]*may write/,
    );
  });
});

describe('records', () => {
  test('stand one a line in the order of appending, and no temporary file is left', async () => {
    const folder = join(root, 'run');
    const journal = await createJournal(folder, manifest());
    for (let seq = 0; seq < 500; seq++) journal.append(record({ seq, text: 'line\nfeed \u2028 请' }));
    const run = { ...manifest().run, aborted: true };
    await journal.finish({ ...manifest(), run }, '{"report":true}\n');
    const lines = (await readFile(join(folder, 'records.ndjson'), 'utf8')).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line).seq)).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect((await readdir(folder)).sort()).toEqual(['manifest.json', 'records.ndjson', 'report.json']);
    expect(await readFile(join(folder, 'report.json'), 'utf8')).toBe('{"report":true}\n');
    expect(JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')).run.aborted).toBe(true);
  });

  test('are written together after the wait, and at once when much is waiting', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { writes, open } = memoryFile();
    const journal = await createJournal(join(root, 'run'), manifest(), { open, flushChars: 5000 });
    journal.append(record({ seq: 0 }));
    journal.append(record({ seq: 1 }));
    await vi.advanceTimersByTimeAsync(99);
    expect(writes).toHaveLength(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(writes).toHaveLength(1);
    expect(writes[0]!.split('\n')).toHaveLength(3);
    journal.append(record({ text: 'x'.repeat(6000) }));
    await vi.advanceTimersByTimeAsync(0);
    expect(writes).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
    await journal.close();
  });

  test('closing twice is harmless, appending after it too', async () => {
    const { writes, open } = memoryFile();
    const journal = await createJournal(join(root, 'run'), manifest(), { open });
    journal.append(record());
    await Promise.all([journal.close(), journal.close()]);
    journal.append(record());
    await journal.close();
    expect(writes).toHaveLength(1);
  });

  test('a full disk is told once and thrown at the end, and the report is written all the same', async () => {
    const { open } = memoryFile('ENOSPC');
    const onError = vi.fn();
    const folder = join(root, 'run');
    const journal = await createJournal(folder, manifest(), { open, onError, flushChars: 1 });
    for (let seq = 0; seq < 3; seq++) journal.append(record({ seq }));
    await expect(journal.finish(manifest(), '{}\n')).rejects.toMatchObject({
      code: 'output_unwritable',
      message: expect.stringMatching(/records\.ndjson: ENOSPC[\s\S]*disk is full/),
    });
    await expect(journal.close()).rejects.toThrow('ENOSPC');
    expect(onError).toHaveBeenCalledTimes(1);
    expect(await readdir(folder)).toContain('report.json');
  });
});

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../src/model/errors.ts';
import { createJournal, resumeJournal } from '../../src/results/journal.ts';
import type { RecordFile } from '../../src/results/record-file.ts';
import { manifest, record } from '../metrics/records.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'streambench-journal-'));
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(root, { recursive: true, force: true });
});

/** A file in memory. It fails with `failWith` once it holds `room` bytes, as a full disk does. */
function memoryFile({
  failWith,
  room = failWith ? 0 : Number.POSITIVE_INFINITY,
}: {
  failWith?: string;
  room?: number;
} = {}) {
  const writes: string[] = [];
  const state = { text: '', syncs: 0, inPlace: true };
  const file: RecordFile = {
    async write(bytes, offset) {
      const taken = bytes.subarray(offset, offset + room - state.text.length);
      if (taken.length === 0) throw Object.assign(new Error('write failed'), { code: failWith ?? 'ENOSPC' });
      const text = Buffer.from(taken).toString('latin1');
      writes.push(text);
      state.text += text;
      return taken.length;
    },
    sync: async () => void state.syncs++,
    cut: async (bytes) => {
      state.text = state.text.slice(0, -bytes);
    },
    isInPlace: async () => state.inPlace,
    close: async () => {},
  };
  return { writes, state, open: async () => file };
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
    await vi.advanceTimersByTimeAsync(1000);
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

  test('are synced within a second of their writing, and not without news', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { state, open } = memoryFile();
    const journal = await createJournal(join(root, 'run'), manifest(), { open });
    for (let second = 1; second <= 5; second++) {
      journal.append(record());
      await vi.advanceTimersByTimeAsync(1000);
      expect(state.syncs).toBe(second);
    }
    await vi.advanceTimersByTimeAsync(5000);
    expect(state.syncs).toBe(5);
    expect(vi.getTimerCount()).toBe(0);
    await journal.close();
    expect(state.syncs).toBe(6);
  });
});

describe('a write that fails', () => {
  const line = `${JSON.stringify(record())}\n`;

  test.each([
    ['ENOSPC', /records\.ndjson: ENOSPC[\s\S]*disk is full/],
    ['EDQUOT', /records\.ndjson: EDQUOT[\s\S]*quota/],
    ['EROFS', /records\.ndjson: EROFS[\s\S]*read-only/],
    ['EIO', /records\.ndjson: EIO/],
    ['EFBIG', /records\.ndjson: EFBIG/],
  ])('(%s) is told once; the other files are written all the same', async (code, message) => {
    const { open } = memoryFile({ failWith: code });
    const onError = vi.fn();
    const folder = join(root, 'run');
    const journal = await createJournal(folder, manifest(), { open, onError, flushChars: 1 });
    for (let seq = 0; seq < 3; seq++) journal.append(record({ seq }));
    expect(await journal.close()).toMatchObject({ unwritten: 3 });
    const { failure } = await journal.finish(manifest(), '{}\n');
    expect(failure).toMatchObject({ code: 'output_unwritable', message: expect.stringMatching(message) });
    expect(onError).toHaveBeenCalledTimes(1);
    expect(await readdir(folder)).toContain('report.json');
  });

  test('in the middle of a line leaves whole lines, and counts those that are missing exactly', async () => {
    const { state, open } = memoryFile({ room: Math.round(4.6 * line.length) });
    const journal = await createJournal(join(root, 'run'), manifest(), { open });
    for (let i = 0; i < 10; i++) journal.append(record());
    expect(await journal.close()).toMatchObject({ unwritten: 6 });
    expect(state.text).toBe(line.repeat(4));
  });

  test('a file that was deleted or moved is a failure, though its writes succeed', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { state, open } = memoryFile();
    const onError = vi.fn();
    const journal = await createJournal(join(root, 'run'), manifest(), { open, onError });
    journal.append(record());
    await vi.advanceTimersByTimeAsync(1000);
    expect(onError).not.toHaveBeenCalled();
    state.inPlace = false;
    journal.append(record());
    await vi.advanceTimersByTimeAsync(1000);
    expect(onError).toHaveBeenCalledTimes(1);
    journal.append(record());
    expect(await journal.close()).toMatchObject({
      unwritten: 3,
      failure: { message: expect.stringContaining('deleted or moved during the run') },
    });
  });

  test('a real folder that is deleted', async () => {
    const folder = join(root, 'run');
    const journal = await createJournal(folder, manifest());
    journal.append(record());
    await rm(folder, { recursive: true });
    expect(await journal.close()).toMatchObject({ unwritten: 1 });
    expect((await journal.finish(manifest(), '{}')).failure).toBeDefined();
  });
});

describe('a journal that is continued', () => {
  test.each([
    ['whole', (text: string) => text, 0],
    ['with a cut line', (text: string) => `${text}{"schema":"strea`, 0],
    ['without its last line feed', (text: string) => text.slice(0, -1), 1],
    ['with zero bytes', (text: string) => `${text}\0\0\0`, 0],
  ])('%s goes on behind its last whole record', async (_name, spoil, short) => {
    const folder = join(root, 'run');
    const first = await createJournal(folder, manifest());
    first.append(record());
    first.append(record({ seq: 1 }));
    await first.close();
    const path = join(folder, 'records.ndjson');
    const text = await readFile(path, 'utf8');
    await writeFile(path, spoil(text));
    const next = await resumeJournal(folder, manifest(), { bytes: text.length - short });
    next.append(record({ seq: 2 }));
    expect(await next.close()).toEqual({ unwritten: 0, failure: undefined });
    expect(await readFile(path, 'utf8')).toBe(`${text}${JSON.stringify(record({ seq: 2 }))}\n`);
  });
});

test('a file that is gone holds no record, also none of a write that was in flight when this was found', async () => {
  let isGoneFound: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    isGoneFound = resolve;
  });
  const file: RecordFile = {
    async write(bytes, offset) {
      await gone;
      return bytes.length - offset;
    },
    sync: async () => {},
    cut: async () => {},
    isInPlace: async () => false,
    close: async () => {},
  };
  const journal = await createJournal(join(root, 'gone'), manifest(), {
    open: async () => file,
    flushChars: 1,
    syncMs: 0,
    onError: isGoneFound,
  });
  journal.append(record());
  await gone;
  expect(await journal.close()).toMatchObject({ unwritten: 1, failure: { code: 'output_unwritable' } });
});

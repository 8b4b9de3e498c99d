import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../model/errors.ts';
import type { RequestRecord } from '../model/record.ts';
import type { Manifest } from '../model/report.ts';
import { unwritable, writeAtomically } from './atomic-file.ts';
import { appendToRecordFile, createRecordFile, type RecordFile } from './record-file.ts';
import { MANIFEST_FILE, RECORDS_FILE, REPORT_FILE } from './run-folder.ts';

/**
 * Keeps a run on disk while it goes on. A killed process loses what came in the last tenth of a second or so; a machine
 * that loses power, what came in the last second.
 */
export interface Journal {
  /** The run's folder. */
  readonly folder: string;
  /**
   * Writes one line, some time within `flushMs`; returns at once and never throws. Give it the record that
   * `roundRecord` made, and give the same one to the aggregator.
   */
  append(record: RequestRecord): void;
  /** Writes out what is left and closes the file. Never rejects. May be called again. */
  close(): Promise<JournalEnd>;
  /** Writes the report (the text of the JSON report) and the manifest as it is at the run's end, after `close`. Never rejects. */
  finish(manifest: Manifest, report: string): Promise<JournalEnd>;
}

/** What became of a run's files. */
export interface JournalEnd {
  /** Records that were appended and are not on disk. */
  unwritten: number;
  /** The first failure of writing; absent where all was written. */
  failure?: UserError;
}

/** What a journal can be given. All have defaults. */
export interface JournalDeps {
  /** Told once, at the first failed write (a full disk); records from then on are not written. */
  onError?(error: UserError): void;
  /** Longest wait before a line is written, in ms. Default 100. */
  flushMs?: number;
  /** Text waiting that is written at once, in characters. Default 256 K. */
  flushChars?: number;
  /** Longest wait before written lines are synced to the device, in ms. Default 500. */
  syncMs?: number;
  /** Opens the file of records. Default: creates it; it must not exist yet. */
  open?(path: string): Promise<RecordFile>;
}

/**
 * Makes the run's folder with its manifest and an empty file of records, before anything is sent. Throws a
 * `UserError` (`output_unwritable`) when that cannot be done or when the folder holds a run already.
 */
export async function createJournal(
  folder: string,
  manifest: Manifest,
  deps: JournalDeps = {},
): Promise<Journal> {
  await makeFolder(folder);
  return journalIn(folder, manifest, { open: createRecordFile, ...deps });
}

/**
 * Continues the journal of a run that ended before it was done. `bytes`: the length of its whole records; what is
 * behind them is cut off. Throws a `UserError` (`output_unwritable`).
 */
export function resumeJournal(
  folder: string,
  manifest: Manifest,
  { bytes, ...deps }: JournalDeps & { bytes: number },
): Promise<Journal> {
  return journalIn(folder, manifest, { open: (path) => appendToRecordFile(path, bytes), ...deps });
}

async function journalIn(
  folder: string,
  manifest: Manifest,
  deps: JournalDeps & Required<Pick<JournalDeps, 'open'>>,
): Promise<Journal> {
  const path = join(folder, RECORDS_FILE);
  const file = await deps.open(path).catch((error) => {
    throw unwritable(path, error);
  });
  await writeAtomically(join(folder, MANIFEST_FILE), textOf(manifest)).catch(async (error) => {
    await file.close();
    throw error;
  });
  return new RecordJournal(folder, file, deps);
}

function textOf(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

const LINE_FEED = 0x0a;

class RecordJournal implements Journal {
  readonly folder: string;
  private readonly path: string;
  private readonly file: RecordFile;
  private readonly onError: JournalDeps['onError'];
  private readonly flushMs: number;
  private readonly flushChars: number;
  private readonly syncMs: number;
  private waiting: string[] = [];
  private waitingChars = 0;
  private flushTimer: NodeJS.Timeout | undefined;
  private syncTimer: NodeJS.Timeout | undefined;
  private appended = 0;
  private written = 0;
  private failure: UserError | undefined;
  private closing: Promise<void> | undefined;
  // Writes follow one another: two at once could swap, and a cut line would then stand in the middle.
  private writing: Promise<void> = Promise.resolve();
  // Apart from the writes, which do not wait for a slow device.
  private syncing: Promise<void> = Promise.resolve();

  constructor(folder: string, file: RecordFile, deps: JournalDeps) {
    const { flushMs = 100, flushChars = 256 * 1024, syncMs = 500 } = deps;
    this.folder = folder;
    this.path = join(folder, RECORDS_FILE);
    this.file = file;
    this.onError = deps.onError;
    this.flushMs = flushMs;
    this.flushChars = flushChars;
    this.syncMs = syncMs;
  }

  append(record: RequestRecord): void {
    if (this.closing) return;
    this.appended += 1;
    if (this.failure) return;
    const line = `${JSON.stringify(record)}\n`;
    this.waiting.push(line);
    this.waitingChars += line.length;
    if (this.waitingChars >= this.flushChars) this.flush();
    else this.flushTimer ??= setTimeout(() => this.flush(), this.flushMs);
  }

  async close(): Promise<JournalEnd> {
    this.closing ??= this.closeOnce();
    await this.closing;
    return this.end();
  }

  async finish(manifest: Manifest, report: string): Promise<JournalEnd> {
    await this.close();
    // Each is tried whatever became of the other.
    const files: [string, string][] = [
      [REPORT_FILE, report],
      [MANIFEST_FILE, textOf(manifest)],
    ];
    for (const [name, text] of files) {
      await writeAtomically(join(this.folder, name), text).catch((error) => {
        this.failure ??= unwritable(join(this.folder, name), error);
      });
    }
    return this.end();
  }

  private end(): JournalEnd {
    return { unwritten: this.appended - this.written, failure: this.failure };
  }

  private async closeOnce(): Promise<void> {
    this.flush();
    await this.writing;
    clearTimeout(this.syncTimer);
    await this.syncing;
    await this.sync();
    await this.file.close().catch((error) => this.fail(error));
  }

  private flush(): void {
    clearTimeout(this.flushTimer);
    this.flushTimer = undefined;
    if (this.waiting.length === 0) return;
    const bytes = Buffer.from(this.waiting.join(''));
    const lines = this.waiting.length;
    this.waiting = [];
    this.waitingChars = 0;
    this.writing = this.writing.then(() => this.write(bytes, lines));
    this.syncTimer ??= setTimeout(() => {
      this.syncTimer = undefined;
      // Once the last one is done: a slow device must not gather a queue.
      this.syncing = this.syncing.then(() => this.sync());
    }, this.syncMs);
  }

  private async write(bytes: Uint8Array, lines: number): Promise<void> {
    if (this.failure) return;
    let done = 0;
    try {
      while (done < bytes.length) {
        const taken = await this.file.write(bytes, done);
        if (taken === 0) throw Object.assign(new Error('no byte was written'), { code: 'ENOSPC' });
        done += taken;
      }
      this.written += lines;
    } catch (error) {
      const wholeBytes = bytes.subarray(0, done).lastIndexOf(LINE_FEED) + 1;
      this.written += count(bytes.subarray(0, wholeBytes), LINE_FEED);
      this.fail(error);
      // The file ends with a whole line, so that it can be continued.
      if (done > wholeBytes) await this.file.cut(done - wholeBytes).catch(() => {});
    }
  }

  private async sync(): Promise<void> {
    if (this.failure) return;
    try {
      await this.file.sync();
      if (await this.file.isInPlace()) return;
      this.written = 0;
      this.fail(Object.assign(new Error('moved or deleted'), { code: GONE }));
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (this.failure) return;
    const gone = (error as NodeJS.ErrnoException).code === GONE;
    this.failure = gone
      ? new UserError('output_unwritable', {
          message: `cannot write ${this.path}: the file was deleted or moved during the run`,
          hint: 'leave the folder of a run where it is until the run has ended',
        })
      : unwritable(this.path, error);
    this.onError?.(this.failure);
  }
}

const GONE = 'GONE';

function count(bytes: Uint8Array, byte: number): number {
  let found = 0;
  for (const one of bytes) if (one === byte) found += 1;
  return found;
}

// Not mkdir's own `recursive`, which never returns where a file system (such as /proc) answers "no such folder" to the
// making of a folder whose parent is there.
async function makeParents(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return;
  if (dirname(folder) !== folder) await makeParents(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Another process created it.
    if (error.code !== 'EEXIST') throw error;
  });
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await makeParents(dirname(folder));
    // Not recursive: an existing folder may hold a run, and two runs must never share one.
    await mkdir(folder);
  } catch (error) {
    throw unwritable(folder, error);
  }
}

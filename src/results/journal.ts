import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../model/errors.ts';
import type { RequestRecord } from '../model/record.ts';
import type { Manifest } from '../model/report.ts';
import { unwritable, writeAtomically } from './atomic-file.ts';
import { appendToRecordFile, createRecordFile, type RecordFile } from './record-file.ts';
import { MANIFEST_FILE, RECORDS_FILE, REPORT_FILE } from './run-folder.ts';

/**
 * Writes a run to disk while it runs. A killed process loses about the last 0.1 s of records; a machine that loses power about the
 * last second.
 */
export interface Journal {
  /** The run's folder. */
  readonly folder: string;
  /**
   * Writes one line within `flushMs`. Returns at once and never throws. The record must be rounded by `roundRecord`, and the same
   * one must go to the aggregator.
   */
  append(record: RequestRecord): void;
  /** Writes the appended lines. Resolves when they are written or cannot be; never rejects. */
  flushed(): Promise<void>;
  /** Writes the remaining lines and closes the file. Never rejects. May be called again. */
  close(): Promise<JournalEnd>;
  /** Closes the file, then writes the report (JSON text) and the final manifest. Never rejects. */
  finish(manifest: Manifest, report: string): Promise<JournalEnd>;
}

/** The state of a run's files. */
export interface JournalEnd {
  /** Appended records that are not on disk. */
  unwritten: number;
  /** The first write error; absent where everything was written. */
  failure?: UserError;
}

/** Options of a journal. All have defaults. */
export interface JournalDeps {
  /** Called once, at the first failed write (a full disk). Later records are not written. */
  onError?(error: UserError): void;
  /** Maximum delay before a line is written, in ms. Default 100. */
  flushMs?: number;
  /** Pending text of this length is written at once, in characters. Default 256 Ki. */
  flushChars?: number;
  /** Maximum delay before written lines are synced to the device, in ms. Default 500. */
  syncMs?: number;
  /** Opens the records file. Default: creates it; it must not exist yet. */
  open?(path: string): Promise<RecordFile>;
}

/**
 * Creates the run's folder with its manifest and an empty records file, before anything is sent. Throws a `UserError`
 * (`output_unwritable`) where that fails or the folder exists.
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
 * Continues the journal of an incomplete run. `bytes`: the length of its complete records; the rest of the file is cut off. Throws
 * a `UserError` (`output_unwritable`).
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
  /** The file was deleted or moved: none of its lines counts, also of a write that is still in flight. */
  private isGone = false;
  private failure: UserError | undefined;
  private closing: Promise<void> | undefined;
  // One write at a time: concurrent writes could be reordered, and a cut line could be followed by others.
  private writing: Promise<void> = Promise.resolve();
  // Separate from the writes, which must not wait for a slow device.
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

  flushed(): Promise<void> {
    this.flush();
    return this.writing;
  }

  async close(): Promise<JournalEnd> {
    this.closing ??= this.closeOnce();
    await this.closing;
    return this.end();
  }

  async finish(manifest: Manifest, report: string): Promise<JournalEnd> {
    await this.close();
    // Each is written even where the other fails.
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
    return { unwritten: this.appended - (this.isGone ? 0 : this.written), failure: this.failure };
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
      // After the previous sync: syncs of a slow device must not queue up.
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
      // Cut back to a complete line, so that the file can be continued.
      if (done > wholeBytes) await this.file.cut(done - wholeBytes).catch(() => {});
    }
  }

  private async sync(): Promise<void> {
    if (this.failure) return;
    try {
      await this.file.sync();
      if (await this.file.isInPlace()) return;
      this.isGone = true;
      this.fail(
        new UserError('output_unwritable', {
          message: `cannot write ${this.path}: the file was deleted or moved during the run`,
          hint: 'do not move or delete the folder of a run before it has ended',
        }),
      );
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    if (this.failure) return;
    this.failure = unwritable(this.path, error);
    this.onError?.(this.failure);
  }
}

function count(bytes: Uint8Array, byte: number): number {
  let found = 0;
  for (const one of bytes) if (one === byte) found += 1;
  return found;
}

// Not mkdir's `recursive` option: it never returns where a file system (such as /proc) reports "no such folder" although the parent
// exists.
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

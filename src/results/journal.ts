import { mkdir, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { UserError } from '../model/errors.ts';
import type { RequestRecord } from '../model/record.ts';
import type { Manifest } from '../model/report.ts';
import { unwritable, writeAtomically } from './files.ts';
import { MANIFEST_FILE, RECORDS_FILE, REPORT_FILE } from './layout.ts';

/** Keeps a run on disk while it goes on, so that a crash loses the last tenth of a second and no more. */
export interface Journal {
  /** The run's folder. */
  readonly folder: string;
  /**
   * Writes one line, some time within `flushMs`; returns at once and never throws. Give it the record that
   * `roundRecord` made, and give the same one to the aggregator.
   */
  append(record: RequestRecord): void;
  /** Writes out what is left and closes the file. Throws the first failure of writing. May be called again. */
  close(): Promise<void>;
  /**
   * Closes, then writes the report and the manifest as it is at the run's end. `report` is the text of the JSON report.
   * Both are tried even when records could not be written; the first failure is thrown at the end.
   */
  finish(manifest: Manifest, report: string): Promise<void>;
}

/** What a journal can be given. All have defaults. */
export interface JournalDeps {
  /** Told once, at the first failed write (a full disk); records from then on are not kept. */
  onError?(error: UserError): void;
  /** Longest wait before a line is written, in ms. Default 100. */
  flushMs?: number;
  /** Text waiting that is written at once, in characters. Default 256 K. */
  flushChars?: number;
  /** Opens the file of records; it must not exist yet. */
  open?(path: string): Promise<RecordFile>;
}

/** The part of a file handle that a journal uses. */
export interface RecordFile {
  appendFile(text: string): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
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
  const { flushMs = 100, flushChars = 256 * 1024, open: openRecords = (path) => open(path, 'ax') } = deps;
  const path = join(folder, RECORDS_FILE);
  await makeFolder(folder);
  const file = await openRecords(path).catch((error) => {
    throw unwritable(path, error);
  });
  const manifestText = (state: Manifest) => `${JSON.stringify(state, null, 2)}\n`;
  await writeAtomically(join(folder, MANIFEST_FILE), manifestText(manifest)).catch(async (error) => {
    await file.close();
    throw error;
  });

  let waiting: string[] = [];
  let waitingChars = 0;
  let timer: NodeJS.Timeout | undefined;
  let failure: UserError | undefined;
  let closed: Promise<void> | undefined;
  // Writes follow one another: two at once could swap, and a cut line would then stand in the middle.
  let writing: Promise<void> = Promise.resolve();

  const fail = (error: unknown) => {
    if (failure) return;
    failure = unwritable(path, error);
    deps.onError?.(failure);
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const text = waiting.join('');
    waiting = [];
    waitingChars = 0;
    writing = writing.then(() => (failure ? undefined : file.appendFile(text))).catch(fail);
  };
  const closeOnce = async () => {
    flush();
    await writing;
    await file.sync().catch(fail);
    await file.close().catch(fail);
  };
  const close = async () => {
    closed ??= closeOnce();
    await closed;
    if (failure) throw failure;
  };

  return {
    folder,
    append(record) {
      if (failure || closed) return;
      const line = `${JSON.stringify(record)}\n`;
      waiting.push(line);
      waitingChars += line.length;
      if (waitingChars >= flushChars) flush();
      else timer ??= setTimeout(flush, flushMs);
    },
    close,
    async finish(ended, report) {
      const steps = [
        () => close(),
        () => writeAtomically(join(folder, REPORT_FILE), report),
        () => writeAtomically(join(folder, MANIFEST_FILE), manifestText(ended)),
      ];
      const errors: unknown[] = [];
      for (const step of steps) await step().catch((error) => errors.push(error));
      if (errors.length > 0) throw errors[0];
    },
  };
}

// Not mkdir's own `recursive`, which never returns where a file system (such as /proc) answers "no such folder" to the
// making of a folder whose parent is there.
async function makeParents(folder: string): Promise<void> {
  if ((await stat(folder).catch(() => undefined))?.isDirectory()) return;
  if (dirname(folder) !== folder) await makeParents(dirname(folder));
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    // Somebody else was quicker.
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

import { type FileHandle, open, stat } from 'node:fs/promises';

/** The records file of a run, as the journal writes it. */
export interface RecordFile {
  /** Writes the bytes from `offset` on. Resolves with the number of written bytes, which may be fewer. */
  write(bytes: Uint8Array, offset: number): Promise<number>;
  /** Resolves when the written bytes are on the device. */
  sync(): Promise<void>;
  /** Removes the last `bytes` bytes. */
  cut(bytes: number): Promise<void>;
  /** False where the file is no longer at its path: it, or a parent folder, was deleted or moved. */
  isInPlace(): Promise<boolean>;
  close(): Promise<void>;
}

/** Creates a records file, which must not exist yet. */
export async function createRecordFile(path: string): Promise<RecordFile> {
  return recordFile(path, await open(path, 'ax'));
}

/** Truncates a records file to `bytes` bytes and opens it to append. */
export async function appendToRecordFile(path: string, bytes: number): Promise<RecordFile> {
  const file = await open(path, 'a+');
  await file.truncate(bytes);
  const last = Buffer.alloc(1);
  if (bytes > 0) await file.read(last, 0, 1, bytes - 1);
  // A complete record may lack its line feed.
  if (bytes > 0 && last[0] !== 0x0a) await file.appendFile('\n');
  return recordFile(path, file);
}

function recordFile(path: string, file: FileHandle): RecordFile {
  return {
    write: async (bytes, offset) => (await file.write(bytes, offset)).bytesWritten,
    sync: () => file.datasync(),
    async cut(bytes) {
      const { size } = await file.stat();
      await file.truncate(size - bytes);
    },
    async isInPlace() {
      // A deleted file can still be written to, but its bytes are lost when it is closed.
      const [ours, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
      return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
    },
    close: () => file.close(),
  };
}

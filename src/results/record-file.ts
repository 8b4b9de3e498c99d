import { type FileHandle, open, stat } from 'node:fs/promises';

/** The file of a run's records, as a journal writes it. */
export interface RecordFile {
  /** Writes the bytes from `offset` on; resolves with how many were taken, which may be fewer than there are. */
  write(bytes: Uint8Array, offset: number): Promise<number>;
  /** Resolves when what was written is on the device. */
  sync(): Promise<void>;
  /** Cuts the last `bytes` bytes off. */
  cut(bytes: number): Promise<void>;
  /** False when the file is no longer at its path: it, or a folder above it, was deleted or moved. */
  isInPlace(): Promise<boolean>;
  close(): Promise<void>;
}

/** Creates a file of records, which must not exist yet. */
export async function createRecordFile(path: string): Promise<RecordFile> {
  return recordFile(path, await open(path, 'ax'));
}

/** Opens a file of records to append to it, cut to its first `bytes` bytes. */
export async function appendToRecordFile(path: string, bytes: number): Promise<RecordFile> {
  const file = await open(path, 'a+');
  await file.truncate(bytes);
  const last = Buffer.alloc(1);
  if (bytes > 0) await file.read(last, 0, 1, bytes - 1);
  // A whole record may have lost its line feed.
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
      // A deleted file can still be written to: its bytes are gone when it is closed.
      const [ours, there] = await Promise.all([file.stat(), stat(path).catch(() => undefined)]);
      return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
    },
    close: () => file.close(),
  };
}

import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Redactor } from '../../model/redaction/redactor.ts';

/** What a started server prints. Secrets are redacted. */
export interface ServerLog {
  write(bytes: Uint8Array): void;
  /** The last lines, for an error message. */
  lastLines(): string[];
  /** Keeps the output in this folder from now on, what was printed before included. */
  keepIn(folder: string): void;
  /** Resolves when all is written. Never rejects: the output is not worth a failed run. */
  close(): Promise<void>;
}

const LAST_LINES = 5;
const LONGEST_LINE = 500;
/** Kept in memory until the run has a folder. */
const MAX_HELD_CHARS = 2 ** 20;
/** Kept on disk of one server. */
const MAX_KEPT_CHARS = 64 * 2 ** 20;

/** The log of a server; its file is `NAME.log`. */
export function serverLog(name: string, redactor: Redactor): ServerLog {
  const decoder = new TextDecoder();
  const clean = redactor.stream();
  let held = '';
  let tail = '';
  let kept = 0;
  let file: WriteStream | undefined;
  const put = (text: string) => {
    tail = (tail + text).slice(-(LAST_LINES + 1) * LONGEST_LINE);
    if (file === undefined) {
      held = (held + text).slice(-MAX_HELD_CHARS);
      return;
    }
    if (kept >= MAX_KEPT_CHARS) return;
    kept += text.length;
    file.write(kept < MAX_KEPT_CHARS ? text : `${text}\n[more output was not kept]\n`);
  };
  return {
    write: (bytes) => put(clean.push(decoder.decode(bytes, { stream: true }))),
    lastLines() {
      const lines = tail.split('\n').filter((line) => line.trim() !== '');
      return lines.slice(-LAST_LINES).map((line) => line.slice(0, LONGEST_LINE));
    },
    keepIn(folder) {
      file = createWriteStream(join(folder, `${name}.log`));
      // A full disk ends the log, not the run.
      file.on('error', () => {});
      const before = held;
      held = '';
      kept = before.length;
      file.write(before);
    },
    close() {
      put(clean.push(decoder.decode()) + clean.end());
      const open = file;
      if (open === undefined) return Promise.resolve();
      return new Promise((resolve) => {
        open.once('close', () => resolve());
        open.end();
      });
    },
  };
}

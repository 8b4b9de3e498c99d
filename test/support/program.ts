import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The repository. */
export const ROOT = resolve(import.meta.dirname, '../..');

const BIN = join(ROOT, 'bin/streambench.js');

/** What a finished program left. */
export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A running program. */
export interface Running {
  pid: number;
  /** Resolves when stderr or stdout has held this text. */
  until(text: string): Promise<void>;
  /** What it has written to stderr so far. */
  stderr(): string;
  kill(signal: NodeJS.Signals): void;
  done: Promise<Finished>;
}

/** Starts `streambench` as its user would, with no colour and none of this machine's keys in its environment. */
export function start(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; bin?: string } = {},
): Running {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [options.bin ?? BIN, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { PATH, HOME, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  const watchers = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    for (const watch of watchers) watch();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    for (const watch of watchers) watch();
  });
  const done = new Promise<Finished>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
  return {
    pid: child.pid!,
    until: (text) =>
      new Promise((resolve, reject) => {
        const watch = () => {
          if (!stdout.includes(text) && !stderr.includes(text)) return;
          watchers.delete(watch);
          resolve();
        };
        watchers.add(watch);
        watch();
        void done.then(() => reject(new Error(`ended without "${text}":\n${stdout}\n${stderr}`)));
      }),
    stderr: () => stderr,
    kill: (signal) => void child.kill(signal),
    done,
  };
}

/** Runs `streambench` to its end. */
export function streambench(
  args: readonly string[],
  options: Parameters<typeof start>[1] = {},
): Promise<Finished> {
  return start(args, options).done;
}

/** A folder that is removed when `dispose` is called. */
export function scratch(): { path: string; dispose(): void } {
  const path = mkdtempSync(join(tmpdir(), 'streambench-'));
  return { path, dispose: () => rmSync(path, { recursive: true, force: true }) };
}

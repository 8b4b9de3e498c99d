import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { monotonicClock } from '../../src/model/clock.ts';

/** What a program cost, with all processes that it started. */
export interface ProcessCost {
  code: number | null;
  startedAt: number;
  endedAt: number;
  /** User and system time of the process and of all that it waited for, in ms; null where bash is not installed. */
  cpuMs: number | null;
  /** The largest sum of resident memory over the process tree, read ten times a second. Shared pages count more than once. */
  peakBytes: number;
  stdout: string;
  stderr: string;
}

// `times` of bash prints the CPU time of the shell, and on the second line that of its children.
const SCRIPT = '"$@"; code=$?; times >&3; exit $code';

/** Runs a program to its end, or kills it after `limitMs`. */
export function costOf(
  command: readonly string[],
  { cwd, env = {}, limitMs }: { cwd: string; env?: Record<string, string>; limitMs: number },
): Promise<ProcessCost> {
  const startedAt = monotonicClock.now();
  const child = spawn('bash', ['-c', SCRIPT, 'bash', ...command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    // A group of its own, so that a tool that does not end can be stopped with its workers.
    detached: true,
  });
  const texts = { stdout: '', stderr: '', times: '' };
  const [, stdout, stderr, times] = child.stdio;
  for (const [name, stream] of Object.entries({ stdout, stderr, times })) {
    stream?.on('data', (part: Buffer) => {
      texts[name as keyof typeof texts] = (texts[name as keyof typeof texts] + part.toString()).slice(
        -100_000,
      );
    });
  }
  let peakBytes = 0;
  const sample = () => {
    peakBytes = Math.max(peakBytes, treeBytes(child.pid));
  };
  const sampler = setInterval(sample, 100);
  const limit = setTimeout(() => child.pid && process.kill(-child.pid, 'SIGKILL'), limitMs);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(sampler);
      clearTimeout(limit);
      const { stdout: out, stderr: err } = texts;
      const endedAt = monotonicClock.now();
      resolve({ code, startedAt, endedAt, cpuMs: cpuOf(texts.times), peakBytes, stdout: out, stderr: err });
    });
  });
}

/** The CPU time of the children in the output of `times`: `0m1.234s 0m0.100s`. */
function cpuOf(text: string): number | null {
  const line = text.trim().split('\n')[1];
  const parts = [...(line ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  if (parts.length !== 2) return null;
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1000,
    0,
  );
}

/** Resident memory of a process and its descendants. The shell that started the program is not counted. */
function treeBytes(root: number | undefined): number {
  if (root === undefined) return 0;
  const children = new Map<number, number[]>();
  const bytes = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
      // The name of a program may hold spaces and brackets.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const parent = Number(fields[1]);
      const pid = Number(entry);
      bytes.set(pid, Number(fields[21]) * 4096);
      children.set(parent, [...(children.get(parent) ?? []), pid]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const sum = (pid: number): number =>
    (children.get(pid) ?? []).reduce((total, child) => total + (bytes.get(child) ?? 0) + sum(child), 0);
  return sum(root);
}

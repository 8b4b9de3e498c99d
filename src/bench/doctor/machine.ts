import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { percentileOf } from '../../metrics/percentile.ts';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { readEnvironment } from '../environment.ts';

/** Facts that affect how well this machine measures. */
export interface MachineFacts {
  platform: string;
  node: string;
  /** The range in package.json: `>=20.18.1`. */
  requiredNode: string;
  undici: string;
  /** The limit on open files of this process; undefined where unlimited or unknown. */
  openFiles: number | undefined;
  /** The planned number of concurrent streams. */
  concurrency: number;
  cores: number;
  cpuModel: string;
  /** CPUs that a control group allows; undefined without a limit. */
  cpuQuota: number | undefined;
  /** Load average of the last minute. */
  load: number;
  /** The smallest observed step of the clock, in ms. */
  clockStepMs: number;
  /** How late timers fire, in ms. */
  timerLateMs: { p50: number; p99: number; max: number };
  /** Names of the proxy variables that are set; their values may hold passwords. */
  proxyVariables: readonly string[];
  ipv6Loopback: boolean;
}

/** Options of `readFacts`. */
export interface FactsOptions {
  concurrency: number;
  env: Readonly<Record<string, string | undefined>>;
  clock?: Clock;
}

/** Reads the facts. Takes about half a second, because it waits for timers. */
export async function readFacts({
  concurrency,
  env,
  clock = monotonicClock,
}: FactsOptions): Promise<MachineFacts> {
  // Before anything else keeps the loop busy.
  const timerLateMs = await timerLateness(clock);
  const { node, undici } = await readEnvironment();
  const processors = cpus();
  return {
    platform: process.platform,
    node,
    requiredNode: requiredNode(),
    undici,
    openFiles: openFileLimit(),
    concurrency,
    cores: availableParallelism(),
    cpuModel: processors[0]?.model.replaceAll(/\s+/g, ' ').trim() || 'unknown',
    cpuQuota: cpuQuota(),
    load: loadavg()[0] ?? 0,
    clockStepMs: clockStep(clock),
    timerLateMs,
    proxyVariables: proxyVariables(env),
    ipv6Loopback: await hasIpv6Loopback(),
  };
}

function requiredNode(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { engines: { node: string } }).engines.node;
}

/** The limit on open files of this process; undefined where unlimited or unknown. */
export function openFileLimit(): number | undefined {
  if (process.platform === 'win32') return undefined;
  const text = tryTo(() => readFileSync('/proc/self/limits', 'utf8'));
  if (text !== undefined) return limitIn(text);
  // Without /proc: a shell inherits the limits of this process.
  const answer = tryTo(() => execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8', timeout: 2000 }));
  const limit = Number(answer?.trim() || Number.NaN);
  return Number.isInteger(limit) ? limit : undefined;
}

/** The soft limit on open files in the text of `/proc/self/limits`; undefined without one. */
export function limitIn(text: string): number | undefined {
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}

/** Reads a file of the system; undefined where it does not exist. */
export type ReadFile = (path: string) => string | undefined;

const readSystemFile: ReadFile = (path) => tryTo(() => readFileSync(path, 'utf8'));

/** CPUs that the control groups of this process allow (version 2, then 1); undefined without a limit. */
export function cpuQuota(read: ReadFile = readSystemFile): number | undefined {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n');
  const unified = lines.find((line) => line.startsWith('0::'))?.slice(3) ?? '/';
  const limits = ancestors(unified).map((path) => {
    const [quota, period] = (read(join('/sys/fs/cgroup', path, 'cpu.max')) ?? 'max').trim().split(' ');
    return Number(quota) / Number(period);
  });
  const controller = lines.find((line) => /^\d+:[^:]*\bcpu\b[^:]*:/.test(line))?.split(':')[2] ?? '/';
  for (const path of ancestors(controller)) {
    const folder = join('/sys/fs/cgroup/cpu', path);
    limits.push(Number(read(`${folder}/cpu.cfs_quota_us`)) / Number(read(`${folder}/cpu.cfs_period_us`)));
  }
  // No limit is `max` in version 2 and -1 in version 1.
  const valid = limits.filter((limit) => Number.isFinite(limit) && limit > 0);
  return valid.length === 0 ? undefined : Math.min(...valid);
}

// In a container the group's own path is often not mounted, but the mounted root has the container's limit.
function ancestors(path: string): string[] {
  const found = [path];
  for (let at = path; at !== '/' && at !== '.'; ) {
    at = dirname(at);
    found.push(at);
  }
  return found;
}

const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy'];

/** The names of the proxy variables that are set. */
export function proxyVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  return PROXY_VARIABLES.filter((name) => env[name]);
}

/** The smallest step of a clock within 20 ms, in ms. */
export function clockStep(clock: Clock): number {
  let least = Number.POSITIVE_INFINITY;
  const end = clock.now() + 20;
  for (let before = clock.now(); before < end; ) {
    const now = clock.now();
    if (now > before) least = Math.min(least, now - before);
    before = now;
  }
  return least;
}

const TIMERS = 60;
const TIMER_MS = 5;

async function timerLateness(clock: Clock): Promise<MachineFacts['timerLateMs']> {
  const late: number[] = [];
  for (let i = 0; i < TIMERS; i++) {
    const dueAt = clock.now() + TIMER_MS;
    await new Promise((resolve) => setTimeout(resolve, TIMER_MS));
    late.push(Math.max(0, clock.now() - dueAt));
  }
  late.sort((a, b) => a - b);
  return { p50: percentileOf(late, 0.5), p99: percentileOf(late, 0.99), max: percentileOf(late, 1) };
}

async function hasIpv6Loopback(): Promise<boolean> {
  const server = createServer();
  try {
    return await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(0, '::1', () => resolve(true));
    });
  } finally {
    server.close();
  }
}

function tryTo<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    // The system has no such file or program.
    return undefined;
  }
}

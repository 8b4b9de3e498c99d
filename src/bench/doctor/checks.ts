import type { Problem } from '../../model/errors.ts';
import { formatFineTime, formatNumber, formatValue } from '../../model/format.ts';
import { type MachineFacts, openFileLimit } from './machine.ts';

/** The result of a check. */
export type CheckStatus = 'ok' | 'warn' | 'fail';

/** One check of the machine or the software. */
export interface Check {
  name: string;
  status: CheckStatus;
  /** The finding. */
  what: string;
  /** Why it matters; only where it is not `ok`. */
  why?: string;
  /** What to do; only where it is not `ok`. */
  remedy?: string;
}

/** Open files that the program needs in addition to one per stream: its own, the results, a reserve. */
const OWN_FILES = 64;

/**
 * The problem of this many concurrent streams with the limit on open files; undefined without a problem or a known limit.
 * `filesPerStream` is 2 where the server's side of the connections is in this process too.
 */
export function checkOpenFiles(concurrency: number, filesPerStream = 1): Problem | undefined {
  return openFilesProblem({
    concurrency,
    filesPerStream,
    limit: openFileLimit(),
    platform: process.platform,
  });
}

/** The input of `openFilesProblem`. */
export interface OpenFilesFacts {
  concurrency: number;
  filesPerStream: number;
  /** Undefined without a known limit. */
  limit: number | undefined;
  platform: string;
}

/** As `checkOpenFiles`, with everything as an argument. */
export function openFilesProblem(facts: OpenFilesFacts): Problem | undefined {
  const { concurrency, filesPerStream, limit, platform } = facts;
  const needed = concurrency * filesPerStream + OWN_FILES;
  if (limit === undefined || needed <= limit) return undefined;
  const wanted = Math.max(4096, 2 ** Math.ceil(Math.log2(needed)));
  return {
    message: `${concurrency} concurrent streams need ${needed} open files, and the limit is ${limit}`,
    hint: `raise it in this shell with: ${raising(wanted, platform)}`,
  };
}

// Node has already raised the soft limit to the hard one, so a plain `ulimit -n` often fails.
function raising(files: number, platform: string): string {
  return platform === 'linux'
    ? `ulimit -n ${files} || sudo prlimit --pid $$ --nofile=${files}:${files}  (containers: --ulimit nofile=${files})`
    : `ulimit -n ${files}`;
}

/** The checks, in display order. */
export function checksOf(facts: MachineFacts): Check[] {
  return [
    nodeCheck(facts),
    undiciCheck(facts),
    openFilesCheck(facts),
    coresCheck(facts),
    quotaCheck(facts),
    loadCheck(facts),
    clockCheck(facts),
    timerCheck(facts),
    proxyCheck(facts),
    ipv6Check(facts),
  ].filter((check) => check !== undefined);
}

function nodeCheck({ node, requiredNode }: MachineFacts): Check {
  const name = 'node';
  const least = /\d+\.\d+\.\d+/.exec(requiredNode)?.[0] ?? '0.0.0';
  if (compareVersions(node, least) >= 0) return { name, status: 'ok', what: `${node} (${requiredNode})` };
  const why = 'the program needs a newer version';
  return { name, status: 'fail', what: node, why, remedy: `install Node ${requiredNode}` };
}

function undiciCheck({ undici }: MachineFacts): Check {
  const name = 'undici';
  if (compareVersions(undici, '7.28.0') >= 0 && compareVersions(undici, '7.29.1') < 0) {
    const why = 'this version adds about 1.1 ms to every request on an open connection';
    return { name, status: 'fail', what: undici, why, remedy: 'npm install undici@^7.30' };
  }
  if (compareVersions(undici, '7.29.1') < 0 || compareVersions(undici, '8.0.0') >= 0) {
    const why = 'measurements were not validated with this version';
    return { name, status: 'warn', what: undici, why, remedy: 'npm install undici@^7.30' };
  }
  return { name, status: 'ok', what: undici };
}

function openFilesCheck({ openFiles, concurrency, platform }: MachineFacts): Check {
  const name = 'open files';
  const problem = openFilesProblem({ concurrency, filesPerStream: 1, limit: openFiles, platform });
  if (problem !== undefined) {
    const why = 'every stream needs an open file: connections above the limit fail with EMFILE';
    return { name, status: 'fail', what: problem.message, why, remedy: problem.hint };
  }
  const limit = openFiles === undefined ? 'no limit known' : `limit ${openFiles}`;
  return { name, status: 'ok', what: `${limit}, enough for ${concurrency} concurrent streams` };
}

function coresCheck({ cores, cpuModel }: MachineFacts): Check {
  const name = 'cores';
  if (cores > 1) return { name, status: 'ok', what: `${cores} × ${cpuModel}` };
  return {
    name,
    status: 'warn',
    what: `1 × ${cpuModel}`,
    why: 'the reader, garbage collection and the system share one core and delay each other',
    remedy: 'use a machine with at least 2 cores',
  };
}

function quotaCheck({ cpuQuota, cores }: MachineFacts): Check {
  const name = 'cpu quota';
  if (cpuQuota === undefined || cpuQuota >= cores) return { name, status: 'ok', what: 'none' };
  const what = `${formatValue(cpuQuota, 'count')} of ${cores} cores`;
  if (cpuQuota >= 2) return { name, status: 'ok', what };
  return {
    name,
    status: cpuQuota < 1 ? 'fail' : 'warn',
    what,
    why: 'when the quota of a period is used up, the process is stopped until the next period (up to 100 ms)',
    remedy: 'raise the limit to 2 or more (docker --cpus=2; Kubernetes resources.limits.cpu: "2")',
  };
}

function loadCheck({ load, cores, platform }: MachineFacts): Check | undefined {
  // Windows has no load average.
  if (platform === 'win32') return undefined;
  const name = 'system load';
  const share = load / cores;
  const what = `${formatNumber(load)} on ${cores} core${cores === 1 ? '' : 's'}`;
  if (share < 0.5) return { name, status: 'ok', what };
  return {
    name,
    status: share >= 2 ? 'fail' : 'warn',
    what,
    why: 'other programs compete for the CPU, which shows up as latency',
    remedy: 'stop other programs, or use another machine',
  };
}

function clockCheck({ clockStepMs }: MachineFacts): Check {
  const name = 'clock';
  const what = `steps of ${formatFineTime(clockStepMs)}`;
  if (clockStepMs < 0.05) return { name, status: 'ok', what };
  return {
    name,
    status: clockStepMs >= 1 ? 'fail' : 'warn',
    what,
    why: 'times shorter than a step of the clock cannot be measured',
    remedy: 'measure outside the virtual machine or sandbox that has a coarse clock',
  };
}

function timerCheck({ timerLateMs: { p50, p99, max } }: MachineFacts): Check {
  const name = 'timers';
  const figures = [p50, p99, max].map((ms) => formatValue(ms, 'ms'));
  const what = `late by p50 ${figures[0]}, p99 ${figures[1]}, max ${figures[2]}`;
  if (p99 < 10) return { name, status: 'ok', what };
  return {
    name,
    status: p99 >= 50 ? 'fail' : 'warn',
    what,
    why: 'the process does not get the CPU in time, so its stamps are late too',
    remedy: 'stop other programs, or use a dedicated machine',
  };
}

function proxyCheck({ proxyVariables }: MachineFacts): Check {
  const name = 'proxy';
  if (proxyVariables.length === 0) return { name, status: 'ok', what: 'no proxy variable is set' };
  const set = `${proxyVariables.join(', ')} ${proxyVariables.length > 1 ? 'are' : 'is'} set`;
  const read = proxyVariables.filter((variable) => !/^all_proxy$/i.test(variable));
  return {
    name,
    status: 'warn',
    what: read.length === 0 ? `${set}, which is not supported` : `${set}, and used only with --proxy env`,
    why: 'connections are direct; where only the proxy has access, targets cannot be reached',
    remedy:
      read.length === 0
        ? 'none, where targets are reachable without a proxy; else set HTTPS_PROXY and use --proxy env'
        : 'none, where targets are reachable without a proxy; else use --proxy env (proxy: env in a scenario), which excludes loopback addresses and the hosts in NO_PROXY',
  };
}

function ipv6Check({ ipv6Loopback }: MachineFacts): Check {
  const name = 'ipv6';
  if (ipv6Loopback) return { name, status: 'ok', what: 'loopback ::1 works' };
  return {
    name,
    status: 'warn',
    what: 'no loopback ::1',
    why: 'names with IPv6 addresses, such as "localhost", first try an address that fails, which delays connecting',
    remedy: 'use 127.0.0.1 instead of localhost; enable IPv6 where targets need it',
  };
}

/** Compares versions by their numbers: negative, 0 or positive. Suffixes are ignored. */
export function compareVersions(a: string, b: string): number {
  const numbers = (version: string) => version.split(/[.+-]/).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  const differences = [0, 1, 2].map((i) => (left[i] || 0) - (right[i] || 0));
  return differences.find((difference) => difference !== 0) ?? 0;
}

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import type { Command } from 'commander';
import { UserError } from '../model/errors.ts';
import type { Override } from '../scenario/overrides.ts';

/** Options that say how connections are made, as commander delivers them. */
export interface ConnectionFlags {
  connection?: string;
  http?: number;
  streamsPerSession?: number;
  ca?: string;
  insecure?: boolean;
  proxy?: string;
  unix?: string;
  ip?: number | string;
  dns?: string;
  resolve?: string[];
}

/** Options that change a scenario, as commander delivers them. */
export interface ScenarioFlags extends ConnectionFlags {
  concurrency?: number[];
  rate?: number[];
  arrivals?: string;
  maxConcurrency?: number;
  requests?: number;
  duration?: string;
  rounds?: number;
  warmup?: number;
  mode?: string;
  timeout?: string;
  /** False with `--no-unique`. */
  unique?: boolean;
  keepText?: boolean;
  tokenizer?: string;
  header: string[];
  threshold: string[];
  objective: string[];
  env: string[];
  envFile?: string;
  set: string[];
}

/** Gathers an option that may be repeated. */
export function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** `1,4,16` as numbers; what is no number stays NaN, and the scenario's schema says what would be right. */
export function numberList(text: string): number[] {
  return text.split(',').map((part) => Number(part.trim() || Number.NaN));
}

/** The help of `--no-unique`. */
export const UNIQUE_HELP = 'send the same prompt each time, so that a prefix cache may answer';

/** Adds the options that say how many requests are sent, and when. `what` says what their number counts. */
export function addLoadOptions(command: Command, what = 'of each cell, all rounds together'): void {
  command
    .optionsGroup('Load:')
    .option('-c, --concurrency <list>', 'streams at once, such as 4 or 1,4,16', numberList)
    .option(
      '--rate <list>',
      'requests a second, such as 5 or 5,20, whatever becomes of the ones before (open loop)',
      numberList,
    )
    .option('--arrivals <process>', 'with --rate: poisson (at random) or constant')
    .option('--max-concurrency <count>', 'with --rate: the most streams at once', Number)
    .option('-n, --requests <count>', `measured requests ${what}`, Number)
    .option('-d, --duration <time>', 'time limit of each cell, such as 30s')
    .option('--rounds <count>', 'rounds in which the cells are interleaved', Number)
    .option('--warmup <count>', 'unmeasured requests before the first of a cell', Number)
    .option('--mode <mode>', 'streaming, non-streaming or both')
    .option('-t, --timeout <time>', 'total time limit of a request, such as 90s')
    .option('--no-unique', UNIQUE_HELP);
}

/** Adds the options that decide whether a run passes. */
export function addGateOptions(command: Command): void {
  command
    .optionsGroup('Gates:')
    .option('--threshold <condition>', 'a gate, such as "ttft.p95 < 800ms"; may be repeated', collect, [])
    .option(
      '--objective <condition>',
      'what a good request meets, such as "ttft < 500ms" (see goodput); may be repeated',
      collect,
      [],
    );
}

/** Adds the options that change anything else of a scenario. */
export function addScenarioOptions(command: Command): void {
  command
    .optionsGroup('Scenario:')
    .option('-H, --header <header>', 'a request header, as "name: value"; may be repeated', collect, [])
    .option('--tokenizer <name>', 'count tokens where a provider sends no usage: o200k, or none')
    .option('-e, --env <NAME=value>', 'a value for ${env:NAME}; may be repeated', collect, [])
    .option('--env-file <file>', 'a file of NAME=value lines for ${env:NAME}')
    .option(
      '--set <path=value>',
      'any field of the scenario, such as load.rounds=3; may be repeated',
      collect,
      [],
    );
}

/** Adds the options that say how connections are made. */
export function addConnectionOptions(command: Command): void {
  command
    .optionsGroup('Connections:')
    .option('--connection <use>', 'how long a connection lasts: warm, cold or per-request')
    .option('--http <version>', 'HTTP version: 1 or 2', Number)
    .option('--streams-per-session <count>', 'HTTP/2: requests at once on one connection', Number)
    .option('--ca <file>', 'PEM certificates to trust beside the usual ones')
    .option('--insecure', 'accept any certificate')
    .option('--proxy <url>', 'an HTTP proxy, or env for what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say')
    .option('--unix <path>', "connect to this unix socket instead of the URL's host")
    .option('--ip <family>', 'IP version: 4, 6 or auto', (text) => (text === 'auto' ? text : Number(text)))
    .option('--dns <when>', 'look names up for each connection, or once: each or once')
    .option(
      '--resolve <host:port:address>',
      'an address that is not looked up; may be repeated',
      (value: string, before: string[] = []) => collect(value, before),
    );
}

/** The edits to a scenario that the options about connections ask for. */
export function connectionOverrides(flags: ConnectionFlags): Override[] {
  const { connection, http, streamsPerSession, ca, insecure, proxy, unix, ip, dns, resolve: pins } = flags;
  // Paths on the command line begin where the user is, those of a scenario where it is.
  const path = (file: string | undefined) => (file === undefined ? undefined : resolve(file));
  const given: [string, unknown, string][] = [
    ['connection', connection, '--connection'],
    ['targets.*.http', http, '--http'],
    ['targets.*.streamsPerSession', streamsPerSession, '--streams-per-session'],
    ['targets.*.ca', path(ca), '--ca'],
    ['targets.*.insecure', insecure, '--insecure'],
    ['targets.*.proxy', proxy, '--proxy'],
    ['targets.*.unix', path(unix), '--unix'],
    ['targets.*.ip', ip, '--ip'],
    ['targets.*.dns', dns, '--dns'],
    ['targets.*.resolve', pins, '--resolve'],
  ];
  return given.flatMap(([to, value, from]) => (value === undefined ? [] : [{ path: to, value, from }]));
}

/** The edits to a scenario that the options ask for, `--set` last. */
export async function scenarioOverrides(flags: ScenarioFlags): Promise<Override[]> {
  const overrides: Override[] = [];
  const add = (path: string, value: unknown, from: string) => {
    if (value !== undefined) overrides.push({ path, value, from });
  };
  // The one kind of load takes the place of the other.
  if (flags.rate !== undefined)
    overrides.push({ path: 'load.concurrency', value: undefined, from: '--rate' });
  else if (flags.concurrency !== undefined) {
    for (const key of ['rate', 'arrivals', 'maxConcurrency'])
      overrides.push({ path: `load.${key}`, value: undefined, from: '--concurrency' });
  }
  add('load.concurrency', flags.concurrency, '--concurrency');
  add('load.rate', flags.rate, '--rate');
  add('load.arrivals', flags.arrivals, '--arrivals');
  add('load.maxConcurrency', flags.maxConcurrency, '--max-concurrency');
  add('load.requests', flags.requests, '--requests');
  add('load.duration', flags.duration, '--duration');
  add('load.rounds', flags.rounds, '--rounds');
  add('load.warmup', flags.warmup, '--warmup');
  add('modes', flags.mode === undefined ? undefined : modes(flags.mode), '--mode');
  add('timeouts.total', flags.timeout, '--timeout');
  if (flags.unique === false) {
    add('unique', false, '--no-unique');
    overrides.push({ path: 'prompts.*.unique', value: undefined, from: '--no-unique' });
  }
  for (const condition of flags.threshold) add('thresholds.+', condition, `--threshold ${condition}`);
  for (const condition of flags.objective) add('objectives.+', condition, `--objective ${condition}`);
  add('keepText', flags.keepText, '--keep-text');
  add('tokenizer', flags.tokenizer, '--tokenizer');
  overrides.push(...connectionOverrides(flags));
  if (flags.header.length > 0) {
    const { readHeaders } = await import('../scenario/from-flags.ts');
    for (const [name, value] of Object.entries(readHeaders(flags.header) ?? {})) {
      add(`targets.*.headers."${name}"`, value, `--header ${name}`);
    }
  }
  if (flags.set.length === 0) return overrides;
  const { parseOverride } = await import('../scenario/overrides.ts');
  return [...overrides, ...flags.set.map(parseOverride)];
}

function modes(mode: string): string[] {
  return mode === 'both' ? ['streaming', 'non-streaming'] : [mode];
}

/** The variables for `${env:NAME}`: the process's, then the env file's, then `-e`. */
export async function envOf(
  flags: Pick<ScenarioFlags, 'env' | 'envFile'>,
  processEnv: Readonly<Record<string, string | undefined>>,
): Promise<Record<string, string | undefined>> {
  const env: Record<string, string | undefined> = { ...processEnv };
  if (flags.envFile !== undefined) Object.assign(env, parseEnv(await envFileText(flags.envFile)));
  for (const pair of flags.env) {
    const at = pair.indexOf('=');
    if (at < 1) {
      // The text may be a key that was given without its name: it is not repeated.
      throw new UserError('usage', {
        message: '--env has no name and value',
        hint: 'write --env NAME=value',
      });
    }
    env[pair.slice(0, at)] = pair.slice(at + 1);
  }
  return env;
}

async function envFileText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UserError('usage', {
      message: `--env-file ${file} cannot be read (${code})`,
      hint: 'check the path',
    });
  }
}

import type { Command } from 'commander';
import { formatTimeLimit } from '../../model/format.ts';
import { ARRIVALS, BURSTINESS, DEFAULT_GRACE_MS, TOKENIZER_NAMES } from '../../model/plan.ts';
import type { Override } from '../../scenario/overrides.ts';
import { type ConnectionFlags, connectionOverrides } from './connection.ts';
import { addEnvOptions, type EnvFlags } from './env.ts';
import { headerOption, MODES } from './request.ts';
import {
  choiceOption,
  collect,
  durationOption,
  numberOption,
  percentOption,
  positiveListOption,
  wholeListOption,
  wholeOption,
  wholeOrDurationOption,
} from './values.ts';

/** The options that override parts of a scenario, as commander delivers them. */
export interface ScenarioFlags extends ConnectionFlags, EnvFlags {
  concurrency?: number[];
  rate?: number[];
  arrivals?: string;
  burstiness?: number;
  maxConcurrency?: number;
  requests?: number;
  duration?: string;
  grace?: string;
  rounds?: number;
  warmup?: number | string;
  rampUp?: string;
  coolDown?: string;
  for?: string;
  mode?: string;
  timeout?: string;
  /** False with `--no-unique`. */
  unique?: boolean;
  keepText?: boolean;
  keepChunks?: boolean;
  keepGoing?: boolean;
  traceparent?: boolean;
  tokenizer?: string;
  header: string[];
  threshold: string[];
  objective: string[];
  regression: string[];
  set: string[];
}

/** The help of `--no-unique`. */
export const UNIQUE_HELP = 'send identical prompts, which a prefix cache can answer';

/** Adds the load options. `per` completes the help of `--requests`. */
export function addLoadOptions(command: Command, per = 'per cell, over all rounds'): void {
  command
    .optionsGroup('Load:')
    .addOption(
      wholeListOption('-c, --concurrency <list>', 'load levels: concurrent streams, such as 4 or 1,4,16', {
        min: 1,
      }),
    )
    .addOption(
      positiveListOption('--rate <list>', 'load levels: requests per second, such as 5 or 5,20 (open loop)'),
    )
    .addOption(
      choiceOption(
        '--arrivals <process>',
        'with --rate: poisson (random intervals), constant, or gamma (with --burstiness)',
        ARRIVALS,
      ),
    )
    .addOption(
      numberOption(
        '--burstiness <shape>',
        'with --rate: gamma intervals; 1 is poisson, smaller is burstier',
        BURSTINESS,
      ),
    )
    .addOption(
      wholeOption('--max-concurrency <count>', 'with --rate: maximum number of concurrent streams', {
        min: 1,
      }),
    )
    .addOption(wholeOption('-n, --requests <count>', `measured requests ${per}`, { min: 1 }))
    .addOption(durationOption('-d, --duration <time>', 'time limit per cell, such as 30s'))
    .addOption(
      durationOption(
        '--grace <time>',
        `with -d: time for the requests in flight when a round is over; then they are cut (default: ${formatTimeLimit(DEFAULT_GRACE_MS)})`,
        { min: 0 },
      ),
    )
    .addOption(durationOption('--for <time>', 'cut endless streams after this time; they count as ok'))
    .addOption(
      wholeOption('--rounds <count>', 'number of rounds; every round measures every cell', { min: 1 }),
    )
    .addOption(
      wholeOrDurationOption(
        '--warmup <count|time>',
        'unmeasured requests before the first round of each cell; or time at full load before each round',
      ),
    )
    .addOption(durationOption('--ramp-up <time>', 'unmeasured time in which the load rises to its level'))
    .addOption(durationOption('--cool-down <time>', 'with -d: unmeasured time at full load after each round'))
    .addOption(choiceOption('--mode <mode>', 'streaming, non-streaming or both', MODES))
    .addOption(durationOption('-t, --timeout <time>', 'total time limit per request, such as 90s'))
    .option('--no-unique', UNIQUE_HELP)
    .option('--keep-going', 'continue when every request to a target fails (default: stop after 5)');
}

/** The help of `--regression`. */
export const REGRESSION_HELP =
  'figure to compare with the baseline, such as "ttft.p50: 10%", most important first; repeatable';

/** Adds the options of commands that compare a run with a baseline. */
export function addHistoryOptions(command: Command): void {
  command
    .addOption(
      percentOption(
        '--assumed-spread <percent>',
        'standard deviation between runs while fewer than 5 are accepted (default: 5%)',
      ),
    )
    .option('--any-machine', 'also compare with runs from other kinds of machines');
}

/** Adds the options for thresholds and objectives. */
export function addGateOptions(command: Command): void {
  command
    .optionsGroup('Gates (what decides the exit code):')
    .option(
      '--threshold <condition>',
      'fail unless this holds, such as "ttft.p95 < 800ms"; repeatable',
      collect,
      [],
    )
    .option(
      '--objective <condition>',
      'limit for each request, such as "ttft < 500ms"; goodput counts those that meet it; repeatable',
      collect,
      [],
    )
    .option('--regression <check>', REGRESSION_HELP, collect, []);
}

/** Adds the options that override any other part of a scenario. */
export function addScenarioOptions(command: Command): void {
  command
    .optionsGroup('Scenario:')
    .addOption(headerOption())
    .addOption(
      choiceOption(
        '--tokenizer <name>',
        'count tokens locally when the provider reports no usage: o200k or none',
        ['none', ...TOKENIZER_NAMES],
      ),
    );
  addEnvOptions(command);
  command.option(
    '--set <path=value>',
    'set any field of the scenario, such as load.rounds=3; repeatable',
    collect,
    [],
  );
}

/** The scenario overrides of the options; `--set` comes last. */
export async function scenarioOverrides(flags: ScenarioFlags): Promise<Override[]> {
  const overrides: Override[] = [];
  const add = (path: string, value: unknown, from: string) => {
    if (value !== undefined) overrides.push({ path, value, from });
  };
  const remove = (keys: readonly string[], from: string) => {
    for (const key of keys) overrides.push({ path: `load.${key}`, value: undefined, from });
  };
  // A flag for one kind of load level replaces the other kinds in the scenario.
  if (flags.rate !== undefined) remove(['concurrency', 'stages'], '--rate');
  else if (flags.concurrency !== undefined)
    remove(['rate', 'arrivals', 'burstiness', 'maxConcurrency', 'stages'], '--concurrency');
  add('load.concurrency', flags.concurrency, '--concurrency');
  add('load.rate', flags.rate, '--rate');
  add('load.arrivals', flags.arrivals, '--arrivals');
  add('load.burstiness', flags.burstiness, '--burstiness');
  add('load.maxConcurrency', flags.maxConcurrency, '--max-concurrency');
  add('load.requests', flags.requests, '--requests');
  add('load.duration', flags.duration, '--duration');
  add('load.grace', flags.grace, '--grace');
  add('load.rampUp', flags.rampUp, '--ramp-up');
  add('load.coolDown', flags.coolDown, '--cool-down');
  add('for', flags.for, '--for');
  add('load.rounds', flags.rounds, '--rounds');
  add('load.warmup', flags.warmup, '--warmup');
  add('modes', flags.mode === undefined ? undefined : modeList(flags.mode), '--mode');
  add('timeouts.total', flags.timeout, '--timeout');
  if (flags.unique === false) {
    add('unique', false, '--no-unique');
    overrides.push({ path: 'prompts.*.unique', value: undefined, from: '--no-unique' });
  }
  for (const condition of flags.threshold) add('thresholds.+', condition, `--threshold ${condition}`);
  for (const condition of flags.objective) add('objectives.+', condition, `--objective ${condition}`);
  add('regressions', flags.regression?.length ? flags.regression : undefined, '--regression');
  add('keepGoing', flags.keepGoing, '--keep-going');
  add('keepText', flags.keepText, '--keep-text');
  add('keepChunks', flags.keepChunks, '--keep-chunks');
  add('traceparent', flags.traceparent, '--traceparent');
  add('tokenizer', flags.tokenizer, '--tokenizer');
  overrides.push(...connectionOverrides(flags));
  if (flags.header.length > 0) {
    const { readHeaders } = await import('../../scenario/from-flags.ts');
    for (const [name, value] of Object.entries(readHeaders(flags.header) ?? {})) {
      add(`targets.*.headers."${name}"`, value, `--header ${name}`);
    }
  }
  if (flags.set.length === 0) return overrides;
  const { parseOverride } = await import('../../scenario/overrides.ts');
  return [...overrides, ...flags.set.map(parseOverride)];
}

/** The modes of a value of `--mode`. */
export function modeList(mode: string): string[] {
  return mode === 'both' ? ['streaming', 'non-streaming'] : [mode];
}

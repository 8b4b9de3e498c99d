import type { Command, Option } from 'commander';
import { monotonicClock } from '../../model/clock.ts';
import { UserError } from '../../model/errors.ts';
import { unixTime } from '../../model/unix-time.ts';
import type { RunSettings } from '../run-scenarios.ts';
import { addHistoryOptions } from './scenario.ts';
import { textOption, wholeOrWordOption } from './values.ts';

/** The options of `run` and `ab` that do not change the scenario. */

/** Adds the options for baselines and early stop, to the group of the gates. `sides`: what early stop compares. */
export function addRunGateOptions(command: Command, sides: string): void {
  addBaselineOptions(command);
  command.option(
    '--until-decided',
    `stop after the round that decides whether ${sides}; --rounds is the maximum`,
  );
  addHistoryOptions(command);
}

/** Adds the options of the regression check of a run and of its history. */
export function addBaselineOptions(command: Command): void {
  command
    .option(
      '--baseline <name>',
      'regression check against this baseline (name or run folder): exit 4 on a regression, 5 if not comparable',
    )
    .option(
      '--save-baseline <name>',
      'add this run to the history of a baseline, unless it regressed or failed',
    )
    .option('--accept', 'with --save-baseline: add the run although it regressed or failed')
    .option(
      '--strict',
      'also fail on an invalid measurement (exit 6) or an inconclusive regression check (exit 5)',
    );
}

/** Adds the options for measurement and output. */
export function addMeasurementOptions(command: Command, { resume }: { resume: boolean }): void {
  command
    .optionsGroup('Measurement and output:')
    .option('-o, --output <folder>', 'folder for run results', 'results');
  if (resume)
    command.option(
      '--resume [run]',
      'continue an interrupted run, by its folder or id (default: the latest run)',
    );
  command
    .option('--json', 'print the report as JSON instead of tables')
    .option('--html <file>', 'also write the report as a page with charts')
    .option('--open', 'open the page in the browser (default: report.html in the run folder)')
    .option('--keep-text', 'store the answer texts in the records')
    .option('--keep-chunks', 'store the arrival time of every chunk in the records')
    .addOption(
      wholeOrWordOption('--workers <count>', 'number of measuring threads, or auto', 'auto', {
        min: 1,
        max: 64,
      }).default('auto'),
    )
    .option('--calibrate', "first measure the client's noise floor at each concurrency")
    .option('--dry-run', 'print the plan and send nothing');
}

/** What `runScenarios` takes of these options. */
export type RunOptionFlags = Omit<RunSettings, 'resume' | 'shard' | 'startAt'>;

/** The options for a run on several machines, as commander delivers them. */
export interface ShardFlags {
  shard?: string;
  startAt?: string;
}

const SHARD_TEXT = /^(\d+|auto)\/\d+$|^auto$/;

/** Adds the options for a run on several machines. */
export function addShardOptions(command: Command): void {
  command
    .optionsGroup('Several machines (see merge, k8s and slurm):')
    .addOption(
      textOption(
        '--shard <i/n>',
        'measure part i of n, counted from 1; auto or auto/n: the part whose number a scheduler gave this task',
        (text) => SHARD_TEXT.test(text),
        'NUMBER/COUNT such as 2/4, auto, or auto/COUNT',
      ),
    )
    .addOption(startAtOption());
}

/** The option for the time at which all shards start. */
export function startAtOption(): Option {
  return textOption(
    '--start-at <time>',
    'send nothing before this time: ISO 8601 with a time zone, or Unix time; at most 10 s ago',
    (text) => unixTime(text) !== undefined,
    'a time with its time zone such as 2026-11-21T14:00:00Z, or Unix time in seconds',
  );
}

/**
 * The shard and the start time of the flags. Throws a `UserError` (`usage`), also for flags that decide something that only the
 * merged run can decide.
 */
export async function shardSettings(
  { shard, startAt }: ShardFlags,
  flags: DecidingFlags,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Pick<RunSettings, 'shard' | 'startAt'>> {
  if (shard === undefined && startAt === undefined) return {};
  const [{ chosenShard }, { startTime }] = await Promise.all([
    import('../../bench/machines/scheduler.ts'),
    import('../../bench/machines/start-at.ts'),
  ]);
  if (shard !== undefined) refuseWithShard(flags);
  if (startAt !== undefined && flags.resume !== undefined) {
    throw new UserError('usage', {
      message: '--start-at cannot be combined with --resume',
      hint: 'a continued run starts at once',
    });
  }
  return {
    shard: shard === undefined ? undefined : chosenShard(shard, env),
    startAt: startAt === undefined ? undefined : startTime(startAt, monotonicClock.wallTime()),
  };
}

type DecidingFlags = { [Name in keyof typeof NOT_WITH_SHARD]?: unknown };

/** Flags that a shard cannot have, and what to do instead. */
const NOT_WITH_SHARD = {
  resume: 'run all shards again: the others have ended, so the load would be lower than planned',
  baseline: 'compare the merged run: streambench merge RUN... --baseline NAME',
  saveBaseline: 'store the merged run: streambench merge RUN... --save-baseline NAME',
  untilDecided: 'a shard does not know the figures of the others: use a fixed number of rounds',
} as const;

function refuseWithShard(flags: DecidingFlags): void {
  for (const [name, hint] of Object.entries(NOT_WITH_SHARD)) {
    if (flags[name as keyof typeof NOT_WITH_SHARD] === undefined) continue;
    const written = name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new UserError('usage', { message: `--shard cannot be combined with --${written}`, hint });
  }
}

import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../../model/errors.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { Override } from '../../scenario/overrides.ts';
import { parseDuration } from '../../scenario/size-and-duration.ts';
import type { CliSession } from '../cli-session.ts';
import { type ConnectionFlags, connectionOverrides } from './connection.ts';
import { addEnvOptions, type EnvFlags, envOf } from './env.ts';
import { addRequestOptions, headerOption, MODES, type RequestFlags } from './request.ts';
import { UNIQUE_HELP } from './scenario.ts';
import { choiceOption, collect, durationOption, wholeOption } from './values.ts';

/** The options of the commands that send single requests to one target, as commander delivers them. */
export interface OneRequestFlags extends RequestFlags, ConnectionFlags, EnvFlags {
  provider?: string;
  model?: string;
  mode: string;
  requests: number;
  /** False with `--no-unique`. */
  unique: boolean;
  for?: string;
  timeout?: string;
  set: string[];
}

/** Default of `--for` for a stream that may never end, in ms. */
const WATCH_MS = 30_000;

/** Adds the options for the target and its request. */
export function addTargetOptions(command: Command): void {
  command
    .optionsGroup('Request:')
    .option('--provider <name>', 'provider (see `streambench providers`)')
    .option('--model <name>', 'model name');
  addRequestOptions(command);
  command
    .addOption(headerOption())
    .option('--no-unique', UNIQUE_HELP)
    .addOption(durationOption('-t, --timeout <time>', 'total time limit per request, such as 90s'));
}

/** Adds the options for the mode and the number of requests. */
export function addCountOptions(command: Command): void {
  command
    .addOption(
      choiceOption(
        '--mode <mode>',
        'streaming, non-streaming or both; both also times the whole answer',
        MODES,
      ).default('streaming'),
    )
    .addOption(
      wholeOption(
        '-n, --requests <count>',
        'sequential requests; the first opens the connection, the others reuse it',
        {
          min: 1,
          max: 1000,
        },
      ).default(1),
    );
}

/** Adds the option for the length of a stream. */
export function addForOption(command: Command): void {
  command.addOption(
    durationOption(
      '--for <time>',
      'stop the stream after this time (default: 30s for a plain endpoint, which may never end)',
    ),
  );
}

/** Adds the options for the environment and for scenario fields. */
export function addFieldOptions(command: Command): void {
  addEnvOptions(command);
  command.option(
    '--set <path=value>',
    'set any scenario field, such as targets.0.extra.seed=3; repeatable',
    collect,
    [],
  );
}

/** How long a stream is read, in ms; undefined: to its end. */
export function streamLimitMs(flags: { for?: string }, endless: boolean): number | undefined {
  return flags.for === undefined ? (endless ? WATCH_MS : undefined) : parseDuration(flags.for);
}

/**
 * Runs `work` with a signal that the first Ctrl-C aborts. A second one ends the program. `interrupted` is the exit code of
 * the signal; undefined without one.
 */
export async function interruptible(
  work: (stop: AbortSignal, interrupted: () => ExitCode | undefined) => Promise<void>,
): Promise<void> {
  const interrupt = new AbortController();
  let code: ExitCode | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    // A second signal ends the program without a report.
    if (code !== undefined) process.exit(code);
    code = name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
    interrupt.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    await work(interrupt.signal, () => code);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** The target of one request. */
export interface TargetChoice {
  loaded: LoadedScenario;
  /** The dialect was derived from the URL. */
  guessed: boolean;
  /** The method was derived from the dialect. */
  methodGuessed: boolean;
  /** The stream may never end. */
  endless: boolean;
}

/** Loads and checks the target in the same way as a run without a scenario file. */
export async function chooseTarget(
  address: string | undefined,
  flags: OneRequestFlags,
  session: CliSession,
): Promise<TargetChoice> {
  const { dialectOf } = await import('../../bench/probe/probe.ts');
  const { assumeHttp, loadFromFlags } = await import('../../scenario/from-flags.ts');
  const { provider, prompt, body } = flags;
  const url = address === undefined ? undefined : assumeHttp(address);
  const guessed = url !== undefined && provider === undefined && flags.dialect === undefined;
  const dialect = guessed ? dialectOf(url, flags.model) : flags.dialect;
  const plain = dialect !== undefined && isPlainDialect(dialect);
  const asked = prompt !== undefined || body !== undefined;
  const methodGuessed = plain && !asked && flags.method === undefined;
  const named = url === undefined && provider === undefined ? 'simulator' : provider;
  if (named !== provider) session.say('no URL and no --provider given: using the embedded simulator');
  const env = await envOf(flags, session.env);
  const method = methodGuessed ? 'GET' : flags.method;
  const loaded = loadFromFlags(
    { ...flags, requests: undefined, target: url, provider: named, dialect, method },
    { env, overrides: await overridesOf(flags) },
  );
  return { loaded, guessed, methodGuessed, endless: plain && provider === undefined && !asked };
}

/** The scenario overrides of the options. */
export async function overridesOf(flags: OneRequestFlags): Promise<Override[]> {
  const { parseOverride } = await import('../../scenario/overrides.ts');
  const timeout =
    flags.timeout === undefined ? [] : [{ path: 'timeouts.total', value: flags.timeout, from: '--timeout' }];
  const unique = flags.unique ? [] : [{ path: 'unique', value: false, from: '--no-unique' }];
  return [...timeout, ...unique, ...connectionOverrides(flags), ...flags.set.map(parseOverride)];
}

import { LENGTH_FACTOR, LENGTH_REQUESTS } from '../../analysis/streaming/verdict-limits.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { ProbeReport } from '../../report/probe-report.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { Override } from '../../scenario/overrides.ts';
import { parseDuration } from '../../scenario/size-and-duration.ts';
import type { AddCommand, Session } from '../cli-session.ts';
import { addConnectionOptions, type ConnectionFlags, connectionOverrides } from '../flags/connection.ts';
import { addEnvOptions, type EnvFlags, envOf } from '../flags/env.ts';
import { addRequestOptions, headerOption, MODES, type RequestFlags } from '../flags/request.ts';
import { UNIQUE_HELP } from '../flags/scenario.ts';
import { choiceOption, collect, durationOption, wholeListOption, wholeOption } from '../flags/values.ts';

interface ProbeFlags extends RequestFlags, ConnectionFlags, EnvFlags {
  provider?: string;
  model?: string;
  mode: string;
  header: string[];
  requests: number;
  lengths?: number[];
  /** False with `--no-unique`. */
  unique: boolean;
  for?: string;
  timeout?: string;
  set: string[];
  json?: boolean;
}

/** How long a stream that may have no end is watched, where nothing else is said. */
const WATCH_MS = 30_000;

export const probeCommand: AddCommand = (root, open) => {
  const command = root
    .command('probe')
    .description('look into one request: where its time went, how its stream arrived, what its headers say')
    .argument('[url]', 'any endpoint that streams, or an API (default: the embedded simulator)')
    .option('--provider <name>', 'a provider known by name (see `streambench providers`)')
    .option('--model <name>', 'the model');
  addRequestOptions(command);
  command
    .addOption(headerOption())
    .addOption(
      choiceOption(
        '--mode <mode>',
        'streaming, non-streaming, or both: the second says how soon the whole answer is',
        MODES,
      ).default('streaming'),
    )
    .addOption(
      wholeOption('-n, --requests <count>', 'requests, one after the other: one cold, the rest warm', {
        min: 1,
        max: 1000,
      }).default(1),
    )
    .addOption(
      wholeListOption(
        '--lengths <tokens>',
        'compare answers of these lengths, such as 16,256: -n requests for each tell whether longer ones begin later',
        { min: 1 },
      ),
    )
    .addOption(
      durationOption(
        '--for <time>',
        'end the stream after this long (default: 30s without a dialect or provider)',
      ),
    )
    .addOption(durationOption('-t, --timeout <time>', 'total time limit of a request, such as 90s'));
  addEnvOptions(command);
  command
    .option(
      '--set <path=value>',
      'any field of a scenario, such as targets.0.extra.seed=3; may be repeated',
      collect,
      [],
    )
    .option('--no-unique', UNIQUE_HELP)
    .option('--json', 'print what was found as one JSON document');
  addConnectionOptions(command);
  command.action((url: string | undefined, flags: ProbeFlags) => probe(url, flags, open()));
};

async function probe(url: string | undefined, flags: ProbeFlags, session: Session): Promise<void> {
  const { requests, lengths } = flags;
  checkLengths(lengths, requests);
  const { loaded, guessed, methodGuessed, endless } = await target(url, flags, session);
  session.hide(loaded.secrets);
  const forMs = flags.for === undefined ? (endless ? WATCH_MS : undefined) : parseDuration(flags.for);

  const interrupt = new AbortController();
  let signal: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    // The second time the person does not want to wait for a drawing.
    if (signal !== undefined) process.exit(name === 'SIGINT' ? EXIT.interrupted : EXIT.terminated);
    signal = name;
    interrupt.abort();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  const progress = await createProgress(session, requests);
  try {
    const { probe: probeTarget } = await import('../../bench/probe/probe.ts');
    const report = await probeTarget(loaded, {
      requests,
      lengths,
      guessed,
      methodGuessed,
      signal: interrupt.signal,
      forMs,
      onRequest: (number) => progress.request(number),
    });
    progress.end();
    await print(report, flags.json === true, session);
    session.exitCode = await exitCode(report, signal);
  } finally {
    progress.end();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function checkLengths(lengths: readonly number[] | undefined, requests: number): void {
  if (lengths === undefined) return;
  const [short, long] = [Math.min(...lengths), Math.max(...lengths)];
  if (long < LENGTH_FACTOR * short) {
    throw new UserError('usage', {
      message: `--lengths: expected two lengths of which one is at least ${LENGTH_FACTOR} times the other`,
      hint: 'for example --lengths 16,256',
    });
  }
  if (requests < LENGTH_REQUESTS) {
    throw new UserError('usage', {
      message: `--lengths needs at least ${LENGTH_REQUESTS} requests for each length`,
      hint: `add -n ${LENGTH_REQUESTS}, or more where the waits differ much from request to request`,
    });
  }
}

interface Chosen {
  loaded: LoadedScenario;
  /** The dialect was concluded from the URL. */
  guessed: boolean;
  /** The method was concluded from the dialect. */
  methodGuessed: boolean;
  /** Nothing says that the stream has an end. */
  endless: boolean;
}

/** A probe's target is read and checked as that of a run without a scenario file. */
async function target(address: string | undefined, flags: ProbeFlags, session: Session): Promise<Chosen> {
  const { dialectOf } = await import('../../bench/probe/probe.ts');
  const { assumeHttp, loadFromFlags } = await import('../../scenario/from-flags.ts');
  const { provider, prompt, body } = flags;
  const url = address === undefined ? undefined : assumeHttp(address);
  const guessed = url !== undefined && provider === undefined && flags.dialect === undefined;
  const dialect = guessed ? dialectOf(url) : flags.dialect;
  const plain = dialect !== undefined && isPlainDialect(dialect);
  const asked = prompt !== undefined || body !== undefined;
  const methodGuessed = plain && !asked && flags.method === undefined;
  const named = url === undefined && provider === undefined ? 'simulator' : provider;
  if (named !== provider) session.say('no URL and no --provider: probing the embedded simulator');
  const env = await envOf(flags, session.env);
  const method = methodGuessed ? 'GET' : flags.method;
  const loaded = loadFromFlags(
    { ...flags, requests: undefined, target: url, provider: named, dialect, method },
    { env, overrides: await overridesOf(flags) },
  );
  return { loaded, guessed, methodGuessed, endless: plain && provider === undefined && !asked };
}

async function overridesOf(flags: ProbeFlags): Promise<Override[]> {
  const { parseOverride } = await import('../../scenario/overrides.ts');
  const timeout =
    flags.timeout === undefined ? [] : [{ path: 'timeouts.total', value: flags.timeout, from: '--timeout' }];
  const unique = flags.unique ? [] : [{ path: 'unique', value: false, from: '--no-unique' }];
  return [...timeout, ...unique, ...connectionOverrides(flags), ...flags.set.map(parseOverride)];
}

interface Progress {
  request(number: number): void;
  end(): void;
}

/** A spinner where someone watches; in a log a probe says nothing but its result. */
async function createProgress({ stderr, quiet }: Session, requests: number): Promise<Progress> {
  if (quiet || !stderr.isTTY) return { request() {}, end() {} };
  const { default: ora } = await import('ora');
  const frames = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'];
  const spinner = ora({ stream: stderr, spinner: { interval: 200, frames }, discardStdin: false });
  return {
    request(number) {
      const which = requests === 1 ? 'probing' : `probing, request ${number} of ${requests}`;
      spinner.start(`${which} (Ctrl-C ends it and shows what came)`);
    },
    end: () => void spinner.stop(),
  };
}

async function print(report: ProbeReport, json: boolean, session: Session): Promise<void> {
  if (json) {
    const { probeJson } = await import('../../report/probe-report.ts');
    session.print(probeJson(report));
    return;
  }
  const { probeView } = await import('../../report/terminal/probe-view.ts');
  const ascii = session.env.TERM === 'dumb';
  session.print(probeView(report, { width: session.width, color: session.color.stdout, ascii }));
}

async function exitCode({ requests }: ProbeReport, signal: NodeJS.Signals | undefined) {
  if (signal !== undefined) return signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  const { succeeded } = await import('../../report/probe-report.ts');
  return requests.some(succeeded) ? EXIT.ok : EXIT.unreachable;
}

import { LENGTH_FACTOR, LENGTH_REQUESTS } from '../../analysis/streaming/verdict-limits.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { isPlainDialect } from '../../model/plan.ts';
import type { ProbeReport } from '../../report/probe-report.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { Override } from '../../scenario/overrides.ts';
import { parseDuration } from '../../scenario/size-and-duration.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addConnectionOptions, type ConnectionFlags, connectionOverrides } from '../flags/connection.ts';
import { addEnvOptions, type EnvFlags, envOf } from '../flags/env.ts';
import { addRequestOptions, headerOption, MODES, type RequestFlags } from '../flags/request.ts';
import { UNIQUE_HELP } from '../flags/scenario.ts';
import { choiceOption, collect, durationOption, wholeListOption, wholeOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';

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

/** Default of `--for` for a stream that may never end, in ms. */
const WATCH_MS = 30_000;

export const probeCommand: AddCommand = (root, open) => {
  const command = root
    .command('probe')
    .description('examine one request: its timing, its stream and its response headers')
    .argument('[url]', 'streaming endpoint, or base URL of an API (default: the embedded simulator)');
  command
    .optionsGroup('Request:')
    .option('--provider <name>', 'provider (see `streambench providers`)')
    .option('--model <name>', 'model name');
  addRequestOptions(command);
  command
    .addOption(headerOption())
    .option('--no-unique', UNIQUE_HELP)
    .addOption(durationOption('-t, --timeout <time>', 'total time limit per request, such as 90s'))
    .optionsGroup('Measurement:')
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
    )
    .addOption(
      wholeListOption(
        '--lengths <tokens>',
        'answer lengths to compare, such as 16,256, with -n requests each: does a longer answer start later?',
        { min: 1 },
      ),
    )
    .addOption(
      durationOption(
        '--for <time>',
        'stop the stream after this time (default: 30s for a plain endpoint, which may never end)',
      ),
    );
  addConnectionOptions(command);
  command.optionsGroup('Scenario and output:');
  addEnvOptions(command);
  command
    .option(
      '--set <path=value>',
      'set any scenario field, such as targets.0.extra.seed=3; repeatable',
      collect,
      [],
    )
    .option('--json', 'print the results as JSON')
    .action((url: string | undefined, flags: ProbeFlags) => probe(url, flags, open()));
  addExamples(
    command,
    { words: 'probe', does: 'the embedded simulator' },
    {
      words: 'probe https://api.example.com/chat/stream -H "authorization: Bearer KEY"',
      does: 'any SSE endpoint',
    },
    {
      words: 'probe --provider openai --model gpt-4.1-mini -n 5 --mode both',
      does: 'compare with the whole answer',
    },
  );
};

async function probe(url: string | undefined, flags: ProbeFlags, session: CliSession): Promise<void> {
  const { requests, lengths } = flags;
  checkLengths(lengths, requests);
  const { loaded, guessed, methodGuessed, endless } = await chooseTarget(url, flags, session);
  session.hide(loaded.secrets);
  const forMs = flags.for === undefined ? (endless ? WATCH_MS : undefined) : parseDuration(flags.for);

  const interrupt = new AbortController();
  let signal: NodeJS.Signals | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    // A second signal ends the program without a report.
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
      message: `--lengths: one length must be at least ${LENGTH_FACTOR} times another`,
      hint: 'such as --lengths 16,256',
    });
  }
  if (requests < LENGTH_REQUESTS) {
    throw new UserError('usage', {
      message: `--lengths needs at least ${LENGTH_REQUESTS} requests per length`,
      hint: `add -n ${LENGTH_REQUESTS}, or more if TTFT varies much between requests`,
    });
  }
}

interface ProbeTargetChoice {
  loaded: LoadedScenario;
  /** The dialect was derived from the URL. */
  guessed: boolean;
  /** The method was derived from the dialect. */
  methodGuessed: boolean;
  /** The stream may never end. */
  endless: boolean;
}

/** Loads and checks the target in the same way as a run without a scenario file. */
async function chooseTarget(
  address: string | undefined,
  flags: ProbeFlags,
  session: CliSession,
): Promise<ProbeTargetChoice> {
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
  if (named !== provider) session.say('no URL and no --provider given: probing the embedded simulator');
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

interface ProbeProgress {
  request(number: number): void;
  end(): void;
}

/** A spinner on a terminal; nothing in a log. */
async function createProgress({ stderr, quiet }: CliSession, requests: number): Promise<ProbeProgress> {
  if (quiet || !stderr.isTTY) return { request() {}, end() {} };
  const { default: ora } = await import('ora');
  const frames = ['⠋', '⠙', '⠸', '⠴', '⠦', '⠇'];
  const spinner = ora({ stream: stderr, spinner: { interval: 200, frames }, discardStdin: false });
  return {
    request(number) {
      const which = requests === 1 ? 'probing' : `probing, request ${number} of ${requests}`;
      spinner.start(`${which} (Ctrl-C stops and shows what was received)`);
    },
    end: () => void spinner.stop(),
  };
}

async function print(report: ProbeReport, json: boolean, session: CliSession): Promise<void> {
  if (json) {
    const { probeJson } = await import('../../report/probe-report.ts');
    session.print(probeJson(report));
    return;
  }
  const { probeView } = await import('../../report/terminal/probe-view.ts');
  const { ascii } = session;
  session.print(probeView(report, { width: session.width, color: session.color.stdout, ascii }));
}

async function exitCode({ requests }: ProbeReport, signal: NodeJS.Signals | undefined) {
  if (signal !== undefined) return signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  const { succeeded } = await import('../../report/probe-report.ts');
  return requests.some(succeeded) ? EXIT.ok : EXIT.unreachable;
}

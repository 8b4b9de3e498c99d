import { EXIT, UserError } from '../../model/errors.ts';
import { createRedactor } from '../../model/secrets.ts';
import type { ProbeReport } from '../../report/probe-report.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import type { AddCommand } from '../command.ts';
import {
  addConnectionOptions,
  type ConnectionFlags,
  collect,
  connectionOverrides,
  UNIQUE_HELP,
} from '../scenario-flags.ts';
import type { Session } from '../session.ts';

interface ProbeFlags extends ConnectionFlags {
  provider?: string;
  model?: string;
  dialect?: string;
  prompt?: string;
  maxTokens?: number;
  mode?: string;
  header: string[];
  apiKey?: string;
  method?: string;
  body?: string;
  textPath?: string;
  requests: number;
  /** False with `--no-unique`. */
  unique: boolean;
  for?: string;
  timeout?: string;
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
    .option('--model <name>', 'the model')
    .option('--dialect <name>', "the wire format (default: the provider's, or what the URL looks like)")
    .option('--prompt <text>', 'what to ask')
    .option('--max-tokens <count>', 'upper limit of the answer in tokens', Number)
    .option(
      '--mode <mode>',
      'streaming, non-streaming, or both: the second says how soon the whole answer is',
      'streaming',
    )
    .option('-n, --requests <count>', 'requests, one after the other: one cold, the rest warm', Number, 1)
    .option('--for <time>', 'end the stream after this long (default: 30s without a dialect or provider)')
    .option('-t, --timeout <time>', 'total time limit of a request, such as 90s')
    .option('-H, --header <header>', 'a request header, as "name: value"; may be repeated', collect, [])
    .option('--api-key <key>', "the key (default: the provider's environment variable)")
    .option('--method <method>', 'for plain endpoints: GET or POST')
    .option('--body <text>', 'the request body, or @FILE; {{prompt}} and others stand for what is asked')
    .option('--no-unique', UNIQUE_HELP)
    .option('--text-path <path>', "for plain endpoints: where the text is in an event's JSON")
    .option('--json', 'print what was found as one JSON document');
  addConnectionOptions(command);
  command.action((url: string | undefined, flags: ProbeFlags) => probe(url, flags, open()));
};

async function probe(url: string | undefined, flags: ProbeFlags, session: Session): Promise<void> {
  const { requests } = flags;
  if (!Number.isInteger(requests) || requests < 1 || requests > 1000) {
    throw new UserError('usage', { message: '--requests is not a whole number from 1 to 1000' });
  }
  const { loaded, guessed, endless } = await target(url, flags, session);
  session.hide(createRedactor(loaded.secrets));
  const forMs = await watchTime(flags.for, endless);

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
    const { probe: probeTarget } = await import('../../bench/probe.ts');
    const report = await probeTarget(loaded, {
      requests,
      guessed,
      signal: interrupt.signal,
      ...(forMs === undefined ? {} : { forMs }),
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

interface Chosen {
  loaded: LoadedScenario;
  /** The dialect was concluded from the URL. */
  guessed: boolean;
  /** Nothing says that the stream has an end. */
  endless: boolean;
}

/** A probe's target is read and checked as that of a run without a scenario file. */
async function target(url: string | undefined, flags: ProbeFlags, session: Session): Promise<Chosen> {
  const { dialectOf, isPlainDialect } = await import('../../bench/probe-target.ts');
  const { loadFromFlags } = await import('../../scenario/from-flags.ts');
  const { bodyFlag } = await import('../../scenario/bodies.ts');
  const { provider, prompt, body, mode, header, apiKey, model, maxTokens } = flags;
  const guessed = url !== undefined && provider === undefined && flags.dialect === undefined;
  const dialect = guessed ? dialectOf(url) : flags.dialect;
  const plain = dialect !== undefined && isPlainDialect(dialect);
  const asked = prompt !== undefined || body !== undefined;
  const method = flags.method?.toUpperCase() ?? (plain && !asked ? 'GET' : undefined);
  const overrides = [
    { path: 'targets.0.method', value: method, from: '--method' },
    { path: 'targets.0.body', value: body === undefined ? undefined : bodyFlag(body), from: '--body' },
    { path: 'unique', value: flags.unique ? undefined : false, from: '--no-unique' },
    { path: 'targets.0.textPath', value: flags.textPath, from: '--text-path' },
    { path: 'timeouts.total', value: flags.timeout, from: '--timeout' },
    ...connectionOverrides(flags),
  ].filter(({ value }) => value !== undefined);
  const named = url === undefined && provider === undefined ? 'simulator' : provider;
  if (named !== provider) session.say('no URL and no --provider: probing the embedded simulator');
  const given = {
    ...{ target: url, provider: named, dialect, model, prompt, maxTokens, apiKey, mode },
    ...(header.length === 0 ? {} : { header }),
  };
  const loaded = loadFromFlags(defined(given), { env: session.env, overrides });
  return { loaded, guessed, endless: plain && provider === undefined && !asked };
}

function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

async function watchTime(text: string | undefined, endless: boolean): Promise<number | undefined> {
  if (text === undefined) return endless ? WATCH_MS : undefined;
  const { parseDuration, MAX_DURATION_MS } = await import('../../scenario/duration.ts');
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0 && ms < MAX_DURATION_MS) return ms;
  throw new UserError('usage', {
    message: `--for ${text} is not a duration`,
    hint: 'write it as 10s, 500ms or 2m',
  });
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
  const { probeView } = await import('../../report/probe.ts');
  const ascii = session.env.TERM === 'dumb';
  session.print(probeView(report, { width: session.width, color: session.color.stdout, ascii }));
}

async function exitCode({ requests }: ProbeReport, signal: NodeJS.Signals | undefined) {
  if (signal !== undefined) return signal === 'SIGINT' ? EXIT.interrupted : EXIT.terminated;
  const { succeeded } = await import('../../report/probe-report.ts');
  return requests.some(succeeded) ? EXIT.ok : EXIT.unreachable;
}

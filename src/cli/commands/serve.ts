import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { UserError } from '../../model/errors.ts';
import { suggest } from '../../model/names.ts';
import { createRedactor } from '../../model/secrets.ts';
import type { LogLevel, Service, Strategy, Upstream } from '../../service/index.ts';
import type { AddCommand } from '../command.ts';
import type { Session } from '../session.ts';

interface ServeFlags {
  port: string;
  host: string;
  jwtSecret?: string;
  upstream: string;
  upstreamUrl?: string;
  model?: string;
  allowUpstream: string[];
  db?: string;
  strategy: string;
  everyChars: string;
  checkpoint?: string;
  history: string;
  drain: string;
  stallLimit: string;
  requestTimeout: string;
  maxMessage: string;
  maxBody: string;
  maxAnswer: string;
  maxStreams: string;
  maxUserStreams: string;
  userRate?: string;
  logLevel: string;
}

const SIMULATOR = 'simulator';
const SECRET_VARIABLE = 'STREAMBENCH_JWT_SECRET';
// RFC 7518, 3.2: a key of HS256 is at least as long as its hash.
const MIN_SECRET_BYTES = 32;

/** Adds `serve`: the reference streaming chat service. */
export const serveCommand: AddCommand = (root, open) => {
  root
    .command('serve')
    .description(
      'run the reference streaming chat service: a gateway in front of the simulator or any provider',
    )
    .option('-p, --port <port>', 'the port to listen on; 0 takes a free one', '8090')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--jwt-secret <secret>', `signs the callers' tokens (HS256); better given as ${SECRET_VARIABLE}`)
    .option(
      '--upstream <provider>',
      'the model behind the service: a provider, or the embedded simulator',
      SIMULATOR,
    )
    .option('--upstream-url <url>', "the provider's address, where it is not the usual one")
    .option('--model <name>', 'the model, for callers that name none')
    .option(
      '--allow-upstream <provider[:model]>',
      'a further upstream that playground callers may name; can be repeated',
      (value: string, before: string[]) => [...before, value],
      [],
    )
    .option('--db <file>', 'SQLite file of the message store (default: a temporary one, removed at the end)')
    .option('--strategy <name>', 'when answers are stored: end, every-chunk or every-n-chars', 'end')
    .option('--every-chars <number>', 'the characters of every-n-chars', '200')
    .option('--checkpoint <duration>', 'no text stays unwritten for longer than this, such as 500ms')
    .option('--history <messages>', 'earlier messages of a session that the model is shown', '20')
    .option('--drain <duration>', 'how long streams may go on after the first Ctrl-C or SIGTERM', '10s')
    .option(
      '--stall-limit <duration>',
      'how long a reader may take nothing before its stream is ended',
      '30s',
    )
    .option(
      '--request-timeout <duration>',
      'how long the head, and then the body, of a request may take',
      '30s',
    )
    .option('--max-message <bytes>', 'largest text of one message, in UTF-8', '65536')
    .option('--max-body <bytes>', 'largest body of a request', '1048576')
    .option('--max-answer <bytes>', 'largest text of an answer; a larger one is cut there', '2097152')
    .option('--max-streams <number>', 'answers under way at most', '2000')
    .option('--max-user-streams <number>', 'answers under way for one user (sub of the token)', '1000')
    .option('--user-rate <number>', 'requests of one user in a minute (default: no limit)')
    .option('--log-level <level>', 'silent, error, warn, info or debug; JSON lines on stderr', 'warn')
    .action((flags: ServeFlags, _command: Command) => serve(flags, open()));
};

async function serve(flags: ServeFlags, session: Session): Promise<void> {
  const port = wholeNumber('--port', flags.port, 65_535);
  const strategy = strategyOf(flags);
  const historyMessages = wholeNumber('--history', flags.history, 1_000);
  const drainMs = await duration('--drain', flags.drain);
  const staleMs = Math.max(1, await duration('--stall-limit', flags.stallLimit));
  const requestTimeoutMs = Math.max(1, await duration('--request-timeout', flags.requestTimeout));
  const limits = {
    messageLimitBytes: limit('--max-message', flags.maxMessage),
    bodyLimitBytes: limit('--max-body', flags.maxBody),
    maxAnswerBytes: limit('--max-answer', flags.maxAnswer),
    maxStreams: limit('--max-streams', flags.maxStreams),
    maxStreamsPerUser: limit('--max-user-streams', flags.maxUserStreams),
    requestsPerMinute: flags.userRate === undefined ? undefined : limit('--user-rate', flags.userRate),
  };
  const checkpointMs =
    flags.checkpoint === undefined
      ? undefined
      : Math.max(1, await duration('--checkpoint', flags.checkpoint));
  // Heavy packages, which no other command needs.
  const { createService, createToken, LOG_LEVELS, surviveFaults } = await import('../../service/index.ts');
  const level = oneOf('--log-level', flags.logLevel, LOG_LEVELS) satisfies LogLevel;

  const given = flags.jwtSecret ?? session.env[SECRET_VARIABLE];
  const secret = given || randomBytes(32).toString('base64url');
  const closers: (() => unknown)[] = [];
  try {
    const upstreams = await openUpstreams(flags, session, closers);
    const secrets = upstreams.flatMap((upstream) => upstream.secrets ?? []);
    session.hide(createRedactor([{ name: '[jwt secret]', value: secret }, ...secrets]));
    if (given && Buffer.byteLength(given) < MIN_SECRET_BYTES) {
      session.warn(
        `the secret is shorter than the ${MIN_SECRET_BYTES} bytes that HS256 asks for: it can be guessed`,
      );
    }
    const service = createService({
      secret,
      upstreams,
      strategy,
      historyMessages,
      drainMs,
      staleMs,
      requestTimeoutMs,
      ...limits,
      database: flags.db ?? (await temporaryFile(closers)),
      log: { level, write: (line) => session.warn(line.trimEnd()) },
      ...(checkpointMs === undefined ? {} : { checkpointMs }),
    });
    const { url } = await service.listen(port, flags.host);
    closers.push(surviveFaults(service.reportFault));
    session.print(`${url}\n`);
    introduce(session, url, upstreams, given ? undefined : await createToken(secret));
    await stopped(service, session);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Says what can be done with the service. `token` is one for trying things out, when the secret was made up here. */
function introduce(
  session: Session,
  url: string,
  upstreams: readonly Upstream[],
  token: string | undefined,
): void {
  const names = upstreams.map(({ name, model }) => (model === undefined ? name : `${name} (${model})`));
  session.say(
    `upstream: ${names[0]}${names.length > 1 ? `; in the playground also: ${names.slice(1).join(', ')}` : ''}`,
  );
  if (token === undefined) {
    session.say(`callers need a token (JWT, HS256) that was signed with your secret:\n  TOKEN=...`);
  } else {
    session.say(`no secret was given, so one was made up; this token is good for a day:\n  TOKEN=${token}`);
    session.say(`in a browser: ${url}/#token=${token}`);
  }
  const post = `curl -N -H "authorization: Bearer $TOKEN" -H 'content-type: application/json'`;
  const example = (path: string, body: object) => `  ${post} -d '${JSON.stringify(body)}' ${url}${path}`;
  session.say('try it:');
  session.say(example('/chat/stream', { message: 'Hello', session_id: 'first' }));
  session.say(example('/api/v1/conversations/c1/stream', { message: 'Hello' }));
  session.say(example('/api/v1/agents/a1/chat/lumosai/stream', { message: 'What is (2 + 3) * 4?' }));
  session.say(example('/api/v1/agents/a1/chat/lumosai/stream', { message: 'Hello', mode: 'legacy' }));
  session.say(example('/api/projects/p1/playground/chat/stream/', { message: 'Hello' }));
  session.say(`  curl -H "authorization: Bearer $TOKEN" ${url}/sessions/first/messages`);
  session.say(`  curl ${url}/metrics ; curl ${url}/api/v1/health/stream`);
  session.say('Ctrl-C ends it');
}

/** Waits for the end: the first signal lets streams finish, the second stops them. */
async function stopped(service: Service, session: Session): Promise<void> {
  let closing: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    const onSignal = (signal: NodeJS.Signals) => {
      if (closing === undefined) session.say(`${signal}: letting streams end; once more to stop them`);
      closing = service.close(closing === undefined ? undefined : 0);
      closing.then(resolve, reject);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

async function openUpstreams(
  flags: ServeFlags,
  session: Session,
  closers: (() => unknown)[],
): Promise<Upstream[]> {
  const wanted = [
    { provider: flags.upstream, model: flags.model, url: flags.upstreamUrl },
    ...flags.allowUpstream.map((text) => {
      // A model's name may hold colons of its own (llama3:8b).
      const [provider = '', ...model] = text.split(':');
      return { provider, model: model.length > 0 ? model.join(':') : undefined, url: undefined };
    }),
  ];
  let simulatorUrl: string | undefined;
  const upstreams = new Map<string, Upstream>();
  for (const { provider, model, url } of wanted) {
    if (provider === SIMULATOR && url === undefined) simulatorUrl ??= await startSimulator(closers);
    const at = url ?? (provider === SIMULATOR ? `${simulatorUrl}/v1` : undefined);
    const before = upstreams.get(provider);
    if (before !== undefined && model !== undefined) {
      // The same provider again: one more of its models.
      upstreams.set(provider, { ...before, models: [...(before.models ?? []), model] });
      continue;
    }
    const upstream = await connect(provider, model, at, session);
    upstreams.set(provider, upstream);
    closers.push(() => upstream.client.close());
  }
  return [...upstreams.values()];
}

async function connect(
  name: string,
  model: string | undefined,
  url: string | undefined,
  session: Session,
): Promise<Upstream> {
  const { createClient } = await import('../../client/client.ts');
  const { provider } = await import('../../wire/providers.ts');
  const row = provider(name);
  const key = row.keyVariable === undefined ? undefined : session.env[row.keyVariable];
  if (!key && url === undefined && row.auth !== 'none' && row.keyVariable !== undefined) {
    throw new UserError('key_missing', {
      message: `the upstream ${name} needs a key: ${row.keyVariable} is not set`,
      hint: `set ${row.keyVariable}, or give --upstream-url for a server that needs none`,
    });
  }
  const client = createClient({
    provider: name,
    ...(key ? { apiKey: key } : {}),
    ...(url === undefined ? {} : { baseUrl: url }),
    ...(model === undefined ? {} : { model }),
  });
  const upstream: Upstream = {
    name,
    client,
    ...(model === undefined ? {} : { model }),
    // A named model is a choice of the operator's; the simulator has no bill.
    ...(model === undefined || name === SIMULATOR ? {} : { models: [model] }),
    ...(key ? { secrets: [{ name: `[${row.keyVariable}]`, value: key }] } : {}),
    ...(row.dialect === 'openai-chat' && name !== SIMULATOR ? { offerTools: 'openai' as const } : {}),
  };
  return upstream;
}

async function startSimulator(closers: (() => unknown)[]): Promise<string> {
  const { startEmbeddedSimulator } = await import('../../simulator/index.ts');
  const simulator = await startEmbeddedSimulator();
  closers.push(() => simulator.close());
  return simulator.url;
}

async function temporaryFile(closers: (() => unknown)[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'streambench-serve-'));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'messages.db');
}

function strategyOf({ strategy, everyChars }: ServeFlags): Strategy {
  const kind = oneOf('--strategy', strategy, ['end', 'every-chunk', 'every-n-chars'] as const);
  return kind === 'every-n-chars'
    ? { kind, chars: Math.max(1, wholeNumber('--every-chars', everyChars, 1_000_000)) }
    : { kind };
}

async function duration(flag: string, text: string): Promise<number> {
  const { parseDuration } = await import('../../scenario/duration.ts');
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new UserError('usage', {
    message: `${flag} ${text} is not a duration`,
    hint: 'such as 500ms, 10s or 1m30s',
  });
}

function oneOf<T extends string>(flag: string, text: string, names: readonly T[]): T {
  const found = names.find((name) => name === text);
  if (found !== undefined) return found;
  throw new UserError('usage', { message: `${flag} ${text} is not known`, hint: suggest(text, names) });
}

function limit(flag: string, text: string): number {
  return wholeNumber(flag, text, 1_000_000_000, 1);
}

function wholeNumber(flag: string, text: string, max: number, min = 0): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UserError('usage', { message: `${flag} ${text} is not a whole number from ${min} to ${max}` });
}

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../model/errors.ts';
import { parseDuration } from '../../scenario/size-and-duration.ts';
import type { Service, Strategy, Upstream } from '../../service/index.ts';
import type { AddCommand, Session } from '../cli-session.ts';
import { addServeOptions, SECRET_VARIABLE, type ServeFlags, SIMULATOR } from '../flags/serve.ts';

// RFC 7518, 3.2: a key of HS256 is at least as long as its hash.
const MIN_SECRET_BYTES = 32;

/** Adds `serve`: the reference streaming chat service. */
export const serveCommand: AddCommand = (root, open) => {
  const command = root
    .command('serve')
    .description(
      'run the reference streaming chat service: a gateway in front of the simulator or any provider',
    );
  addServeOptions(command);
  command.action((flags: ServeFlags) => serve(flags, open()));
};

async function serve(flags: ServeFlags, session: Session): Promise<void> {
  const { checkpoint } = flags;
  const limits = {
    drainMs: parseDuration(flags.drain)!,
    staleMs: parseDuration(flags.stallLimit)!,
    requestTimeoutMs: parseDuration(flags.requestTimeout)!,
    messageLimitBytes: flags.maxMessage,
    bodyLimitBytes: flags.maxBody,
    maxAnswerBytes: flags.maxAnswer,
    maxStreams: flags.maxStreams,
    maxStreamsPerUser: flags.maxUserStreams,
    requestsPerMinute: flags.userRate,
    ...(checkpoint === undefined ? {} : { checkpointMs: parseDuration(checkpoint)! }),
  };
  // Heavy packages, which no other command needs.
  const { createService, createToken, surviveFaults } = await import('../../service/index.ts');

  const given = flags.jwtSecret ?? session.env[SECRET_VARIABLE];
  const secret = given || randomBytes(32).toString('base64url');
  const closers: (() => unknown)[] = [];
  try {
    const upstreams = await openUpstreams(flags, session, closers);
    const secrets = upstreams.flatMap((upstream) => upstream.secrets ?? []);
    session.hide([{ name: '[jwt secret]', value: secret }, ...secrets]);
    if (given && Buffer.byteLength(given) < MIN_SECRET_BYTES) {
      session.warn(
        `the secret is shorter than the ${MIN_SECRET_BYTES} bytes that HS256 asks for: it can be guessed`,
      );
    }
    const service = createService({
      secret,
      upstreams,
      strategy: strategyOf(flags),
      historyMessages: flags.history,
      ...limits,
      database: flags.db ?? (await temporaryFile(closers)),
      log: { level: flags.logLevel, write: (line) => session.warn(line.trimEnd()) },
    });
    const { url } = await service.listen(flags.port, flags.host);
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
    baseUrl: url,
    model,
  });
  const upstream: Upstream = {
    name,
    client,
    model,
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
  return strategy === 'every-n-chars' ? { kind: strategy, chars: everyChars } : { kind: strategy };
}

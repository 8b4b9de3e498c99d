import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '../../model/errors.ts';
import { parseDuration } from '../../scenario/size-and-duration.ts';
import type { Service, Strategy, Upstream } from '../../service/index.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { addServeOptions, SECRET_VARIABLE, type ServeFlags, SIMULATOR } from '../flags/serve.ts';
import { addExamples } from '../help.ts';

// RFC 7518, section 3.2: an HS256 key has at least the size of the hash output.
const MIN_SECRET_BYTES = 32;

/** Adds `serve`: the reference streaming chat service. */
export const serveCommand: AddCommand = (root, open) => {
  const command = root
    .command('serve')
    .description('run the reference streaming chat service in front of the simulator or a provider');
  addServeOptions(command);
  command.action((flags: ServeFlags) => serve(flags, open()));
  addExamples(
    command,
    { words: 'serve', does: 'in front of the embedded simulator; prints a test token and example calls' },
    {
      words: 'serve --upstream openai --model gpt-4.1-mini',
      does: 'in front of a provider; needs OPENAI_API_KEY',
    },
  );
};

async function serve(flags: ServeFlags, session: CliSession): Promise<void> {
  const { checkpoint, cacheAnswers, maxConnection } = flags;
  const limits = {
    drainMs: parseDuration(flags.drain)!,
    staleMs: parseDuration(flags.stallLimit)!,
    requestTimeoutMs: parseDuration(flags.requestTimeout)!,
    resumeWindowMs: parseDuration(flags.resumeWindow)!,
    resumeBytes: flags.resumeBuffer,
    messageLimitBytes: flags.maxMessage,
    bodyLimitBytes: flags.maxBody,
    maxAnswerBytes: flags.maxAnswer,
    maxStreams: flags.maxStreams,
    maxStreamsPerUser: flags.maxUserStreams,
    requestsPerMinute: flags.userRate,
    answerCacheMs: cacheAnswers === undefined ? undefined : parseDuration(cacheAnswers),
    maxConnectionMs: maxConnection === undefined ? undefined : parseDuration(maxConnection),
    checkpointMs: checkpoint === undefined ? undefined : parseDuration(checkpoint),
  };
  // Loaded here because no other command needs these large packages.
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
        `the JWT secret is shorter than the ${MIN_SECRET_BYTES} bytes that HS256 requires: it can be guessed`,
      );
    }
    const service = createService({
      secret,
      upstreams,
      strategy: strategyOf(flags),
      historyMessages: flags.history,
      prices: flags.price,
      allowedEndpoints: flags.allowUpstreams,
      ...limits,
      database: flags.db ?? (await temporaryFile(closers)),
      log: { level: flags.logLevel, write: (line) => session.warn(line.trimEnd()) },
    });
    const { url } = await service.listen(flags.port, flags.host);
    closers.push(surviveFaults(service.reportFault));
    session.print(`${url}\n`);
    printUsage(session, url, upstreams, given ? undefined : await createToken(secret));
    await stopped(service, session);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

/** Prints how to call the service. `token` is a test token; undefined if the user gave the secret. */
function printUsage(
  session: CliSession,
  url: string,
  upstreams: readonly Upstream[],
  token: string | undefined,
): void {
  const names = upstreams.map(({ name, model }) => (model === undefined ? name : `${name} (${model})`));
  session.say(
    `upstream: ${names[0]}${names.length > 1 ? `; playground callers can also choose: ${names.slice(1).join(', ')}` : ''}`,
  );
  if (token === undefined) {
    session.say(`callers need a token (JWT, HS256) signed with your secret:\n  TOKEN=...`);
  } else {
    session.say(`no secret given, so a random one is used; this token is valid for a day:\n  TOKEN=${token}`);
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
  session.say('Ctrl-C stops the service');
}

/** Waits until the service has stopped. The first signal lets streams finish, the second aborts them. */
async function stopped(service: Service, session: CliSession): Promise<void> {
  let closing: Promise<void> | undefined;
  await new Promise<void>((resolve, reject) => {
    const onSignal = (signal: NodeJS.Signals) => {
      if (closing === undefined)
        session.say(`${signal}: waiting for open streams; send it again to abort them`);
      closing = service.close(closing === undefined ? undefined : 0);
      closing.then(resolve, reject);
    };
    process.on('SIGINT', onSignal);
    process.on('SIGTERM', onSignal);
  });
}

async function openUpstreams(
  flags: ServeFlags,
  session: CliSession,
  closers: (() => unknown)[],
): Promise<Upstream[]> {
  const wanted = [
    { provider: flags.upstream, model: flags.model, url: flags.upstreamUrl },
    ...flags.allowUpstream.map((text) => {
      // A model name may contain colons (llama3:8b).
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
      // A further model of the same provider.
      upstreams.set(provider, { ...before, models: [...(before.models ?? []), model] });
      continue;
    }
    const upstream = await openUpstream(provider, model, at, session);
    upstreams.set(provider, upstream);
    closers.push(() => upstream.client.close());
  }
  return [...upstreams.values()];
}

async function openUpstream(
  name: string,
  model: string | undefined,
  url: string | undefined,
  session: CliSession,
): Promise<Upstream> {
  const { createClient } = await import('../../client/client.ts');
  const { provider } = await import('../../wire/providers.ts');
  const row = provider(name);
  const key = row.keyVariable === undefined ? undefined : session.env[row.keyVariable];
  if (!key && url === undefined && row.auth !== 'none' && row.keyVariable !== undefined) {
    throw new UserError('key_missing', {
      message: `upstream ${name} needs an API key: ${row.keyVariable} is not set`,
      hint: `set ${row.keyVariable}, or use --upstream-url for a server that needs no key`,
    });
  }
  const client = createClient({
    provider: name,
    apiKey: key || undefined,
    baseUrl: url,
    model,
    unsupportedOptions: 'omit',
  });
  const upstream: Upstream = {
    name,
    client,
    model,
    // Callers may choose among the models that the operator named. The simulator costs nothing: any model is allowed.
    models: model === undefined || name === SIMULATOR ? undefined : [model],
    secrets: key ? [{ name: `[${row.keyVariable}]`, value: key }] : undefined,
    offerTools: row.dialect === 'openai-chat' && name !== SIMULATOR ? 'openai' : undefined,
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

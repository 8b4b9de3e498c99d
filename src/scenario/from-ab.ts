import { UserError } from '../model/errors.ts';
import { dialectOfUrl } from '../wire/dialects/index.ts';
import { refuseSameSides } from './ab-identity.ts';
import { isConfidential, maskUrl } from './document.ts';
import { assumeHttp, type CommandLineScenario, readHeaders, scenarioFromFlags } from './from-flags.ts';
import { type LoadedScenario, type ParseOptions, readScenario } from './parse.ts';
import { flagSource, type Origin } from './scenario-source.ts';
import { providerRow } from './schema/endpoint.ts';

/** The flags of one side. They override those for both sides. */
export type SideFlags = Pick<
  CommandLineScenario,
  | 'provider'
  | 'model'
  | 'dialect'
  | 'apiKey'
  | 'header'
  | 'maxTokens'
  | 'method'
  | 'body'
  | 'textPath'
  | 'exactUrl'
>;

/** Two targets for one interleaved run. */
export interface AbFlags extends Omit<CommandLineScenario, 'target' | 'provider' | 'model'> {
  /** `PROVIDER/MODEL`, or `URL#MODEL`. */
  a: string;
  b: string;
  own?: { a?: SideFlags; b?: SideFlags };
  /** Names of the sides. Default: what tells them apart. */
  names?: readonly [string, string];
}

/** A side of `ab`. */
export type SideLetter = 'a' | 'b';

/** One side, with the target that its flags describe. */
interface Side {
  letter: SideLetter;
  /** As written. */
  text: string;
  flags: CommandLineScenario;
  own: SideFlags;
  target: Readonly<Record<string, unknown>>;
}

/** The scenario that sends the same prompts to A and B. Throws a `UserError`; its places are command line arguments. */
export function loadAb(
  { a, b, own = {}, names: given, ...shared }: AbFlags,
  options: ParseOptions,
): LoadedScenario {
  const sides = [sideOf('a', a, own.a, shared, options), sideOf('b', b, own.b, shared, options)] as const;
  refuseSharedSecrets(sides, shared);
  const names = given ?? sideNames(sides);
  const targets = sides.map(({ target }, index) => ({ ...target, name: names[index] }));
  const { document, origins } = scenarioFromFlags(
    { ...sides[0].flags, maxTokens: shared.maxTokens },
    options.env,
  );
  const places: Origin[] = [
    ...sides.flatMap(placesOf),
    ...origins.filter(({ path }) => path[0] !== 'targets'),
  ];
  const source = flagSource({ ...document, name: names.join(' or '), targets }, places);
  const loaded = readScenario(source, options);
  refuseSameSides(loaded);
  return loaded;
}

function sideOf(
  letter: SideLetter,
  text: string,
  own: SideFlags = {},
  shared: Omit<AbFlags, SideLetter | 'own' | 'names'>,
  { env }: ParseOptions,
): Side {
  const named = parseSide(text);
  const { target: url } = named;
  const flags: CommandLineScenario = {
    ...shared,
    ...named,
    // A provider sets its dialect, so the flag for both sides applies to URLs only.
    dialect: url === undefined ? undefined : (shared.dialect ?? dialectOfUrl(url) ?? 'openai-chat'),
    ...own,
    header: [...(shared.header ?? []), ...(own.header ?? [])],
    maxTokens: undefined,
  };
  if (own.provider !== undefined && own.dialect === undefined) flags.dialect = shared.dialect;
  const { document } = scenarioFromFlags(flags, env);
  const [target] = document.targets as Record<string, unknown>[];
  const limit = own.maxTokens === undefined ? {} : { maxTokens: own.maxTokens };
  return { letter, text, flags, own, target: { ...target, ...limit } };
}

function parseSide(text: string): Pick<CommandLineScenario, 'target' | 'provider' | 'model'> {
  const full = assumeHttp(text);
  if (/^https?:/.test(full)) {
    const [target = '', model] = full.split('#', 2);
    return model === undefined ? { target } : { target, model };
  }
  const slash = text.indexOf('/');
  return slash === -1 ? { provider: text } : { provider: text.slice(0, slash), model: text.slice(slash + 1) };
}

/** Refuses a key that would be sent to both sides, unless both are the same server. */
function refuseSharedSecrets(
  sides: readonly [Side, Side],
  shared: Omit<AbFlags, SideLetter | 'own' | 'names'>,
): void {
  const [a, b] = sides.map(originOf);
  if (a !== undefined && a === b) return;
  const reached = `A is at ${a ?? 'its own address'}, B at ${b ?? 'its own address'}`;
  const refuse = (what: string, hint: string) => {
    throw new UserError('usage', { message: `${what} would be sent to both sides: ${reached}`, hint });
  };
  if (shared.apiKey !== undefined && sides.some(({ own }) => own.apiKey === undefined))
    refuse('--api-key', 'use --api-key-a and --api-key-b');
  const headers = Object.keys(readHeaders(shared.header ?? []) ?? {});
  const secret = headers.find((name) => isConfidential(['targets', 0, 'headers', name]) && SECRET.test(name));
  if (secret !== undefined) refuse(`the header ${secret}`, 'use --header-a or --header-b');
  // The same environment variable for two servers: one provider at two addresses.
  const [keyA, keyB] = sides.map(({ target }) => target.apiKey);
  if (keyA !== undefined && keyA === keyB && sides.every(({ own }) => own.apiKey === undefined))
    refuse(String(keyA), `set the key of each side: --api-key-a '${keyA}' --api-key-b KEY`);
}

// Names of headers that contain a credential.
const SECRET = /auth|key|token|secret|cookie|signature/i;

function originOf({ target }: Side): string | undefined {
  const url = target.url ?? providerRow(target.provider)?.baseUrl;
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : undefined;
}

// Short, because every row shows them: the models, or the addresses, or a number.
function sideNames(sides: readonly [Side, Side]): string[] {
  const models = sides.map(({ flags: { model, provider } }) => model ?? provider);
  if (models[0] !== models[1] && models.every((model) => model)) return models as string[];
  const places = sides.map(({ text, flags: { target, provider } }) =>
    target === undefined ? (provider ?? text) : maskUrl(target).replace(/^https?:\/\/([^@/]*@)?/, ''),
  );
  if (places[0] !== places[1]) return places;
  return [1, 2].map((number) => `${models[0] ?? places[0]} (${number})`);
}

function placesOf({ letter, text, own }: Side, index: number): Origin[] {
  const flag: Readonly<Record<keyof SideFlags, [key: string, flag: string]>> = {
    provider: ['provider', `--provider-${letter} ${own.provider}`],
    model: ['model', `--model-${letter} ${own.model}`],
    dialect: ['dialect', `--dialect-${letter} ${own.dialect}`],
    apiKey: ['apiKey', `--api-key-${letter}`],
    header: ['headers', `--header-${letter}`],
    maxTokens: ['maxTokens', `--max-tokens-${letter} ${own.maxTokens}`],
    method: ['method', `--method-${letter} ${own.method}`],
    body: ['body', `--body-${letter}`],
    textPath: ['textPath', `--text-path-${letter} ${own.textPath}`],
    exactUrl: ['path', `--exact-url-${letter}`],
  };
  const given = (Object.keys(flag) as (keyof SideFlags)[]).filter((name) => own[name] !== undefined);
  return [
    ...given.map((name): Origin => ({ path: ['targets', index, flag[name][0]], from: flag[name][1] })),
    { path: ['targets', index], from: maskUrl(text) },
  ];
}

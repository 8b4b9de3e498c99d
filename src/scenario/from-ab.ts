import { UserError } from '../model/errors.ts';
import { dialectOfUrl } from '../wire/dialects/index.ts';
import { isConfidential, maskUrl } from './document.ts';
import { assumeHttp, type CommandLineScenario, readHeaders, scenarioFromFlags } from './from-flags.ts';
import { type LoadedScenario, type ParseOptions, readScenario } from './parse.ts';
import { flagSource, type Origin } from './scenario-source.ts';
import { providerRow } from './schema/endpoint.ts';

/** The flags of one side. They win over those for both. */
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
  /** `PROVIDER/MODEL`, or a URL with the model behind a `#`. */
  a: string;
  b: string;
  own?: { a?: SideFlags; b?: SideFlags };
}

/** A side of `ab`. */
export type SideLetter = 'a' | 'b';

/** One side: where it is, and the target that its flags come to. */
interface Side {
  letter: SideLetter;
  /** As it was written. */
  text: string;
  flags: CommandLineScenario;
  own: SideFlags;
  target: Readonly<Record<string, unknown>>;
}

/** The scenario of A against B: the same prompts to both. Throws a `UserError` whose places are the words given. */
export function loadAb({ a, b, own = {}, ...shared }: AbFlags, options: ParseOptions): LoadedScenario {
  const sides = [sideOf('a', a, own.a, shared, options), sideOf('b', b, own.b, shared, options)] as const;
  refuseSharedSecrets(sides, shared);
  const names = sideNames(sides);
  const targets = sides.map(({ target }, index) => ({ ...target, name: names[index] }));
  const { document, origins } = scenarioFromFlags(
    { ...sides[0].flags, maxTokens: shared.maxTokens },
    options.env,
  );
  const places: Origin[] = [
    ...sides.flatMap(placesOf),
    ...origins.filter(({ path }) => path[0] !== 'targets'),
  ];
  return readScenario(flagSource({ ...document, name: names.join(' or '), targets }, places), options);
}

function sideOf(
  letter: SideLetter,
  text: string,
  own: SideFlags = {},
  shared: Omit<AbFlags, SideLetter | 'own'>,
  { env }: ParseOptions,
): Side {
  const named = wordsOf(text);
  const { target: url } = named;
  const flags: CommandLineScenario = {
    ...shared,
    ...named,
    // A provider has a dialect of its own: the flag for both sides is for URLs.
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

function wordsOf(text: string): Pick<CommandLineScenario, 'target' | 'provider' | 'model'> {
  const full = assumeHttp(text);
  if (/^https?:/.test(full)) {
    const [target = '', model] = full.split('#', 2);
    return model === undefined ? { target } : { target, model };
  }
  const slash = text.indexOf('/');
  return slash === -1 ? { provider: text } : { provider: text.slice(0, slash), model: text.slice(slash + 1) };
}

/** A key that belongs to one side must not reach the other. Where both are the same server, it may be shared. */
function refuseSharedSecrets(sides: readonly [Side, Side], shared: Omit<AbFlags, SideLetter | 'own'>): void {
  const [a, b] = sides.map(originOf);
  if (a !== undefined && a === b) return;
  const reached = `A is at ${a ?? 'an address of its own'}, B at ${b ?? 'an address of its own'}`;
  const refuse = (what: string, hint: string) => {
    throw new UserError('usage', { message: `${what} would reach both sides: ${reached}`, hint });
  };
  if (shared.apiKey !== undefined && sides.some(({ own }) => own.apiKey === undefined))
    refuse('--api-key', 'give each side its own: --api-key-a and --api-key-b');
  const headers = Object.keys(readHeaders(shared.header ?? []) ?? {});
  const secret = headers.find((name) => isConfidential(['targets', 0, 'headers', name]) && SECRET.test(name));
  if (secret !== undefined)
    refuse(`the header ${secret}`, 'give it to the side that it is for: --header-a or --header-b');
  // One variable for two servers: the same provider's, at the address of another one.
  const [keyA, keyB] = sides.map(({ target }) => target.apiKey);
  if (keyA !== undefined && keyA === keyB && sides.every(({ own }) => own.apiKey === undefined))
    refuse(String(keyA), `name the key of each side: --api-key-a '${keyA}', --api-key-b KEY`);
}

// Names that carry a credential, among the headers whose values are not shown.
const SECRET = /auth|key|token|secret|cookie|signature/i;

function originOf({ target }: Side): string | undefined {
  const url = target.url ?? providerRow(target.provider)?.baseUrl;
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).origin : undefined;
}

// Short, as they head every row: the models, or where one model is asked, or else a number.
function sideNames(sides: readonly [Side, Side]): string[] {
  const models = sides.map(({ flags: { model, provider } }) => model ?? provider);
  if (models[0] !== models[1] && models.every((model) => model)) return models as string[];
  const places = sides.map(({ flags: { target, provider } }) =>
    target === undefined ? provider! : maskUrl(target).replace(/^https?:\/\/([^@/]*@)?/, ''),
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

import { UserError } from '../model/errors.ts';
import { dialectOfUrl } from '../wire/dialects/index.ts';
import { definedFields } from '../wire/json.ts';
import { PROVIDERS, providerOfUrl } from '../wire/providers.ts';
import { bodyFlag } from './bodies.ts';
import { maskUrl } from './document.ts';
import { type Env, reference } from './env.ts';
import { type LoadedScenario, type ParseOptions, readScenario } from './parse.ts';
import { flagSource, type Origin } from './scenario-source.ts';
import { CUSTOM, providerRow } from './schema/endpoint.ts';

/** The headers of `-H` lines. Throws a `UserError` (`usage`), which does not contain the line, if the name is missing. */
export function readHeaders(lines: readonly string[]): Record<string, string> | undefined {
  if (lines.length === 0) return undefined;
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      const name = line.slice(0, Math.max(at, 0)).trim();
      if (name === '') {
        // The line may be a key, so it is not shown.
        throw new UserError('usage', {
          message: 'invalid header',
          place: { file: '--header' },
          hint: "use -H 'name: value'",
        });
      }
      return [name, line.slice(at + 1).trim()];
    }),
  );
}

/** A scenario given by flags instead of a file. */
export interface CommandLineScenario {
  /** `--target`: base URL of an API, or full URL of an endpoint. For this machine, `http://` may be omitted. */
  target?: string;
  provider?: string;
  dialect?: string;
  model?: string;
  /** `--prompt`; has a default. */
  prompt?: string;
  maxTokens?: number;
  concurrency?: number | readonly number[];
  requests?: number;
  mode?: string;
  /** `-H`, each `name: value`. */
  header?: readonly string[];
  /** `--api-key`; the provider's environment variable is safer. */
  apiKey?: string;
  /** `--method`, `--body`, `--text-path`: for plain endpoints. */
  method?: string;
  body?: string;
  textPath?: string;
  /** `--exact-url`: use the URL as it is. */
  exactUrl?: boolean;
}

/** A document built from flags, with the flag of each part. */
interface FlagDocument {
  document: Readonly<Record<string, unknown>>;
  origins: readonly Origin[];
}

/** The provider name of the reference service. */
const SERVICE = 'service';

/** The prompt of requests for which the user gave none. */
export const DEFAULT_PROMPT = 'In three sentences: why is the sky blue?';

/** The unchecked scenario document of the flags. Throws a `UserError` (`usage`). */
export function scenarioFromFlags(flags: CommandLineScenario, env: Env): FlagDocument {
  const { model, concurrency, requests, mode, method, textPath } = flags;
  const body = flags.body === undefined ? undefined : bodyFlag(flags.body);
  const url = flags.target === undefined ? undefined : assumeHttp(flags.target);
  const provider = flags.provider ?? (url === undefined ? undefined : apiProvider(url, flags));
  if (url === undefined && provider === undefined) {
    const hint = 'add a scenario file, --target URL, or --provider NAME';
    throw new UserError('usage', { message: 'no target to measure', hint });
  }
  const dialect = flags.dialect ?? (provider === undefined ? dialectOfFull(url, model) : undefined);
  const headers = readHeaders(flags.header ?? []);
  const apiKey = flags.apiKey ?? keyReference(provider, headers, env);
  const name = model ?? provider ?? (url !== undefined && URL.canParse(url) ? new URL(url).host : CUSTOM);
  const path = flags.exactUrl ? 'exact' : undefined;
  const request = { method, body, textPath, path };
  const target = definedFields({ name, provider, url, dialect, model, apiKey, headers, ...request });
  const prompt = definedFields({
    name: 'prompt',
    text: flags.prompt ?? DEFAULT_PROMPT,
    maxTokens: flags.maxTokens,
  });
  const load = definedFields({ concurrency, requests });
  const modes = mode === undefined ? undefined : mode === 'both' ? ['streaming', 'non-streaming'] : [mode];
  const document = definedFields({
    version: 1,
    name,
    targets: [provider === SERVICE ? throughService(target) : target],
    prompts: [prompt],
    modes,
    load: Object.keys(load).length === 0 ? undefined : load,
  });
  return { document, origins: originsOf(flags) };
}

// A host of this machine without a scheme, with or without a port.
const LOCAL_HOST = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?([/?#]|$)/i;

/** True for a command-line word that is a URL and no file name: with a scheme, or of this machine. */
export function isUrl(word: string): boolean {
  return /^https?:\/\//i.test(word) || LOCAL_HOST.test(word);
}

/** Adds `http://` to a URL of this machine without a scheme. For other machines that would risk sending a key in clear text. */
export function assumeHttp(url: string): string {
  return LOCAL_HOST.test(url) ? `http://${url}` : url;
}

// Only for a model: any other endpoint at that host has its own authentication.
function apiProvider(url: string, { dialect, model, body }: CommandLineScenario): string | undefined {
  if (model === undefined || body !== undefined) return undefined;
  const row = providerOfUrl(url);
  return dialect === undefined || dialect === row?.dialect ? row?.name : undefined;
}

/**
 * The dialect of a base URL, if a model is to be requested there: that of the server that usually listens at this address,
 * or OpenAI's, which most services have under a version such as `/v1`. Undefined for any other path.
 */
export function assumedDialect(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { host, pathname } = new URL(url);
  const address = `${host.replace(/^(localhost|\[::1\])(?=:|$)/, '127.0.0.1')}${pathname.replace(/\/+$/, '')}`;
  const local = PROVIDERS.find(({ baseUrl }) => baseUrl === `http://${address}`);
  return local?.dialect ?? (/\/v\d+$/.test(address) ? 'openai-chat' : undefined);
}

// The full URL of an endpoint determines the dialect, a base URL does not. An invalid URL is reported later.
function dialectOfFull(url: string | undefined, model: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const dialect = dialectOfUrl(url) ?? (model === undefined ? undefined : assumedDialect(url));
  if (dialect !== undefined) return dialect;
  throw new UserError('usage', {
    message: 'cannot derive the dialect from this URL',
    place: { file: `--target ${maskUrl(url)}` },
    hint: 'add --provider (such as openai, vllm or ollama), or --dialect (such as openai-chat, anthropic or sse)',
  });
}

/** The reference service in front of the upstream of the other flags; by default the simulator. */
function throughService(target: Record<string, unknown>): object {
  const { provider: _, model, url, dialect, apiKey, ...rest } = target;
  const upstream = definedFields({ model, url, dialect, apiKey });
  return { ...rest, service: { upstream } };
}

/** The checked scenario of the flags. Throws a `UserError`; its places are flags. */
export function loadFromFlags(flags: CommandLineScenario, options: ParseOptions): LoadedScenario {
  const { document, origins } = scenarioFromFlags(flags, options.env);
  return readScenario(flagSource(document, origins), options);
}

// A reference instead of the key, because the report shows it.
function keyReference(
  provider: string | undefined,
  headers: object | undefined,
  env: Env,
): string | undefined {
  const row = providerRow(provider);
  // A sigv4 key has several parts; defaultKey() builds it.
  const variable = row?.auth === 'sigv4' ? undefined : row?.keyVariable;
  const authorized = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'authorization');
  return variable !== undefined && env[variable] && !authorized ? reference(variable) : undefined;
}

function originsOf(flags: CommandLineScenario): Origin[] {
  const { target, provider, dialect, model, concurrency, requests, mode, maxTokens } = flags;
  const named = `--target ${target === undefined ? '' : maskUrl(target)}`;
  const from = (path: Origin['path'], words: string) => ({ path, from: words });
  const field = (key: string) => [
    'targets',
    0,
    ...(provider === SERVICE ? ['service', 'upstream'] : []),
    key,
  ];
  const given: [unknown, Origin][] = [
    [target, from(field('url'), named)],
    [provider, from(['targets', 0, 'provider'], `--provider ${provider}`)],
    [dialect, from(field('dialect'), `--dialect ${dialect}`)],
    [model, from(field('model'), `--model ${model}`)],
    [flags.apiKey, from(field('apiKey'), '--api-key')],
    [flags.header, from(['targets', 0, 'headers'], '--header')],
    [flags.method, from(['targets', 0, 'method'], `--method ${flags.method}`)],
    [flags.body, from(['targets', 0, 'body'], '--body')],
    [flags.textPath, from(['targets', 0, 'textPath'], `--text-path ${flags.textPath}`)],
    [flags.exactUrl, from(['targets', 0, 'path'], '--exact-url')],
    [flags.prompt, from(['prompts', 0, 'text'], '--prompt')],
    [maxTokens, from(['prompts', 0, 'maxTokens'], `--max-tokens ${maxTokens}`)],
    [concurrency, from(['load', 'concurrency'], `--concurrency ${concurrency}`)],
    [requests, from(['load', 'requests'], `--requests ${requests}`)],
    [mode, from(['modes'], `--mode ${mode}`)],
    // Problems of the target as a whole are placed at the flag that names it.
    [true, from(['targets', 0], target === undefined ? `--provider ${provider}` : named)],
  ];
  return given.filter(([value]) => value !== undefined).map(([, origin]) => origin);
}

import { UserError } from '../model/errors.ts';
import { dialectOfUrl } from '../wire/dialects/index.ts';
import { definedFields } from '../wire/json.ts';
import { bodyFlag } from './bodies.ts';
import { maskUrl } from './document.ts';
import { type Env, reference } from './env.ts';
import { type LoadedScenario, type ParseOptions, readScenario } from './parse.ts';
import { flagSource, type Origin } from './scenario-source.ts';
import { CUSTOM, providerRow } from './schema/endpoint.ts';

/** The headers of `-H` lines. Throws a `UserError` (`usage`) for a line without a name; the line is not repeated. */
export function readHeaders(lines: readonly string[]): Record<string, string> | undefined {
  if (lines.length === 0) return undefined;
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf(':');
      const name = line.slice(0, Math.max(at, 0)).trim();
      if (name === '') {
        // The line itself is not shown: it may be a key.
        throw new UserError('usage', {
          message: 'invalid header',
          place: { file: '--header' },
          hint: "write -H 'name: value'",
        });
      }
      return [name, line.slice(at + 1).trim()];
    }),
  );
}

/** The flags that stand in for a scenario file. */
export interface CommandLineScenario {
  /** `--target`: the API's base URL, or an endpoint's full URL. Without a scheme, for this machine only, http is meant. */
  target?: string;
  provider?: string;
  dialect?: string;
  model?: string;
  /** `--prompt`; there is a short default. */
  prompt?: string;
  maxTokens?: number;
  concurrency?: number | readonly number[];
  requests?: number;
  mode?: string;
  /** `-H`, each `name: value`. */
  header?: readonly string[];
  /** `--api-key`; better left to the provider's environment variable. */
  apiKey?: string;
  /** `--method`, `--body`, `--text-path`: for plain endpoints. */
  method?: string;
  body?: string;
  textPath?: string;
  /** `--exact-url`: the URL is taken as it is. */
  exactUrl?: boolean;
}

/** A document made of flags, and which flag gave which part of it. */
interface FlagDocument {
  document: Readonly<Record<string, unknown>>;
  origins: readonly Origin[];
}

/** As a provider it means the reference service. */
const SERVICE = 'service';

const DEFAULT_PROMPT = 'In three sentences: why is the sky blue?';

/** The scenario that the flags describe, to be checked like any other. Throws a `UserError` (`usage`). */
export function scenarioFromFlags(flags: CommandLineScenario, env: Env): FlagDocument {
  const { provider, model, concurrency, requests, mode, method, textPath } = flags;
  const body = flags.body === undefined ? undefined : bodyFlag(flags.body);
  const url = flags.target === undefined ? undefined : assumeHttp(flags.target);
  if (url === undefined && provider === undefined) {
    const hint = 'give a scenario file, or --target URL, or --provider NAME';
    throw new UserError('usage', { message: 'there is nothing to measure', hint });
  }
  const dialect = flags.dialect ?? (provider === undefined ? dialectOfFull(url) : undefined);
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

// A host of this machine, with or without a port, where a URL should begin with its scheme.
const LOCAL_HOST = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?([/?#]|$)/i;

/** A URL of this machine without a scheme is an http one; of another machine nobody can tell, and a key may be at stake. */
export function assumeHttp(url: string): string {
  return LOCAL_HOST.test(url) ? `http://${url}` : url;
}

// An endpoint's full URL says what it speaks; a base URL could speak anything. What is no URL is told of later.
function dialectOfFull(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const dialect = dialectOfUrl(url);
  if (dialect !== undefined) return dialect;
  throw new UserError('usage', {
    message: 'this URL does not say which dialect is spoken there',
    place: { file: `--target ${maskUrl(url)}` },
    hint: 'add --provider (such as openai, vllm or ollama), or --dialect (such as openai-chat, anthropic or sse)',
  });
}

/** The reference service, in front of what the other flags name: of the simulator, where they name nothing. */
function throughService(target: Record<string, unknown>): object {
  const { provider: _, model, url, dialect, apiKey, ...rest } = target;
  const upstream = definedFields({ model, url, dialect, apiKey });
  return { ...rest, service: { upstream } };
}

/** The scenario that the flags describe, checked. Throws a `UserError` whose places are the flags. */
export function loadFromFlags(flags: CommandLineScenario, options: ParseOptions): LoadedScenario {
  const { document, origins } = scenarioFromFlags(flags, options.env);
  return readScenario(flagSource(document, origins), options);
}

// The reference instead of the key: it is what the report shows, and it tells where the key came from.
function keyReference(
  provider: string | undefined,
  headers: object | undefined,
  env: Env,
): string | undefined {
  const row = providerRow(provider);
  // A signature's key has several parts; it is found by the target's own default.
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
    // What concerns the target as a whole is placed at the flag that names it.
    [true, from(['targets', 0], target === undefined ? `--provider ${provider}` : named)],
  ];
  return given.filter(([value]) => value !== undefined).map(([, origin]) => origin);
}

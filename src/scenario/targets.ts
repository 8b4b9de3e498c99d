import type { AuthScheme, ConnectOptions, Target } from '../model/plan.ts';
import type { Secret } from '../model/secrets.ts';
import { wireFormat } from '../wire/dialects.ts';
import { PROVIDERS, type Provider } from '../wire/providers.ts';
import { type Env, reference } from './env.ts';
import type { Finding } from './problems.ts';
import { CUSTOM, providerRow, type ScenarioTarget, SIMULATOR } from './target-schema.ts';

/** From a target as it was written to the endpoint it means: what it does not say comes from its provider's row. */

/** The key that a target uses when it names none; a secret with the variable it came from. */
export function defaultKey(target: ScenarioTarget, env: Env): Secret | undefined {
  if (target.apiKey !== undefined || ownAuthorization(target)) return undefined;
  const row = providerRow(target.provider);
  return row === undefined ? undefined : usualKey(row, env);
}

/** The key that the provider's usual environment variables hold. */
export function usualKey({ auth, keyVariable }: Provider, env: Env): Secret | undefined {
  const value = keyVariable === undefined ? undefined : env[keyVariable];
  if (keyVariable === undefined || !value) return undefined;
  if (auth !== 'sigv4') return { name: reference(keyVariable), value };
  // A signature needs two or three parts, which travel as one text.
  const parts = [value, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN].filter((part) => part);
  return env.AWS_SECRET_ACCESS_KEY
    ? { name: reference('AWS_SECRET_ACCESS_KEY'), value: parts.join(':') }
    : undefined;
}

/** The complaint when a target needs a key and there is none: a remote provider at its own address. */
export function missingKey(target: ScenarioTarget, env: Env): Omit<Finding, 'path'> | undefined {
  const row = providerRow(target.provider);
  if (row?.baseUrl === undefined || target.url !== undefined || target.apiKey !== undefined) return undefined;
  if (row.auth === 'none' || !row.baseUrl.startsWith('https:') || row.keyVariable === undefined)
    return undefined;
  if (ownAuthorization(target) || defaultKey(target, env) !== undefined) return undefined;
  const wanted = row.auth === 'sigv4' ? `${row.keyVariable} or AWS_SECRET_ACCESS_KEY` : row.keyVariable;
  return {
    at: 'value',
    message: `target ${JSON.stringify(target.name)} has no key: ${wanted} is not set`,
    hint: `set ${wanted.replace(' or ', ' and ')}, or give the target an apiKey such as ${reference('MY_KEY')}`,
    code: 'key_missing',
  };
}

/** True when the target is served by the simulator that the run starts itself. */
export function isEmbedded(target: ScenarioTarget): boolean {
  return target.provider === SIMULATOR && target.url === undefined;
}

/**
 * The endpoint of a target. `simulatorUrl` is the address of the embedded simulator, without a path; `connect` is how
 * connections are made, where not all is at its default.
 *
 * @throws {Error} when the target is the embedded simulator and no `simulatorUrl` is given, or when a target has
 * neither an address nor a provider with one; a checked scenario has no such target.
 */
export function resolveTarget(
  target: ScenarioTarget,
  simulatorUrl?: string,
  connect?: ConnectOptions,
): Target {
  const { provider = CUSTOM, url, model, profile, apiKey, headers, extra, textPath, body, method } = target;
  const row = providerRow(provider);
  const dialect = target.dialect ?? row?.dialect;
  if (dialect === undefined) throw new Error(`target ${target.name} has no dialect`);
  const baseUrl = url ?? (isEmbedded(target) ? simulatorBase(dialect, simulatorUrl) : row?.baseUrl);
  if (baseUrl === undefined) throw new Error(`target ${target.name} has no address`);
  // The simulator chooses its profile by the model that a request asks for.
  const asked = provider === SIMULATOR ? (profile ?? model) : model;
  return {
    name: target.name,
    provider,
    dialect,
    baseUrl,
    auth: authOf(row, dialect, apiKey),
    headers: headers ?? {},
    ...(asked === undefined ? {} : { model: asked }),
    ...(apiKey === undefined ? {} : { apiKey: apiKey.trim() }),
    ...(extra === undefined ? {} : { extra }),
    ...(textPath === undefined ? {} : { textPath }),
    ...(body === undefined ? {} : { body }),
    ...(method === undefined ? {} : { method }),
    ...(connect === undefined ? {} : { connect }),
  };
}

// Where the embedded simulator speaks a dialect: a plain one at the path of its own name, Ollama's at the root, and
// all others below /v1, where the APIs themselves have them.
function simulatorBase(dialect: string, simulatorUrl: string | undefined): string {
  if (simulatorUrl === undefined) throw new Error('the embedded simulator has not been started');
  const root = simulatorUrl.replace(/\/$/, '');
  if (dialect.startsWith('ollama')) return root;
  return wireFormat(dialect).ownsPath(`/${dialect}`) ? `${root}/${dialect}` : `${root}/v1`;
}

// Without a key nothing is sent, except where the scheme finds its credentials by itself. With a key, a row that
// asks for none (a local server) or no row at all gets the scheme that is usual for the dialect.
function authOf(row: Provider | undefined, dialect: string, apiKey: string | undefined): AuthScheme {
  if (row?.auth === 'sigv4') return 'sigv4';
  if (apiKey === undefined) return 'none';
  if (row !== undefined && row.auth !== 'none') return row.auth;
  return PROVIDERS.find((other) => other.dialect === dialect && other.auth !== 'none')?.auth ?? 'bearer';
}

function ownAuthorization(target: ScenarioTarget): boolean {
  const names = Object.keys(target.headers ?? {}).map((name) => name.toLowerCase());
  const scheme = providerRow(target.provider)?.auth;
  return names.some((name) => name === 'authorization' || name === scheme);
}

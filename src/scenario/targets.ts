import type { AuthScheme, ConnectOptions, Target } from '../model/plan.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { PROVIDERS, type Provider } from '../wire/providers.ts';
import { type Env, reference, type UsedVariable } from './env.ts';
import type { Finding } from './problems.ts';
import { CUSTOM, dialectOf, providerRow, SIMULATOR } from './schema/endpoint.ts';
import { type ServiceSettings, upstreamDefaults } from './schema/service.ts';
import type { ScenarioTarget } from './schema/target.ts';
import { type ServiceAddress, serviceTarget } from './service-target.ts';

/** Resolves the targets of a scenario: missing fields come from the provider table. */

/** The simulator and the services that the run has started. */
export interface StartedBackends {
  /** URL of the embedded simulator, such as `http://127.0.0.1:40123`. */
  simulatorUrl?: string;
  /** The embedded services, by target name. */
  services?: ReadonlyMap<string, ServiceAddress>;
}

/** The upstream of a service, as a target. */
export function upstreamTarget(
  { upstream }: Pick<ServiceSettings, 'upstream'>,
  name: string,
): ScenarioTarget {
  return { name, ...upstreamDefaults(upstream), ...upstream };
}

/** The target with a key. For the service, it is the key of the upstream. */
export function withKey(target: ScenarioTarget, apiKey: string): ScenarioTarget {
  const { service } = target;
  if (service === undefined) return { ...target, apiKey };
  return { ...target, service: { ...service, upstream: { ...service.upstream, apiKey } } };
}

/** The target that the key is for: the upstream, if the target is the service. */
function keyHolder(target: ScenarioTarget): ScenarioTarget {
  return target.service === undefined ? target : upstreamTarget(target.service, target.name);
}

/** The key of a target without `apiKey`: a secret with the name of its variable. */
export function defaultKey(named: ScenarioTarget, env: Env): Secret | undefined {
  const target = keyHolder(named);
  if (target.apiKey !== undefined || ownAuthorization(target)) return undefined;
  const row = providerRow(target.provider);
  return row === undefined ? undefined : usualKey(row, env);
}

/** The variables in which a target without a key of its own looks for one. */
export function keyVariables(named: ScenarioTarget): UsedVariable[] {
  const target = keyHolder(named);
  const row = providerRow(target.provider);
  if (row?.keyVariable === undefined || target.apiKey !== undefined || ownAuthorization(target)) return [];
  const isRequired = row.baseUrl?.startsWith('https:') === true && target.url === undefined;
  const names = row.auth === 'sigv4' ? [row.keyVariable, 'AWS_SECRET_ACCESS_KEY'] : [row.keyVariable];
  const optional = row.auth === 'sigv4' ? [{ name: 'AWS_SESSION_TOKEN', isRequired: false }] : [];
  return [...names.map((name) => ({ name, isRequired })), ...optional];
}

/** The key in the provider's environment variables. */
function usualKey({ auth, keyVariable }: Provider, env: Env): Secret | undefined {
  const value = keyVariable === undefined ? undefined : env[keyVariable];
  if (keyVariable === undefined || !value) return undefined;
  if (auth !== 'sigv4') return { name: reference(keyVariable), value };
  // A signature needs two or three parts, which are joined to one text.
  const parts = [value, env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN].filter((part) => part);
  return env.AWS_SECRET_ACCESS_KEY
    ? { name: reference('AWS_SECRET_ACCESS_KEY'), value: parts.join(':') }
    : undefined;
}

/** The problem of a target that needs a key and has none: a remote provider at its default URL. */
export function missingKey(named: ScenarioTarget, env: Env): Omit<Finding, 'path'> | undefined {
  const target = keyHolder(named);
  const row = providerRow(target.provider);
  if (row?.baseUrl === undefined || target.url !== undefined || target.apiKey !== undefined) return undefined;
  if (row.auth === 'none' || !row.baseUrl.startsWith('https:') || row.keyVariable === undefined)
    return undefined;
  if (ownAuthorization(target) || defaultKey(target, env) !== undefined) return undefined;
  const wanted = row.auth === 'sigv4' ? `${row.keyVariable} or AWS_SECRET_ACCESS_KEY` : row.keyVariable;
  return {
    at: 'value',
    message: `target ${JSON.stringify(target.name)} has no API key: ${wanted} is not set`,
    hint: `set ${wanted.replace(' or ', ' and ')}, or add apiKey to the ${named.service === undefined ? 'target' : 'upstream'}, such as ${reference('MY_KEY')}`,
    code: 'key_missing',
  };
}

/** True if the target is the embedded simulator. */
function isEmbedded(target: ScenarioTarget): boolean {
  return target.provider === SIMULATOR && target.url === undefined;
}

/** True if the target, or the upstream of its service, is the embedded simulator. */
export function needsSimulator(target: ScenarioTarget): boolean {
  return isEmbedded(keyHolder(target));
}

/** The model name that selects the simulator's profile; undefined if the target does not use the simulator. */
export function simulatedModel(target: ScenarioTarget): string | undefined {
  const { profile, model } = keyHolder(target);
  return needsSimulator(target) ? (profile ?? model) : undefined;
}

/**
 * The endpoint of a target. `connect`: its connection options, unless all are at their defaults.
 *
 * @throws {Error} if the target is embedded and was not started, or if it has no URL. The latter cannot happen in a checked
 * scenario.
 */
export function resolveTarget(
  target: ScenarioTarget,
  { simulatorUrl, services }: StartedBackends = {},
  connect?: ConnectOptions,
): Target {
  if (target.service !== undefined) {
    const address = services?.get(target.name);
    if (address === undefined) throw new Error(`the service of target ${target.name} has not been started`);
    return serviceTarget(target, target.service, address, connect);
  }
  const {
    provider = CUSTOM,
    url,
    path,
    model,
    profile,
    apiKey,
    headers,
    extra,
    textPath,
    body,
    method,
  } = target;
  const row = providerRow(provider);
  const dialect = dialectOf(target);
  const baseUrl = url ?? (isEmbedded(target) ? simulatorBase(dialect, simulatorUrl) : row?.baseUrl);
  if (baseUrl === undefined) throw new Error(`target ${target.name} has no address`);
  const requestFields = { ...row?.requestFields, ...target.requestFields };
  // The simulator selects its profile by the model of a request.
  const asked = provider === SIMULATOR ? (profile ?? model) : model;
  return {
    name: target.name,
    provider,
    dialect,
    baseUrl,
    auth: authScheme(row, dialect, apiKey),
    headers: headers ?? {},
    maxTokens: target.maxTokens,
    path: path === 'exact' ? path : undefined,
    requestFields: Object.keys(requestFields).length === 0 ? undefined : requestFields,
    model: asked,
    apiKey: apiKey?.trim(),
    extra,
    textPath,
    body,
    method,
    connect,
  };
}

// The base URL of a dialect in the embedded simulator: a plain dialect has its own path, Ollama uses the root, and the
// others use /v1, as the real APIs do.
function simulatorBase(dialect: string, simulatorUrl: string | undefined): string {
  if (simulatorUrl === undefined) throw new Error('the embedded simulator has not been started');
  const root = simulatorUrl.replace(/\/$/, '');
  if (dialect.startsWith('ollama')) return root;
  return getDialect(dialect).ownsPath(`/${dialect}`) ? `${root}/${dialect}` : `${root}/v1`;
}

/**
 * How the key of a target is sent. Without a key no authentication is sent, except for sigv4, which finds its credentials
 * itself. A key for a provider without authentication (a local server), or without a provider, is sent by the usual scheme
 * of the dialect.
 */
export function authScheme(
  row: Provider | undefined,
  dialect: string,
  apiKey: string | undefined,
): AuthScheme {
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

import type { AuthScheme, ConnectOptions, Target } from '../model/plan.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { PROVIDERS, type Provider } from '../wire/providers.ts';
import { type Env, reference } from './env.ts';
import type { Finding } from './problems.ts';
import { CUSTOM, providerRow, SIMULATOR } from './schema/endpoint.ts';
import { type ServiceSettings, upstreamDefaults } from './schema/service.ts';
import type { ScenarioTarget } from './schema/target.ts';
import { type ServiceAddress, serviceTarget } from './service-target.ts';

/** From a target as it was written to the endpoint it means: what it does not say comes from its provider's row. */

/** The embedded services and the simulator, as the run that started them knows them. */
export interface StartedBackends {
  /** Where the embedded simulator listens, such as `http://127.0.0.1:40123`. */
  simulatorUrl?: string;
  /** The embedded services, by the names of the targets that they answer for. */
  services?: ReadonlyMap<string, ServiceAddress>;
}

/** The model behind a target's service, as a target of its own. */
export function upstreamTarget(
  { upstream }: Pick<ServiceSettings, 'upstream'>,
  name: string,
): ScenarioTarget {
  return { name, ...upstreamDefaults(upstream), ...upstream };
}

/** The target with a key, which belongs to the model behind it where the target is the service. */
export function withKey(target: ScenarioTarget, apiKey: string): ScenarioTarget {
  const { service } = target;
  if (service === undefined) return { ...target, apiKey };
  return { ...target, service: { ...service, upstream: { ...service.upstream, apiKey } } };
}

/** The target that a key is for: the model's, where there is a service in front of it. */
function keyHolder(target: ScenarioTarget): ScenarioTarget {
  return target.service === undefined ? target : upstreamTarget(target.service, target.name);
}

/** The key that a target uses when it names none; a secret with the variable it came from. */
export function defaultKey(named: ScenarioTarget, env: Env): Secret | undefined {
  const target = keyHolder(named);
  if (target.apiKey !== undefined || ownAuthorization(target)) return undefined;
  const row = providerRow(target.provider);
  return row === undefined ? undefined : usualKey(row, env);
}

/** The key that the provider's usual environment variables hold. */
function usualKey({ auth, keyVariable }: Provider, env: Env): Secret | undefined {
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
    message: `target ${JSON.stringify(target.name)} has no key: ${wanted} is not set`,
    hint: `set ${wanted.replace(' or ', ' and ')}, or give the ${named.service === undefined ? 'target' : 'upstream'} an apiKey such as ${reference('MY_KEY')}`,
    code: 'key_missing',
  };
}

/** True when the target is served by the simulator that the run starts itself. */
function isEmbedded(target: ScenarioTarget): boolean {
  return target.provider === SIMULATOR && target.url === undefined;
}

/** True when the run must start the simulator for this target, be it behind a service. */
export function needsSimulator(target: ScenarioTarget): boolean {
  return isEmbedded(keyHolder(target));
}

/** What the simulator is asked for: a profile, or a model of that name. Undefined where it answers nothing. */
export function simulatedModel(target: ScenarioTarget): string | undefined {
  const { profile, model } = keyHolder(target);
  return needsSimulator(target) ? (profile ?? model) : undefined;
}

/**
 * The endpoint of a target. `connect` is how connections are made, where not all is at its default.
 *
 * @throws {Error} when the target is embedded and was not started, or when a target has neither an address nor a
 * provider with one; a checked scenario has no such target.
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
  const dialect = target.dialect ?? row?.dialect;
  if (dialect === undefined) throw new Error(`target ${target.name} has no dialect`);
  const baseUrl = url ?? (isEmbedded(target) ? simulatorBase(dialect, simulatorUrl) : row?.baseUrl);
  if (baseUrl === undefined) throw new Error(`target ${target.name} has no address`);
  const requestFields = { ...row?.requestFields, ...target.requestFields };
  // The simulator chooses its profile by the model that a request asks for.
  const asked = provider === SIMULATOR ? (profile ?? model) : model;
  return {
    name: target.name,
    provider,
    dialect,
    baseUrl,
    auth: authOf(row, dialect, apiKey),
    headers: headers ?? {},
    maxTokens: target.maxTokens,
    ...(path === 'exact' ? { path } : {}),
    ...(Object.keys(requestFields).length === 0 ? {} : { requestFields }),
    model: asked,
    ...(apiKey === undefined ? {} : { apiKey: apiKey.trim() }),
    extra,
    textPath,
    body,
    method,
    connect,
  };
}

// Where the embedded simulator speaks a dialect: a plain one at the path of its own name, Ollama's at the root, and
// all others below /v1, where the APIs themselves have them.
function simulatorBase(dialect: string, simulatorUrl: string | undefined): string {
  if (simulatorUrl === undefined) throw new Error('the embedded simulator has not been started');
  const root = simulatorUrl.replace(/\/$/, '');
  if (dialect.startsWith('ollama')) return root;
  return getDialect(dialect).ownsPath(`/${dialect}`) ? `${root}/${dialect}` : `${root}/v1`;
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

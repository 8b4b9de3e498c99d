import type { Secret } from '../model/secrets.ts';
import { DIALECT_NAMES } from '../wire/dialects.ts';
import { PROVIDERS } from '../wire/providers.ts';
import { isConfidential, MASK, urlCredentials, urlSecrets } from './document.ts';
import { parseDuration } from './duration.ts';
import type { EnvUse } from './env.ts';
import type { Scenario } from './schema.ts';

/**
 * All that must not be shown: what came from the environment, keys, header values, secrets in URLs. Words of the
 * scenario's own vocabulary (a provider, a dialect, a mode, a duration, a number) are none, even when they came from
 * the environment: as secrets they would blank out innocent text.
 */
export function collectSecrets(
  scenario: Scenario,
  uses: readonly EnvUse[],
  defaultKeys: ReadonlyMap<number, Secret>,
): Secret[] {
  const found: Secret[] = [...defaultKeys.values(), ...envSecrets(uses)];
  for (const [index, target] of scenario.targets.entries()) {
    const literals = target.apiKey === undefined ? [] : [target.apiKey];
    for (const [name, value] of Object.entries(target.headers ?? {})) {
      if (isConfidential(['targets', index, 'headers', name])) literals.push(value);
    }
    const upstream = target.service?.upstream;
    if (upstream?.apiKey !== undefined) literals.push(upstream.apiKey);
    const urls = [target.url, target.metricsUrl, upstream?.url];
    literals.push(...urls.flatMap((url = '') => urlSecrets(url)), ...proxySecrets(target.proxy ?? ''));
    found.push(...literals.map((value) => ({ name: MASK, value })));
  }
  return distinct(found.flatMap(withParts));
}

/** A proxy's password, and what is made of it on the way: a service may quote the headers that it got. */
function proxySecrets(proxy: string): string[] {
  const { name, password } = urlCredentials(proxy);
  if (name === '' && password === '') return [];
  return [...urlSecrets(proxy), Buffer.from(`${name}:${password}`).toString('base64')];
}

/** What came from the environment and must not be shown. */
export function envSecrets(uses: readonly EnvUse[]): Secret[] {
  return uses.flatMap(({ path, values }) =>
    values.filter(({ value }) => isConfidential(path) || !isPublic(value)),
  );
}

const WORDS: readonly string[] = ['streaming', 'non-streaming', 'true', 'false', 'GET', 'POST', 'custom'];

function isPublic(value: string): boolean {
  const number = value.trim() !== '' && Number.isFinite(Number(value)) && value.length < 12;
  const named =
    WORDS.includes(value) || DIALECT_NAMES.includes(value) || PROVIDERS.some(({ name }) => name === value);
  return number || named || parseDuration(value) !== undefined;
}

// A service may quote a key without the scheme before it or the white space around it.
function withParts(secret: Secret): Secret[] {
  const trimmed = secret.value.trim();
  const credential = /^(?:Bearer|Basic|Token|ApiKey)\s+(.+)$/i.exec(trimmed)?.[1];
  const values = [secret.value, trimmed, ...(credential === undefined ? [] : [credential])];
  return values.filter((value) => value !== '').map((value) => ({ name: secret.name, value }));
}

// The first name wins: a variable's name says more than the mask.
function distinct(secrets: readonly Secret[]): Secret[] {
  const byValue = new Map<string, Secret>();
  for (const secret of secrets) if (!byValue.has(secret.value)) byValue.set(secret.value, secret);
  return [...byValue.values()];
}

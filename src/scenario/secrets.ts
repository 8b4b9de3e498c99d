import { headerSecrets, isCredentialName, type Secret } from '../model/redaction/secrets.ts';
import { urlSecrets } from '../model/redaction/url-secrets.ts';
import { DIALECT_NAMES } from '../wire/dialects/index.ts';
import { PROVIDERS } from '../wire/providers.ts';
import { isConfidential, MASK } from './document.ts';
import { type EnvUse, hasReference } from './env.ts';
import type { Scenario } from './schema/scenario.ts';
import { parseDuration } from './size-and-duration.ts';
import { mapScalars } from './value-paths.ts';

/**
 * All secrets of a scenario: values from the environment, keys, header values, secrets in URLs. Values of the scenario's own
 * vocabulary (a provider, a dialect, a mode, a duration, a number) are not secrets, even from the environment, because
 * redacting them would hide ordinary text.
 */
export function collectSecrets(
  scenario: Scenario,
  uses: readonly EnvUse[],
  defaultKeys: ReadonlyMap<number, Secret>,
): Secret[] {
  const found: Secret[] = [...defaultKeys.values(), ...envSecrets(uses)];
  for (const { apiKey, headers = {}, service, url = '', metricsUrl = '', proxy = '' } of scenario.targets) {
    const { apiKey: upstreamKey, url: upstreamUrl = '' } = service?.upstream ?? {};
    const literals = [apiKey, upstreamKey, ...[url, metricsUrl, upstreamUrl, proxy].flatMap(urlSecrets)];
    found.push(...literals.filter((value) => value !== undefined).map((value) => ({ name: MASK, value })));
    found.push(...headerSecrets(headers, () => MASK));
  }
  return distinct(found);
}

/**
 * The secrets of an invalid document: values from the environment, texts at the place of a key or under a name such as
 * `api_key`, and secrets in URLs.
 */
export function documentSecrets(document: unknown, uses: readonly EnvUse[]): Secret[] {
  const found = envSecrets(uses);
  mapScalars(document, (value, path) => {
    if (typeof value !== 'string' || hasReference(value)) return value;
    const named = path.some((key) => MISPLACED.test(String(key)));
    const values = isConfidential(path) || named ? [value] : urlSecrets(value);
    found.push(...values.map((secret) => ({ name: MASK, value: secret })));
    return value;
  });
  return distinct(found);
}

// Stricter than isCredentialName, which also matches maxTokens and tokenizer.
const MISPLACED =
  /^(x-)?(api|access|secret|auth)?[-_]?(key|token|secret|password|authorization|credentials?)$/i;

/** The secrets from the environment. */
function envSecrets(uses: readonly EnvUse[]): Secret[] {
  return uses.flatMap(({ path, values }) =>
    values
      .filter(({ value }) => isConfidential(path) || !isPublic(value))
      .map((secret) =>
        isConfidential(path) || isCredentialName(secret.name) ? secret : { ...secret, whole: true },
      ),
  );
}

const WORDS: readonly string[] = ['streaming', 'non-streaming', 'true', 'false', 'GET', 'POST', 'custom'];

function isPublic(value: string): boolean {
  const number = value.trim() !== '' && Number.isFinite(Number(value)) && value.length < 12;
  const named =
    WORDS.includes(value) || DIALECT_NAMES.includes(value) || PROVIDERS.some(({ name }) => name === value);
  return number || named || parseDuration(value) !== undefined;
}

// The first name is used: the name of a variable is more useful than the mask.
function distinct(secrets: readonly Secret[]): Secret[] {
  const byValue = new Map<string, Secret>();
  for (const secret of secrets) if (!byValue.has(secret.value)) byValue.set(secret.value, secret);
  return [...byValue.values()];
}

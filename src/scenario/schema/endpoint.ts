import * as z from 'zod';
import type { ErrorCode } from '../../model/errors.ts';
import { DIALECT_NAMES } from '../../wire/dialects/index.ts';
import { PROVIDERS, type Provider } from '../../wire/providers.ts';
import { text } from './fields.ts';

/** The fields that say where a model is, whether it is measured itself or stands behind a service that is. */

/** The provider of an endpoint that only has a URL. */
export const CUSTOM = 'custom';

/** The provider that a run starts by itself. */
export const SIMULATOR = 'simulator';

/** The row of a provider; undefined for a name that is not known, and for `custom`. */
export function providerRow(name: unknown): Provider | undefined {
  return PROVIDERS.find((row) => row.name === name);
}

function known(what: string, names: () => readonly string[], code: ErrorCode) {
  return text().superRefine((value, context) => {
    if (names().includes(value)) return;
    context.addIssue({ code: 'custom', message: `unknown ${what}`, params: { names: names(), code } });
  });
}

const A_URL = 'a URL that begins with http:// or https://';

/** The name of a provider. */
export function providerName() {
  return known('provider', () => [...PROVIDERS.map((row) => row.name), CUSTOM], 'unknown_provider');
}

/** The name of a dialect. */
export function dialectName() {
  return known('dialect', () => DIALECT_NAMES, 'unknown_dialect');
}

/** An http or https URL. */
export function httpUrl() {
  return z
    .string({ error: A_URL })
    .refine((value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol), { error: A_URL });
}

/** A key, which is not the name of a variable. */
export function apiKey() {
  return text().refine((value) => !/^\$(?!\{env:)\{?\w+\}?$/.test(value), {
    error: `the key, or \${env:NAME} to read it`,
  });
}

/** Fields that cannot be together, or cannot be apart. */
export interface Contradiction {
  message: string;
  path?: string[];
  params?: { hint: string };
}

/** What is missing for a request to get there. Is shown values with problems too, so it trusts no type. */
export function endpointProblems(value: Readonly<Record<string, unknown>>, what: string): Contradiction[] {
  const { provider = CUSTOM, url, dialect, model, body } = value;
  if (provider === CUSTOM) {
    if (url === undefined) {
      return [{ message: `${what} says not where it is`, params: { hint: 'give provider or url' } }];
    }
    if (dialect !== undefined) return [];
    const hint = `give dialect (${DIALECT_NAMES.join(', ')}) or provider`;
    return [{ message: `${what} does not say which dialect its url speaks`, params: { hint } }];
  }
  const row = providerRow(provider);
  if (row === undefined || row.name === SIMULATOR || url !== undefined) return [];
  if (row.baseUrl === undefined) {
    return [{ message: `provider ${row.name} has no address of its own`, params: { hint: 'give url' } }];
  }
  if (model !== undefined || body !== undefined) return [];
  return [{ message: `provider ${row.name} needs a model`, params: { hint: 'give model' } }];
}

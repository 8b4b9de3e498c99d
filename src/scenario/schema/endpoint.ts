import * as z from 'zod';
import type { ErrorCode } from '../../model/errors.ts';
import { DIALECT_NAMES } from '../../wire/dialects/index.ts';
import { PROVIDERS, type Provider } from '../../wire/providers.ts';
import { text } from './fields.ts';

/** The fields of an endpoint, for a target and for the upstream of the reference service. */

/** The provider of an endpoint without a provider, which only has a URL. */
export const CUSTOM = 'custom';

/** The embedded simulator, which a run starts itself. */
export const SIMULATOR = 'simulator';

/** The row of a provider; undefined for `custom` and for an unknown name. */
export function providerRow(name: unknown): Provider | undefined {
  return PROVIDERS.find((row) => row.name === name);
}

/** The dialect of an endpoint: its own, or its provider's. Throws if it has neither, which the schema refuses. */
export function dialectOf({ dialect, provider }: { dialect?: string; provider?: string }): string {
  const found = dialect ?? providerRow(provider)?.dialect;
  if (found === undefined) throw new Error('the endpoint has no dialect');
  return found;
}

function known(what: string, names: () => readonly string[], code: ErrorCode) {
  return text().superRefine((value, context) => {
    if (names().includes(value)) return;
    context.addIssue({ code: 'custom', message: `unknown ${what}`, params: { names: names(), code } });
  });
}

const A_URL = 'a URL that starts with http:// or https://';

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

/** An API key; a bare variable name such as `$KEY` is rejected. */
export function apiKey() {
  return text().refine((value) => !/^\$(?!\{env:)\{?\w+\}?$/.test(value), {
    error: `the key, or \${env:NAME} to read it`,
  });
}

/** A conflict between fields, or a missing field. */
export interface Contradiction {
  message: string;
  path?: string[];
  params?: { hint: string };
}

/** Missing fields of an endpoint. The value may have other problems, so no type is assumed. */
export function endpointProblems(value: Readonly<Record<string, unknown>>, what: string): Contradiction[] {
  const { provider = CUSTOM, url, dialect, model, body } = value;
  if (provider === CUSTOM) {
    if (url === undefined) {
      return [{ message: `${what} has neither provider nor url`, params: { hint: 'add provider or url' } }];
    }
    if (dialect !== undefined) return [];
    const hint = `add dialect (${DIALECT_NAMES.join(', ')}) or provider`;
    return [{ message: `${what} has a url but no dialect`, params: { hint } }];
  }
  const row = providerRow(provider);
  if (row === undefined || row.name === SIMULATOR || url !== undefined) return [];
  if (row.baseUrl === undefined) {
    return [{ message: `provider ${row.name} has no default URL`, params: { hint: 'add url' } }];
  }
  if (model !== undefined || body !== undefined) return [];
  return [{ message: `provider ${row.name} needs a model`, params: { hint: 'add model' } }];
}

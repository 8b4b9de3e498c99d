import * as z from 'zod';
import type { ErrorCode } from '../model/errors.ts';
import { DIALECT_NAMES } from '../wire/dialects.ts';
import { PROVIDERS, type Provider } from '../wire/providers.ts';
import { connectionContradictions, connectionFields } from './connection-schema.ts';
import { ALWAYS, choice, mapping, text } from './fields.ts';

/** The provider of a target that only has a URL. */
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

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

const A_URL = 'a URL that begins with http:// or https://';
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The parser of one target. */
export const targetSchema = mapping({
  name: text().describe('The name in tables, records and thresholds.'),
  provider: known('provider', () => [...PROVIDERS.map((row) => row.name), CUSTOM], 'unknown_provider')
    .optional()
    .describe(
      'A provider known by name, which brings address, dialect and auth; simulator is the embedded one.',
    ),
  url: z
    .string({ error: A_URL })
    .refine(isHttpUrl, { error: A_URL })
    .optional()
    .describe("The API's base URL, or the full URL of the endpoint. Default: the provider's."),
  dialect: known('dialect', () => DIALECT_NAMES, 'unknown_dialect')
    .optional()
    .describe("The wire format that is spoken there. Default: the provider's."),
  model: text().optional().describe("The model's name, as the provider knows it."),
  apiKey: text()
    .refine((value) => !/^\$(?!\{env:)\{?\w+\}?$/.test(value), {
      error: `the key, or \${env:NAME} to read it`,
    })
    .optional()
    .describe(`The key, best as \${env:NAME}. Default: the provider's usual environment variable.`),
  headers: z
    .record(
      z.string().regex(HEADER_NAME, { error: 'the name of a header' }),
      z.string({ error: 'text' }).regex(HEADER_VALUE, { error: 'one line of text' }),
      { error: 'a mapping of header names to texts' },
    )
    .optional()
    .describe('Further request headers.'),
  extra: z
    .record(z.string(), z.unknown(), { error: 'a mapping of body fields' })
    .optional()
    .describe('Further fields of the request body, such as temperature.'),
  textPath: text()
    .optional()
    .describe(
      "For the dialects sse and ndjson: where the text is in an event's JSON (choices.0.delta.content).",
    ),
  body: text().optional().describe('For plain endpoints: the request body, sent as it is.'),
  method: choice(['GET', 'POST'])
    .optional()
    .describe('For plain endpoints: the method. Default: the dialect decides.'),
  profile: text()
    .optional()
    .describe("For the simulator: the name of a profile. Default: the target's model."),
  ...connectionFields,
})
  .superRefine((value: unknown, context) => {
    for (const issue of contradictions(value)) context.addIssue({ code: 'custom', params: {}, ...issue });
  }, ALWAYS)
  .meta({ anyOf: [{ required: ['provider'] }, { required: ['url'] }] });

/** A target as a scenario gives it. */
export type ScenarioTarget = z.output<typeof targetSchema>;

interface Contradiction {
  message: string;
  path?: string[];
  params?: { hint: string };
}

// What the fields of a target must be together. It is shown targets with problems too, so it trusts no type.
function contradictions(value: unknown): Contradiction[] {
  if (typeof value !== 'object' || value === null) return [];
  const { provider = CUSTOM, url, dialect, model, body, profile } = value as Record<string, unknown>;
  const found: Contradiction[] = connectionContradictions(value as Record<string, unknown>);
  if (profile !== undefined && provider !== SIMULATOR) {
    found.push({ path: ['profile'], message: 'a profile is for targets with provider: simulator' });
  }
  if (provider === CUSTOM) {
    if (url === undefined) {
      found.push({ message: 'the target says not where it is', params: { hint: 'give provider or url' } });
    } else if (dialect === undefined) {
      const hint = `give dialect (${DIALECT_NAMES.join(', ')}) or provider`;
      found.push({ message: 'the target says not which dialect its url speaks', params: { hint } });
    }
    return found;
  }
  const row = providerRow(provider);
  if (row === undefined || row.name === SIMULATOR || url !== undefined) return found;
  if (row.baseUrl === undefined) {
    found.push({ message: `provider ${row.name} has no address of its own`, params: { hint: 'give url' } });
  } else if (model === undefined && body === undefined) {
    found.push({ message: `provider ${row.name} needs a model`, params: { hint: 'give model' } });
  }
  return found;
}

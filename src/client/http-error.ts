import type { Outcome } from '../model/record.ts';
import { readErrorBody } from '../wire/errors.ts';
import { asObject, excerpt, parseJson } from '../wire/json.ts';
import { BODY_CHARS, type Evidence } from './evidence.ts';
import { NETWORK_HINT } from './network-error.ts';

/** The outcome of a response whose status is not one of success. */
export function httpError(status: number, evidence: Evidence): Outcome {
  const { bodyPrefix, headers } = evidence;
  const read = readErrorBody(bodyPrefix);
  const said =
    read?.message ?? (headers.location === undefined ? undefined : `redirect to ${headers.location}`);
  const outcome: Outcome = {
    kind: status === 429 || read?.rateLimited ? 'rate_limited' : 'http_error',
    message: `HTTP ${status}${said === undefined ? '' : `: ${excerpt(said, 300)}`}`,
    status,
  };
  if (read?.code !== undefined) outcome.code = read.code;
  if (bodyPrefix.trim() !== '') outcome.body = bodyPrefix.slice(0, BODY_CHARS);
  const hint = hintOf(status, evidence, said ?? '');
  if (hint !== undefined) outcome.hint = hint;
  return outcome;
}

function hintOf(status: number, evidence: Evidence, said: string): string | undefined {
  switch (status) {
    case 400:
    case 422:
      return refusedField(evidence, said);
    case 401:
    case 403:
      return 'check the key, and that the provider is the right one';
    case 404:
    case 405:
      return wrongPlace(status, evidence, said);
    case 407:
      return NETWORK_HINT.PROXY_AUTH;
    default:
      return status < 400 ? redirect(evidence.headers.location ?? '') : undefined;
  }
}

function redirect(location: string): string {
  return /log-?in|sign-?in|sso|oauth|auth\b/i.test(location)
    ? 'this leads to a login page: send the key or cookie that the service asks for (--api-key, -H)'
    : 'redirects are not followed: use the address it points to';
}

function wrongPlace(status: number, { asked, headers }: Evidence, said: string): string {
  const { method, appended } = asked;
  // A service that knows its models was found, and its own words say more than we can.
  if (status === 404 && /\b(model|deployment)s?\b/i.test(said)) return "check the model's name";
  const allowed = headers.allow?.toUpperCase() ?? '';
  if (method === 'GET' && !allowed.includes('GET')) {
    return `the request was a GET: where the endpoint takes a POST, add --method POST${allowed.includes('POST') ? ', as its allow header says' : ''}`;
  }
  if (status === 405 && allowed.includes('GET') && !allowed.includes('POST')) {
    return 'the endpoint takes a GET: add --method GET';
  }
  if (appended !== undefined) {
    return `${appended} was added to the URL, as the dialect ${asked.dialect} has it: check the base URL, or take the URL as it is with --exact-url`;
  }
  return "check the URL's path, the dialect and the model's name";
}

/** What no request can do without: to leave it out would not help. */
const NEEDED: ReadonlySet<string> = new Set([
  ...['model', 'messages', 'message', 'prompt', 'input', 'inputs', 'contents', 'query', 'user', 'stream'],
]);

/** How to leave out or rename a field that the request had and the service's answer names. */
function refusedField({ asked, bodyPrefix }: Evidence, said: string): string | undefined {
  const sent = asObject(parseJson(asked.body ?? ''));
  if (sent === undefined) return undefined;
  const error = asObject(asObject(parseJson(bodyPrefix))?.error);
  const field =
    namedField(sent, typeof error?.param === 'string' ? error.param : '') ??
    namedField(sent, said) ??
    namedField(sent, bodyPrefix);
  if (field === undefined) return undefined;
  const [path, value] = field;
  const other = /\buse\s+[`'"]?([a-z][a-z0-9_]*)[`'"]?\s+instead/i.exec(said)?.[1];
  if (other !== undefined && other !== path.at(-1)) {
    const renamed = [...path.slice(0, -1), other];
    return `the service wants \`${renamed.join('.')}\` instead of \`${path.join('.')}\`: rename it with extra: ${inExtra(path, null, other, value)}`;
  }
  const set = `--set targets.0.extra.${path.join('.')}=null`;
  return `the service refuses \`${path.join('.')}\`: remove it with extra: ${inExtra(path, null)} (${set})`;
}

function inExtra(path: readonly string[], value: unknown, beside?: string, besideValue?: unknown): string {
  const leaf = `${path.at(-1)}: ${JSON.stringify(value)}`;
  const fields = beside === undefined ? leaf : `${leaf}, ${beside}: ${JSON.stringify(besideValue)}`;
  return path.slice(0, -1).reduceRight((inner, key) => `{ ${key}: ${inner} }`, `{ ${fields} }`);
}

type Field = readonly [path: readonly string[], value: unknown];

/** The field of the request, or of an object in it, that a text names first. */
function namedField(sent: Readonly<Record<string, unknown>>, text: string): Field | undefined {
  const fields: Field[] = [];
  for (const [name, value] of Object.entries(sent)) {
    if (!NEEDED.has(name)) fields.push([[name], value]);
    if (NEEDED.has(name)) continue;
    for (const [inner, innerValue] of Object.entries(asObject(value) ?? {}))
      fields.push([[name, inner], innerValue]);
  }
  let found: Field | undefined;
  let foundAt = Number.POSITIVE_INFINITY;
  for (const field of fields) {
    const at = text.search(new RegExp(`(?<![\\w])${escaped(field[0].at(-1)!)}(?![\\w])`));
    if (at !== -1 && at < foundAt) {
      found = field;
      foundAt = at;
    }
  }
  return found;
}

function escaped(name: string): string {
  return name.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

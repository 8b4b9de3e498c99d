import { createHash } from 'node:crypto';
import { hasReference } from './env.ts';
import { mapScalars, type Path } from './paths.ts';

/** The document as reports keep it: what was asked for, with no secret in it. */

/** Stands where a key or a header's value was written out in full. */
export const MASK = '[secret]';

// Header values under these names say nothing about the user, and would blank out innocent text if they were secret.
const PUBLIC_HEADER = /^(accept|accept-[a-z]+|cache-control|content-type|user-agent)$/i;

/** True when a value at this path of the document is confidential, however it was given. */
export function isConfidential(path: Path): boolean {
  if (path[0] !== 'targets') return false;
  return path.at(-1) === 'apiKey' || (path[2] === 'headers' && !PUBLIC_HEADER.test(String(path[3])));
}

const SECRET_PARAMETER = /key|token|secret|signature|sig$|password|auth/i;

// Text, not `URL`: what was written is masked as it was written, and also where it is no valid address.
const USER_INFO = /^(\s*[a-z][\w+.-]*:\/\/)([^/?#]*)@/i;
const PARAMETER = /([?&])([^=&#]+)=([^&#]*)/g;
const ONLY_PLACEHOLDER = /^\{\{\s*\w+\s*\}\}$/;

// A colon inside of `${env:NAME}` is no separator.
function credentials(userInfo: string): { name: string; password: string } {
  const [, name = '', password = ''] = /^((?:\$\{[^}]*\}|[^:])*)(?::(.*))?$/s.exec(userInfo) ?? [];
  return { name, password };
}

/** Name and password in front of a URL's host, decoded; empty where there are none. */
export function urlCredentials(url: string): { name: string; password: string } {
  const { name, password } = credentials(USER_INFO.exec(url)?.[2] ?? '');
  return { name: decoded(name), password: decoded(password) };
}

/**
 * The secrets inside a URL, as written and decoded: its password (or, without one, its user name, which then is a token)
 * and the values of parameters that are named like keys.
 */
export function urlSecrets(url: string): string[] {
  const { name, password } = credentials(USER_INFO.exec(url)?.[2] ?? '');
  const parameters = Array.from(url.matchAll(PARAMETER))
    .filter(([, , key = '', value = '']) => isSecretParameter(key, value))
    .map(([, , , value = '']) => value);
  const written = [password || name, ...parameters];
  const values = [...written.map(decoded), ...parameters.map((value) => decoded(value.replaceAll('+', ' ')))];
  return [...new Set([...values, ...written])].filter((value) => value !== '');
}

/** A URL with its secrets masked. References to the environment stay. */
export function maskUrl(url: string): string {
  const mask = (value: string) => (value === '' || hasReference(value) ? value : MASK);
  return url
    .replace(USER_INFO, (_, scheme: string, userInfo: string) => {
      const { name, password } = credentials(userInfo);
      return `${scheme}${password === '' ? mask(name) : `${name}:${mask(password)}`}@`;
    })
    .replace(PARAMETER, (whole, before: string, key: string, value: string) =>
      isSecretParameter(key, value) ? `${before}${key}=${mask(value)}` : whole,
    );
}

function isSecretParameter(key: string, value: string): boolean {
  return SECRET_PARAMETER.test(decoded(key)) && !ONLY_PLACEHOLDER.test(value);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone percent sign: meant as it stands.
  }
}

/** A copy in which keys, header values and secrets in addresses that were written out are masked. References stay. */
export function maskDocument(document: unknown): unknown {
  return mapScalars(document, (value, path) => {
    if (isConfidential(path)) return typeof value === 'string' && hasReference(value) ? value : MASK;
    return typeof value === 'string' && isAddress(path) ? maskUrl(value) : value;
  });
}

function isAddress(path: Path): boolean {
  const key = path.at(-1);
  return path[0] === 'targets' && (key === 'url' || key === 'proxy' || key === 'metricsUrl');
}

const BESIDE_THE_POINT = new Set([
  'name',
  'description',
  'thresholds',
  'objectives',
  'keepText',
  'keepGoing',
]);

/**
 * SHA-256 in hex of a document and the texts of its prompt files: what two runs must have in common to be compared. The
 * order of keys, comments and formatting do not count, nor does what changes no figure: the name, the description, the
 * thresholds and objectives. The order of lists does.
 */
export function hashDocument(document: unknown, files: ReadonlyMap<string, string>): string {
  const texts = Object.fromEntries(files);
  const measured = Object.entries((document ?? {}) as object).filter(([key]) => !BESIDE_THE_POINT.has(key));
  return createHash('sha256')
    .update(canonical({ document: Object.fromEntries(measured), files: texts }))
    .digest('hex');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`);
  return `{${entries.join(',')}}`;
}

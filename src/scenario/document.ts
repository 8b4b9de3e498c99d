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
  return path[2] === 'apiKey' || (path[2] === 'headers' && !PUBLIC_HEADER.test(String(path[3])));
}

const SECRET_PARAMETER = /key|token|secret|signature|sig$|password|auth/i;

/** The secrets inside a URL: its password and the values of parameters that are named like keys. */
export function urlSecrets(url: string): string[] {
  if (!URL.canParse(url)) return [];
  const { password, searchParams } = new URL(url);
  const parameters = [...searchParams]
    .filter(([name]) => SECRET_PARAMETER.test(name))
    .map(([, value]) => value);
  return [decodeURIComponent(password), ...parameters].filter((value) => value !== '');
}

/** A URL with its secrets masked. References to the environment stay. */
export function maskUrl(url: string): string {
  return urlSecrets(url)
    .filter((secret) => !hasReference(secret))
    .reduce(
      (text, secret) => text.replaceAll(secret, MASK).replaceAll(encodeURIComponent(secret), MASK),
      url,
    );
}

/** A copy in which keys, header values and secrets in URLs that were written out are masked. References stay. */
export function maskDocument(document: unknown): unknown {
  return mapScalars(document, (value, path) => {
    if (isConfidential(path)) return typeof value === 'string' && hasReference(value) ? value : MASK;
    if (typeof value !== 'string' || path[0] !== 'targets' || path[2] !== 'url') return value;
    return urlSecrets(value)
      .filter((secret) => !hasReference(secret))
      .reduce(
        (url, secret) => url.replaceAll(secret, MASK).replaceAll(encodeURIComponent(secret), MASK),
        value,
      );
  });
}

const BESIDE_THE_POINT = new Set(['name', 'description', 'thresholds', 'keepText']);

/**
 * SHA-256 in hex of a document and the texts of its prompt files: what two runs must have in common to be compared. The
 * order of keys, comments and formatting do not count, nor does what changes no figure: the name, the description, the
 * thresholds. The order of lists does.
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

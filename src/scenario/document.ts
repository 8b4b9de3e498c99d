import { createHash } from 'node:crypto';
import { isSecretHeader } from '../model/redaction/secrets.ts';
import { replaceUrlSecrets } from '../model/redaction/url-secrets.ts';
import { hasReference } from './env.ts';
import { mapScalars, type Path } from './value-paths.ts';

/** The document as reports keep it: what was asked for, with no secret in it. */

/** Stands where a key or a header's value was written out in full. */
export const MASK = '[secret]';

/** True when a value at this path of the document is confidential, however it was given. */
export function isConfidential(path: Path): boolean {
  if (path[0] !== 'targets') return false;
  return path.at(-1) === 'apiKey' || (path[2] === 'headers' && isSecretHeader(String(path[3])));
}

/** A URL with its secrets masked. References to the environment stay. */
export function maskUrl(url: string): string {
  return replaceUrlSecrets(url, (value) => (value === '' || hasReference(value) ? value : MASK));
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

const KEYS_NOT_HASHED = new Set(['name', 'description', 'thresholds', 'objectives', 'keepText', 'keepGoing']);

/**
 * SHA-256 in hex of a document and the texts of its prompt files: what two runs must have in common to be compared. The
 * order of keys, comments and formatting do not count, nor does what changes no figure: the name, the description, the
 * thresholds and objectives. The order of lists does.
 */
export function hashDocument(document: unknown, files: ReadonlyMap<string, string>): string {
  const texts = Object.fromEntries(files);
  const measured = Object.entries((document ?? {}) as object).filter(([key]) => !KEYS_NOT_HASHED.has(key));
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

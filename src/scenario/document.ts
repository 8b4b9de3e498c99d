import { createHash } from 'node:crypto';
import { isSecretHeader } from '../model/redaction/secrets.ts';
import { replaceUrlSecrets } from '../model/redaction/url-secrets.ts';
import { hasReference } from './env.ts';
import { mapScalars, type Path } from './value-paths.ts';

/** The scenario document for reports, without secrets, and its hash. */

/** Replaces a literal key or header value. */
export const MASK = '[secret]';

/** True if a value at this path of the document is confidential. */
export function isConfidential(path: Path): boolean {
  if (path[0] !== 'targets') return false;
  return path.at(-1) === 'apiKey' || (path[2] === 'headers' && isSecretHeader(String(path[3])));
}

/** A URL with masked secrets. References to the environment are kept. */
export function maskUrl(url: string): string {
  return replaceUrlSecrets(url, (value) => (value === '' || hasReference(value) ? value : MASK));
}

/** A copy with literal keys, header values and URL secrets masked. References to the environment are kept. */
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

const KEYS_NOT_HASHED = new Set([
  ...['name', 'description', 'thresholds', 'objectives', 'regressions'],
  ...['keepText', 'keepChunks', 'keepGoing'],
]);

/**
 * SHA-256 in hex of a document and the texts of its prompt files. Runs with equal hashes are comparable. The order of keys,
 * comments and formatting are ignored, and so are fields that affect no figure, such as name, thresholds, objectives, regressions and prices. The
 * order of lists matters.
 */
export function hashDocument(document: unknown, files: ReadonlyMap<string, string>): string {
  const texts = Object.fromEntries(files);
  const measured = Object.entries((document ?? {}) as object)
    .filter(([key]) => !KEYS_NOT_HASHED.has(key))
    .map(([key, value]) => [key, key === 'targets' ? withoutPrices(value) : value]);
  return createHash('sha256')
    .update(canonical({ document: Object.fromEntries(measured), files: texts }))
    .digest('hex');
}

/** Runs before and after a change of price are comparable. */
function withoutPrices(targets: unknown): unknown {
  if (!Array.isArray(targets)) return targets;
  return targets.map((target: unknown) =>
    typeof target === 'object' && target !== null ? { ...target, price: undefined } : target,
  );
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

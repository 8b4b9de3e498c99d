import { dialectOfUrl } from '../wire/dialects.ts';

/**
 * The dialect that a URL speaks, by its path: the first that calls the path its own, or else `sse`, because any
 * endpoint that streams at all most likely sends Server-Sent Events.
 */
export function dialectOf(url: string): string {
  return dialectOfUrl(url) ?? 'sse';
}

/** True for the dialects of plain endpoints, which can be asked with a GET. */
export function isPlainDialect(dialect: string): boolean {
  return dialect === 'sse' || dialect === 'ndjson' || dialect === 'raw';
}

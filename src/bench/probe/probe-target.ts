import { dialectOfUrl } from '../../wire/dialects.ts';

/**
 * The dialect that a URL speaks, by its path: the first that calls the path its own, or else `sse`, because any
 * endpoint that streams at all most likely sends Server-Sent Events.
 */
export function dialectOf(url: string): string {
  return dialectOfUrl(url) ?? 'sse';
}

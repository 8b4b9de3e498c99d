import { UserError } from '../model/errors.ts';
import type { PathUse } from '../model/plan.ts';
import type { Dialect } from '../wire/dialect.ts';

/** Origin and path of a request. */
export interface Address {
  origin: URL;
  /** Path and query. */
  path: string;
  /** The dialect's path, if it was appended to the URL; empty if the URL was used as it is. */
  appendedPath: string;
}

/**
 * The address of a request. `baseUrl` is the API's base URL, to which the dialect's path is appended. A URL that already ends
 * in the dialect's own path is used as it is: it keeps its model, but the part that selects streaming
 * (`:streamGenerateContent`, `/generate_stream`, `/converse-stream`) is taken from `path`. The URL's query string is kept.
 * With `use: 'exact'` nothing is appended or changed, whatever the dialect and the mode. Throws a `UserError` for anything but
 * an http(s) URL.
 */
export function addressOf(
  baseUrl: string,
  dialect: Dialect,
  path: string,
  use: PathUse = 'dialect',
): Address {
  const url = parseUrl(baseUrl);
  const origin = new URL(url.origin);
  if (use === 'exact') return { origin, path: `${url.pathname}${url.search}`, appendedPath: '' };
  const [ownPath = '', ownQuery = ''] = path.split('?', 2);
  const whole = dialect.ownsPath(url.pathname);
  const pathname = whole
    ? inMode(url.pathname, ownPath, endingsOf(dialect))
    : url.pathname.replace(/\/+$/, '') + ownPath;
  // Parameters that a complete URL already has are not repeated, and those of the other mode are removed.
  const kept = parameters(url.search).filter((part) => !whole || !endingsOf(dialect).queries.has(part));
  const query = [...kept, ...parameters(ownQuery)].join('&');
  return {
    origin,
    path: `${pathname || '/'}${query === '' ? '' : `?${query}`}`,
    appendedPath: whole ? '' : ownPath,
  };
}

function parameters(query: string): string[] {
  return query
    .replace(/^\?/, '')
    .split('&')
    .filter((part) => part !== '');
}

/** How the paths of a dialect end where the two modes differ, and their query parameters. */
interface Endings {
  streaming: string;
  whole: string;
  queries: ReadonlySet<string>;
}

const endingsByDialect = new WeakMap<Dialect, Endings>();

// Cached, because the dialect writes a whole request to give its path.
function endingsOf(dialect: Dialect): Endings {
  const known = endingsByDialect.get(dialect);
  if (known !== undefined) return known;
  const split = (stream: boolean) => dialect.request({ messages: [], stream }).path.split('?', 2);
  const [a = '', aQuery = ''] = split(true);
  const [b = '', bQuery = ''] = split(false);
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const found: Endings = {
    streaming: a.slice(same),
    whole: b.slice(same),
    queries: new Set([...parameters(aQuery), ...parameters(bQuery)]),
  };
  endingsByDialect.set(dialect, found);
  return found;
}

function inMode(pathname: string, ownPath: string, { streaming, whole }: Endings): string {
  // Neither ending is a suffix of the other, unless one of them is empty: `/converse` and `/converse-stream`.
  const isStreaming = streaming === '' ? !pathname.endsWith(whole) : pathname.endsWith(streaming);
  const wantsStreaming = streaming === '' ? !ownPath.endsWith(whole) : ownPath.endsWith(streaming);
  if (isStreaming === wantsStreaming) return pathname;
  const [from, to] = wantsStreaming ? [whole, streaming] : [streaming, whole];
  return pathname.endsWith(from) ? pathname.slice(0, pathname.length - from.length) + to : pathname;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new UserError('usage', {
      message: `"${text}" is not an http or https URL`,
      hint: 'write it in full, such as http://127.0.0.1:8000/v1',
    });
  }
  return url;
}

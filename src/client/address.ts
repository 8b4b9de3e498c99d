import { UserError } from '../model/errors.ts';
import type { PathUse } from '../model/plan.ts';
import type { Dialect } from '../wire/dialect.ts';

/** Origin and path of a request. */
export interface Address {
  origin: URL;
  /** Path and query. */
  path: string;
  /** The dialect's path, where it was added to the URL; empty where the URL was taken whole. */
  appended: string;
}

/**
 * Where a request goes. `baseUrl` is the API's base, to which the dialect's path is added; when it already ends in the
 * dialect's own path it is taken whole. Then the model stays as the URL has it, but what tells a streaming request from
 * another (`:streamGenerateContent`, `/generate_stream`, `/converse-stream`) is as `path` has it. The URL's query string
 * is kept. With `use: 'exact'` nothing is added or changed, whatever the dialect and the mode. Throws a `UserError` when
 * it is no http(s) URL.
 */
export function addressOf(
  baseUrl: string,
  dialect: Dialect,
  path: string,
  use: PathUse = 'dialect',
): Address {
  const url = parseUrl(baseUrl);
  const origin = new URL(url.origin);
  if (use === 'exact') return { origin, path: `${url.pathname}${url.search}`, appended: '' };
  const [ownPath = '', ownQuery = ''] = path.split('?', 2);
  const whole = dialect.ownsPath(url.pathname);
  const pathname = whole
    ? inMode(url.pathname, ownPath, endingsOf(dialect))
    : url.pathname.replace(/\/+$/, '') + ownPath;
  // What a URL that is taken whole has already is not said twice, nor kept where it is of the other mode only.
  const kept = parameters(url.search).filter((part) => !whole || !endingsOf(dialect).queries.has(part));
  const query = [...kept, ...parameters(ownQuery)].join('&');
  return {
    origin,
    path: `${pathname || '/'}${query === '' ? '' : `?${query}`}`,
    appended: whole ? '' : ownPath,
  };
}

function parameters(query: string): string[] {
  return query
    .replace(/^\?/, '')
    .split('&')
    .filter((part) => part !== '');
}

/** What the paths of a dialect end in, where that differs between the modes, and the queries they bring. */
interface Endings {
  streaming: string;
  whole: string;
  queries: ReadonlySet<string>;
}

const endings = new WeakMap<Dialect, Endings>();

// The paths are made anew for each request, and the body with them: once is enough to see what they end in.
function endingsOf(dialect: Dialect): Endings {
  const known = endings.get(dialect);
  if (known !== undefined) return known;
  const [streaming, whole] = [true, false].map((stream) => dialect.request({ messages: [], stream }).path);
  const [a = '', aQuery = ''] = streaming!.split('?', 2);
  const [b = '', bQuery = ''] = whole!.split('?', 2);
  let same = 0;
  while (same < a.length && a[same] === b[same]) same++;
  const found: Endings = {
    streaming: a.slice(same),
    whole: b.slice(same),
    queries: new Set([...parameters(aQuery), ...parameters(bQuery)]),
  };
  endings.set(dialect, found);
  return found;
}

function inMode(pathname: string, ownPath: string, { streaming, whole }: Endings): string {
  // Neither end is that of the other, except where one of them is empty: `/converse` and `/converse-stream`.
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

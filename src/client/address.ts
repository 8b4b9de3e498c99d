import { UserError } from '../model/errors.ts';
import type { WireFormat } from '../wire/format.ts';

/** Origin and path of a request. */
export interface Address {
  origin: URL;
  /** Path and query. */
  path: string;
}

/**
 * Where a request goes. `baseUrl` is the API's base, to which the dialect's path is added; when it already ends in the
 * dialect's own path it is taken whole. Its query string is kept. Throws a `UserError` when it is no http(s) URL.
 */
export function addressOf(baseUrl: string, format: WireFormat, path: string): Address {
  const url = parseUrl(baseUrl);
  const [ownPath = '', ownQuery] = path.split('?', 2);
  const pathname = format.ownsPath(url.pathname) ? url.pathname : url.pathname.replace(/\/+$/, '') + ownPath;
  const query = [url.search.slice(1), ownQuery ?? ''].filter((part) => part !== '').join('&');
  return { origin: new URL(url.origin), path: `${pathname || '/'}${query === '' ? '' : `?${query}`}` };
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

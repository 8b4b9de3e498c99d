import { UserError } from '../model/errors.ts';
import type { Target } from '../model/plan.ts';
import { type ChatRequest, withNonce } from '../model/request.ts';
import { suggest } from '../model/suggestions.ts';
import type { Dialect } from '../wire/dialect.ts';
import { bodyTemplate, PLACEHOLDERS, queryTemplate, unknownPlaceholders } from '../wire/template.ts';
import { addressOf } from './address.ts';

/** Where the requests of an endpoint go, and what of them its user has written by hand. */
export interface Endpoint {
  /** Its query may hold placeholders. */
  baseUrl: string;
  /** `exact`: the URL is taken as it is. Default: the dialect's path is added where it is missing. */
  path?: Target['path'];
  /** Takes the place of the dialect's own body. May hold placeholders. */
  body?: string;
  /** Default: the dialect's. A GET has no body. */
  method?: 'GET' | 'POST';
}

/** A request as it is sent, without the headers of the client, the key and the user. */
export interface WrittenRequest {
  method: 'GET' | 'POST';
  origin: URL;
  /** Path and query. */
  path: string;
  /** The part of the path that was added to the URL; empty where the URL was taken whole. */
  appended: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

/**
 * Writes requests in a dialect to one endpoint. A request's nonce goes in front of its first message, or where the body or the
 * query has `{{nonce}}`. Throws a `UserError` (`usage`) for an address that is no URL and for an unknown placeholder.
 */
export function requestWriter(
  dialect: Dialect,
  { baseUrl, path: use, body, method }: Endpoint,
): (chat: ChatRequest) => WrittenRequest {
  for (const [where, text] of [
    ['body', body ?? ''],
    ['URL', baseUrl],
  ]) {
    const [unknown] = unknownPlaceholders(text!);
    if (unknown === undefined) continue;
    throw new UserError('usage', {
      message: `unknown placeholder {{${unknown}}} in the ${where}`,
      hint: suggest(unknown, PLACEHOLDERS),
    });
  }
  const template = body === undefined || method === 'GET' ? undefined : bodyTemplate(body);
  const query = queryTemplate(baseUrl);
  const placesNonce = query.names.has('nonce') || template?.names.has('nonce') === true;
  const { origin } = addressOf(baseUrl, dialect, '');
  return (given) => {
    const { nonce } = given;
    const chat =
      nonce === undefined || placesNonce ? given : { ...given, messages: withNonce(given.messages, nonce) };
    const wire = dialect.request(chat);
    const { path, appended } = addressOf(baseUrl, dialect, wire.path, use);
    const used = method ?? wire.method;
    const { 'content-type': type, ...headers } = wire.headers;
    const sent = used === 'GET' ? undefined : (template?.fill(chat) ?? wire.body);
    const written = template === undefined ? type : TYPES[template.kind];
    return {
      method: used,
      origin,
      path: query.names.size === 0 ? path : filledQuery(path, chat),
      appended,
      headers:
        sent === undefined || written === undefined ? headers : { 'content-type': written, ...headers },
      body: sent,
    };
  };
}

const TYPES = { json: 'application/json', text: 'text/plain; charset=utf-8', query: undefined } as const;

// The dialect may have added to the query, so that it is cut anew.
function filledQuery(path: string, chat: ChatRequest): string {
  const at = path.indexOf('?');
  return at === -1 ? path : path.slice(0, at) + queryTemplate(path).fill(chat);
}

import { UserError } from '../model/errors.ts';
import type { Target } from '../model/plan.ts';
import { type ChatRequest, withOpening } from '../model/request.ts';
import { suggest } from '../model/suggestions.ts';
import type { Dialect } from '../wire/dialect.ts';
import { bodyTemplate, PLACEHOLDERS, queryTemplate, unknownPlaceholders } from '../wire/template.ts';
import { addressOf } from './address.ts';

/** The address of an endpoint, and the parts of its requests that the user has set. */
export interface Endpoint {
  /** Its query may contain placeholders. */
  baseUrl: string;
  /** `exact`: the URL is used as it is. Default: the dialect's path is appended if it is missing. */
  path?: Target['path'];
  /** Replaces the dialect's own body. May contain placeholders. */
  body?: string;
  /** Default: the dialect's. A GET has no body. */
  method?: 'GET' | 'POST';
}

/** A request without the headers of the client, the key and the user. */
export interface WrittenRequest {
  method: 'GET' | 'POST';
  origin: URL;
  /** Path and query. */
  path: string;
  /** The part of the path that was appended to the URL; empty if the URL was used as it is. */
  appendedPath: string;
  headers: Readonly<Record<string, string>>;
  body?: string;
}

/**
 * Writes requests in a dialect to one endpoint. A request's nonce is put before its first message, or at `{{nonce}}` in the
 * body or the query; its prefix is put before that. Throws a `UserError` (`usage`) for an invalid URL or an unknown placeholder.
 */
export function requestWriter(
  dialect: Dialect,
  { baseUrl, path: use, body, method }: Endpoint,
): (chat: ChatRequest) => WrittenRequest {
  for (const [where, text] of Object.entries({ body: body ?? '', URL: baseUrl })) {
    const [unknown] = unknownPlaceholders(text);
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
    const { nonce, hasNonce = placesNonce, prefix } = given;
    const opening = [prefix, hasNonce ? undefined : nonce].filter((text) => text !== undefined);
    const chat = opening.length === 0 ? given : { ...given, messages: withOpening(given.messages, opening) };
    const wire = dialect.request(chat);
    const { path, appendedPath } = addressOf(baseUrl, dialect, wire.path, use);
    const used = method ?? wire.method;
    const { 'content-type': type, ...headers } = wire.headers;
    const sent = used === 'GET' ? undefined : (template?.fill(chat) ?? wire.body);
    const written = template === undefined ? type : TYPES[template.kind];
    return {
      method: used,
      origin,
      path: query.names.size === 0 ? path : filledQuery(path, chat),
      appendedPath,
      headers:
        sent === undefined || written === undefined ? headers : { 'content-type': written, ...headers },
      body: sent,
    };
  };
}

const TYPES = { json: 'application/json', text: 'text/plain; charset=utf-8', query: undefined } as const;

// Parsed again, because the dialect may have added to the query.
function filledQuery(path: string, chat: ChatRequest): string {
  const at = path.indexOf('?');
  return at === -1 ? path : path.slice(0, at) + queryTemplate(path).fill(chat);
}

/** The same headers, their names in lower case. */
export function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

import { UserError } from '../../model/errors.ts';
import { dialectOfUrl } from '../../wire/dialects/index.ts';
import { asArray, asNumber, asObject, asText, type Json, parseJson } from '../../wire/json.ts';
import type { PastedRequest } from './pasted-request.ts';
import { literalText } from './shell-words.ts';

/**
 * The request of a HAR file that streams, or that goes to a known API. `part` selects requests whose URL contains it. Throws
 * a `UserError` (`usage`) with the candidates if there is not exactly one.
 */
export function readHar(text: string, file: string, part?: string): PastedRequest {
  const entries = asArray(asObject(asObject(parseJson(text))?.log)?.entries)?.flatMap((entry) => {
    const read = asObject(entry);
    return read === undefined ? [] : [entryOf(read)];
  });
  if (entries === undefined) {
    throw new UserError('usage', {
      message: `${file} is not a HAR file`,
      hint: 'in the network panel of the browser: "Save all as HAR with content"',
    });
  }
  const selected = entries.filter(({ url }) => part === undefined || url.includes(part));
  const streams = selected.filter(isCandidate);
  const candidates = part !== undefined && streams.length === 0 ? selected : streams;
  const [first] = candidates;
  const same = candidates.every((one) => one.url === first?.url && one.method === first.method);
  // The last of several equal requests, which a later login may have made valid.
  const last = candidates.at(-1);
  if (last !== undefined && same) return last;
  throw new UserError('usage', {
    message:
      last === undefined
        ? `no request of ${file} streams${part === undefined ? '' : ` and has ${JSON.stringify(part)} in its URL`}`
        : `${candidates.length} requests of ${file} are candidates: ${addresses(candidates)}`,
    hint:
      last === undefined
        ? `it has ${entries.length} requests: ${addresses(entries)}; add a part of one URL: --from-har ${file} PART`
        : `add a part of one URL: streambench init --from-har ${file} PART`,
  });
}

const MAX_LISTED = 8;

function addresses(requests: readonly PastedRequest[]): string {
  const all = [...new Set(requests.map(({ method, url }) => `${method} ${url.split(/[?#]/, 1)[0]}`))];
  const more = all.length > MAX_LISTED ? ` and ${all.length - MAX_LISTED} more` : '';
  return all.slice(0, MAX_LISTED).join(', ') + more;
}

function isCandidate({ url, method, response }: PastedRequest): boolean {
  const type = response?.headers['content-type'] ?? '';
  if (/event-stream|ndjson|jsonl|json-lines|json-seq|amazon\.eventstream/i.test(type)) return true;
  return method === 'POST' && dialectOfUrl(url) !== undefined;
}

function entryOf(entry: Json): PastedRequest {
  const request = asObject(entry.request) ?? {};
  const response = asObject(entry.response) ?? {};
  const content = asObject(response.content) ?? {};
  const body = asText(asObject(request.postData)?.text);
  const written = asText(content.text) ?? '';
  const recorded = content.encoding === 'base64' ? Buffer.from(written, 'base64').toString() : written;
  return {
    method: (asText(request.method) ?? 'GET').toUpperCase(),
    url: literalText(asText(request.url) ?? ''),
    headers: headersOf(request.headers),
    body: body === undefined || body === '' ? undefined : literalText(body),
    connection: {},
    response: {
      status: asNumber(response.status) ?? 0,
      headers: { 'content-type': asText(content.mimeType) ?? '', ...headersOf(response.headers) },
      body: recorded,
    },
  };
}

function headersOf(list: unknown): Record<string, string> {
  const pairs = (asArray(list) ?? []).flatMap((one): [string, string][] => {
    const { name, value } = asObject(one) ?? {};
    // HTTP/2 has the method and the address as headers whose names begin with a colon.
    return typeof name === 'string' && typeof value === 'string' && !name.startsWith(':')
      ? [[name.toLowerCase(), literalText(value)]]
      : [];
  });
  return Object.fromEntries(pairs);
}

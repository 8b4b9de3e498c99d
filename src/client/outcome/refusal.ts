import { asArray, asObject, asText, parseJson } from '../../wire/json.ts';

/** The parts of a request that this program chose, not the user. */
export interface RequestAssumptions {
  /** The path that was appended to the URL; empty if the URL was used as it is. */
  appendedPath?: string;
  /** True when the method was inferred from the kind of endpoint. */
  methodGuessed?: boolean;
}

/** A request as it was sent. */
export interface SentRequest extends RequestAssumptions {
  method: string;
  body?: string;
}

/**
 * The remedy for a rejected request whose likely cause is the request itself: a field of its body (400, 422), its path (404)
 * or its method (404, 405). Undefined if the cause is not in the request.
 */
export function refusalHint(status: number, errorBody: string, request: SentRequest): string | undefined {
  switch (status) {
    case 400:
    case 422: {
      const field = refusedField(errorBody, request.body);
      return field === undefined ? undefined : fieldHint(field, errorBody);
    }
    case 404:
      return join(
        pathHint(request),
        methodHint(request),
        "check the URL's path, the dialect and the model's name",
      );
    case 405:
      return join(methodHint(request), pathHint(request));
    default:
      return undefined;
  }
}

function pathHint({ appendedPath = '' }: SentRequest): string | undefined {
  if (appendedPath === '') return undefined;
  return `the dialect's path ${appendedPath} was appended to the URL: if the URL is the endpoint itself, use path: exact (--exact-url)`;
}

function methodHint({ method, methodGuessed }: SentRequest): string | undefined {
  return methodGuessed
    ? `${method} was a guess: try --method ${method === 'GET' ? 'POST' : 'GET'}`
    : undefined;
}

function join(...parts: (string | undefined)[]): string | undefined {
  return parts.filter((part) => part !== undefined).join('; ') || undefined;
}

// Required fields: an error that names one of them is about its value.
const ESSENTIAL = new Set(['model', 'messages', 'input', 'prompt', 'contents', 'stream', 'message', 'query']);

/** The path of the request field that an error names; undefined if it names no field that could be left out. */
export function refusedField(errorBody: string, sentBody: string | undefined): string[] | undefined {
  const sent = asObject(sentBody === undefined ? undefined : parseJson(sentBody));
  if (sent === undefined) return undefined;
  const fields = fieldsOf(Object.entries(sent).filter(([name]) => !ESSENTIAL.has(name)));
  const named = namedPaths(parseJson(errorBody));
  const exact = fields.find(({ path }) => named.includes(path.join('.')));
  // The innermost field that the text names: it may name both parts of stream_options.include_usage.
  return (exact ?? fields.toReversed().find(({ name }) => mentions(errorBody, name)))?.path;
}

/** A field of the request body: its name, and its path, which ends with the name. */
interface SentField {
  name: string;
  path: string[];
}

/** These fields and all fields inside them, outer fields first; lists count as values. */
function fieldsOf(entries: readonly [string, unknown][], above: readonly string[] = []): SentField[] {
  return entries.flatMap(([name, value]) => {
    const path = [...above, name];
    return [{ name, path }, ...fieldsOf(Object.entries(asObject(value) ?? {}), path)];
  });
}

// Real errors are at most three levels deep; a hostile body can be of any depth.
const MAX_DEPTH = 8;

/** The fields that an error names explicitly: OpenAI's `param`, the `loc` of pydantic's validation errors. */
function namedPaths(error: unknown, depth = 0): string[] {
  if (depth > MAX_DEPTH) return [];
  const list = asArray(error);
  if (list !== undefined) return list.flatMap((each) => namedPaths(each, depth + 1));
  const object = asObject(error);
  if (object === undefined) return [];
  const found: string[] = [];
  const param = asText(object.param);
  if (param !== undefined) found.push(param);
  const loc = asArray(object.loc);
  if (loc !== undefined) found.push((loc[0] === 'body' ? loc.slice(1) : loc).join('.'));
  return [...found, ...Object.values(object).flatMap((each) => namedPaths(each, depth + 1))];
}

// A name that is a plain word must be quoted: "user" may also be part of a sentence.
function mentions(text: string, name: string): boolean {
  const escaped = name.replaceAll(/[^\w]/g, '\\$&');
  const found = new RegExp(`(?<!\\w)(\\\\?["'\`])?${escaped}(?!\\w)`, 'g');
  return Array.from(text.matchAll(found)).some(([, quote]) => quote !== undefined || /[_A-Z]/.test(name));
}

function fieldHint(path: readonly string[], errorBody: string): string {
  const [first] = path;
  const set = (field: string, value: string) =>
    `requestFields: { ${field}: ${value} } (--set 'targets.*.requestFields.${field}=${value}')`;
  if (first === 'stream_options')
    return `the service rejects stream_options: leave it out with ${set('usage', 'none')}`;
  for (const [one, other] of [
    ['max_tokens', 'max_completion_tokens'],
    ['max_completion_tokens', 'max_tokens'],
  ] as const) {
    if (first === one && (mentions(errorBody, other) || one === 'max_completion_tokens'))
      return `the service rejects ${one}: send the limit as ${set('maxTokens', other)}`;
  }
  const patch = path.reduceRight((inner, key) => `{ ${key}: ${inner} }`, 'null');
  return `the service names the field ${path.join('.')}: leave it out with extra: ${patch} (--set 'targets.*.extra.${path.join('.')}=null')`;
}

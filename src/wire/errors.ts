import { asArray, asCount, asObject, asText, parseJson } from './json.ts';

/** What a failed answer says, in whichever shape the provider puts it. */
export interface ErrorText {
  message: string;
  code?: string;
}

// Real errors are three levels deep at most; a body can be as deep as its sender likes.
const MAX_DEPTH = 8;

/**
 * The message and code of an error value. Providers write `{"error":{"message","code"|"type"}}`, `{"error":"text"}`,
 * `{"message"}`, `{"detail":"text"|[{"msg"}]}`, `{"code","error":"text"}` or a bare string; all are read here.
 */
export function readError(value: unknown, depth = 0): ErrorText | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const bare = asText(value);
  if (bare !== undefined) return { message: bare };
  const list = asArray(value);
  if (list !== undefined) return list.length > 0 ? readError(list[0], depth + 1) : undefined;
  const object = asObject(value);
  if (object === undefined) return undefined;
  const code = codeOf(object);
  const own = asText(object.message) ?? asText(object.msg) ?? asText(object.errorText);
  if (own !== undefined) return code === undefined ? { message: own } : { message: own, code };
  const inner =
    readError(object.error, depth + 1) ??
    readError(object.detail, depth + 1) ??
    readError(object.message, depth + 1) ??
    readError(object.errors, depth + 1);
  if (inner === undefined) return undefined;
  return inner.code === undefined && code !== undefined ? { message: inner.message, code } : inner;
}

function codeOf(object: Readonly<Record<string, unknown>>): string | undefined {
  const code = asText(object.code) ?? asCount(object.code)?.toString();
  const type = asText(object.type) ?? asText(object.status);
  return code ?? (type === 'error' ? undefined : type);
}

/** The message of an HTTP error's body, where the body is JSON that has one. */
export function readErrorBody(body: string): ErrorText | undefined {
  return readError(parseJson(body));
}

import { asArray, asCount, asObject, asText, parseJson } from './json.ts';

/** What a failed answer says, in whichever shape the provider puts it. */
export interface ErrorText {
  message: string;
  code?: string;
}

/**
 * The message and code of an error value. Providers write `{"error":{"message","code"|"type"}}`, `{"error":"text"}`,
 * `{"message"}`, `{"detail":"text"|[{"msg"}]}`, `{"code","error":"text"}` or a bare string; all are read here.
 */
export function readError(value: unknown): ErrorText | undefined {
  const bare = asText(value);
  if (bare !== undefined) return { message: bare };
  const list = asArray(value);
  if (list !== undefined) return list.length > 0 ? readError(list[0]) : undefined;
  const object = asObject(value);
  if (object === undefined) return undefined;
  const code = codeOf(object);
  const own = asText(object.message) ?? asText(object.msg) ?? asText(object.errorText);
  if (own !== undefined) return code === undefined ? { message: own } : { message: own, code };
  const inner =
    readError(object.error) ??
    readError(object.detail) ??
    readError(object.message) ??
    readError(object.errors);
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

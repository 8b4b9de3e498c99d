import { asArray, asCount, asObject, asText, encodeJson, excerpt, type Json, parseJson } from './json.ts';

// Error codes that mean "too many requests". An overloaded service (Anthropic's `overloaded_error`) and an exhausted
// balance are not rate limits: a short wait does not help.

// In lower case, without spaces, dots, dashes and underscores.
const RATE_LIMIT_CODES: ReadonlySet<string> = new Set([
  '429',
  // OpenAI, Anthropic, Azure, Groq, Mistral
  'ratelimit',
  'ratelimited',
  'ratelimiterror',
  'ratelimitexceeded',
  'ratelimitreached',
  'toomanyrequests',
  'toomanyrequestserror',
  'toomanyrequestsexception',
  'requestratetoolarge',
  // Google
  'resourceexhausted',
  // Bedrock and other services of AWS
  'throttlingexception',
  'throttledexception',
  'limitexceeded',
  'limitexceededexception',
]);

/** Zhipu: concurrency, requests per minute, traffic. Its codes 1304 and 1308 to 1310 are daily or plan quotas. */
const ZHIPU_CODES: ReadonlySet<string> = new Set(['1302', '1303', '1305']);

/** MiniMax, in `base_resp.status_code`: requests, tokens and connections per minute, and too fast an increase. */
const MINIMAX_CODES: ReadonlySet<string> = new Set(['1002', '1039', '1041', '2045']);

/** True if one of an error's codes, types or statuses means a rate limit. */
function isRateLimit(codes: readonly (string | undefined)[]): boolean {
  return codes.some((code) => {
    if (code === undefined) return false;
    // DashScope: Throttling, Throttling.RateQuota, Throttling.AllocationQuota.
    if (ZHIPU_CODES.has(code) || /^throttling(\.|$)/i.test(code)) return true;
    return RATE_LIMIT_CODES.has(code.toLowerCase().replaceAll(/[\s._-]/g, ''));
  });
}

/** As `isRateLimit`, for MiniMax's numbers, which have other meanings at Zhipu. */
function isMiniMaxRateLimit(code: string): boolean {
  return MINIMAX_CODES.has(code);
}

/** The message and code of a failed answer. */
export interface ErrorText {
  message: string;
  code?: string;
  /** The code or the type means a rate limit. */
  rateLimited?: boolean;
}

// Real errors are at most three levels deep. A hostile body can be deeper.
const MAX_DEPTH = 8;

/**
 * The message and code of an error value. Providers write `{"error":{"message","code"|"type"}}`, `{"error":"text"}`,
 * `{"message"}`, `{"detail":"text"|[{"msg"}]}`, `{"code","error":"text"}`, `{"base_resp":{"status_code","status_msg"}}`
 * or a bare string.
 */
export function readError(value: unknown, depth = 0): ErrorText | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const bare = asText(value);
  if (bare !== undefined) return { message: bare };
  const list = asArray(value);
  if (list !== undefined) return list.length > 0 ? readError(list[0], depth + 1) : undefined;
  const object = asObject(value);
  if (object === undefined) return undefined;
  const codes = codesOf(object);
  const own =
    asText(object.message) ?? asText(object.msg) ?? asText(object.errorText) ?? asText(object.Message);
  if (own !== undefined) return errorText(withCause(own, object), codes);
  const inner =
    readError(object.error, depth + 1) ??
    baseResponse(object) ??
    readError(object.detail, depth + 1) ??
    readError(object.message, depth + 1) ??
    readError(object.errors, depth + 1) ??
    readError(object.last_error, depth + 1);
  if (inner === undefined) return undefined;
  const outer = errorText(inner.message, codes);
  return { ...outer, ...inner };
}

function errorText(message: string, codes: readonly (string | undefined)[]): ErrorText {
  const text: ErrorText = { message };
  const code = codes.find((each) => each !== undefined);
  if (code !== undefined) text.code = code;
  if (isRateLimit(codes)) text.rateLimited = true;
  return text;
}

// The code first: it is more specific than `type` and `status`, which name a class of errors.
function codesOf(object: Json): (string | undefined)[] {
  const { type } = object;
  return [
    asText(object.code) ?? asCount(object.code)?.toString(),
    type === 'error' ? undefined : asText(type),
    asText(object.status),
    asText(object.error_type),
    asText(object.__type),
  ];
}

/** MiniMax's status, which is part of each answer; 0 is success. */
function baseResponse(json: Json): ErrorText | undefined {
  const base = asObject(json.base_resp);
  const code = asText(base?.status_code) ?? asCount(base?.status_code)?.toString();
  if (code === undefined || code === '0') return undefined;
  const text: ErrorText = { message: asText(base?.status_msg) ?? `status code ${code}`, code };
  if (isMiniMaxRateLimit(code)) text.rateLimited = true;
  return text;
}

/** OpenRouter's message only states that the provider failed. The provider's message is in `metadata.raw`. */
function withCause(message: string, error: Json): string {
  const metadata = asObject(error.metadata);
  const raw = asText(metadata?.raw) ?? asObject(metadata?.raw);
  if (raw === undefined) return message;
  const read = readError(typeof raw === 'string' ? (parseJson(raw) ?? raw) : raw, MAX_DEPTH - 3)?.message;
  const cause = read ?? (typeof raw === 'string' ? raw : encodeJson(raw));
  const provider = asText(metadata?.provider_name);
  const who = provider === undefined ? '' : ` (${provider})`;
  return message.includes(cause) ? message : `${message}${who}: ${cause}`;
}

/** The error in the body of an HTTP error; undefined if the body is not JSON or has no message. */
export function readErrorBody(body: string): ErrorText | undefined {
  return readError(parseJson(withoutBom(body)));
}

/** The error in a body with a success status, if it is one JSON document that reports a failure. */
export function readFailedBody(body: string): ErrorText | undefined {
  const json = parseJson(withoutBom(body));
  const object = asObject(json) ?? asObject(asArray(json)?.[0]);
  if (object === undefined) return undefined;
  const failed = readFailure(object);
  if (failed !== undefined) return failed;
  const hasErrors = isFilled(object.detail) || isFilled(object.errors);
  return hasErrors && !CONTENT_KEYS.some((key) => isFilled(object[key])) ? readError(object) : undefined;
}

/** Fields in which services send content: a payload with one of them is not only an error report. */
const CONTENT_KEYS = [
  'data',
  'content',
  'text',
  'delta',
  'choices',
  'output',
  'answer',
  'response',
  'result',
];

/**
 * The error in a payload that reports a failure instead of content; undefined for any other payload. A failure is an
 * `error` that is not empty, a `base_resp` that is not 0, `success: false`, a type such as `conversation.response.error`,
 * or a `code` with a `message` and no content. HOT PATH for chat chunks: a few look-ups.
 */
export function readFailure(json: Json): ErrorText | undefined {
  if (isFilled(json.error) || json.object === 'error') return asFailure(json);
  if (asObject(json.error) !== undefined && !CONTENT_KEYS.some((key) => isFilled(json[key])))
    return asFailure(json);
  if (json.base_resp !== undefined) {
    const failed = baseResponse(json);
    if (failed !== undefined) return failed;
  }
  if (typeof json.type === 'string' && isFailureName(json.type)) return asFailure(json);
  const refused = json.success === false || json.ok === false || json.status === 'error';
  if (!refused && !(json.code !== undefined && isFailureCode(json.code))) return undefined;
  if (asText(json.message) === undefined && asText(json.msg) === undefined) return undefined;
  return CONTENT_KEYS.some((key) => isFilled(json[key])) ? undefined : asFailure(json);
}

function asFailure(json: Json): ErrorText {
  return readError(json) ?? { message: excerpt(encodeJson(json)) };
}

/**
 * True for the name of an event that ends an answer with a failure: `error`, `response.failed`,
 * `conversation.response.error`. A failed tool or step does not end the answer.
 */
export function isFailureName(name: string): boolean {
  return /(^|[._-])(error|failed)$/i.test(name) && !/tool|step|call|item|node/i.test(name);
}

// Numbers below 400 have service-specific meanings, and many services send 0, 200 or "ok" with each chunk.
function isFailureCode(code: unknown): boolean {
  if (typeof code === 'number') return code >= 400;
  const text = asText(code);
  if (text === undefined || /^(ok|success|succeeded|none|null)$/i.test(text)) return false;
  return /^\d+$/.test(text) ? Number(text) >= 400 : true;
}

function isFilled(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function withoutBom(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

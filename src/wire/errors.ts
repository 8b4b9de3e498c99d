import { asArray, asCount, asObject, asText, excerpt, type Json, jsonText, parseJson } from './json.ts';

/**
 * The words and numbers that services use for "too many requests". An overload of the service (Anthropic's
 * `overloaded_error`) and a used-up balance are not among them: waiting a moment does not help there.
 */

// In lower case, with spaces, dots, dashes and underscores left out: the spellings differ in little else.
const WORDS: ReadonlySet<string> = new Set([
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

/** Zhipu: requests at once, requests a minute, traffic. Its 1304 and 1308 to 1310 are quotas of a day or a plan. */
const ZHIPU: ReadonlySet<string> = new Set(['1302', '1303', '1305']);

/** MiniMax, in `base_resp.status_code`: requests, tokens and connections a minute, and a too sudden growth. */
const MINIMAX: ReadonlySet<string> = new Set(['1002', '1039', '1041', '2045']);

/** True when one of an error's codes, types or statuses is a provider's word for its rate limit. */
export function isRateLimit(codes: readonly (string | undefined)[]): boolean {
  return codes.some((code) => {
    if (code === undefined) return false;
    // DashScope: Throttling, Throttling.RateQuota, Throttling.AllocationQuota.
    if (ZHIPU.has(code) || /^throttling(\.|$)/i.test(code)) return true;
    return WORDS.has(code.toLowerCase().replaceAll(/[\s._-]/g, ''));
  });
}

/** The same for MiniMax's numbers, which mean other things at Zhipu. */
export function isMiniMaxRateLimit(code: string): boolean {
  return MINIMAX.has(code);
}

/** What a failed answer says, in whichever shape the provider puts it. */
export interface ErrorText {
  message: string;
  code?: string;
  /** The code or the type is a provider's word for its rate limit. */
  rateLimited?: boolean;
}

// Real errors are three levels deep at most; a body can be as deep as its sender likes.
const MAX_DEPTH = 8;

/**
 * The message and code of an error value. Providers write `{"error":{"message","code"|"type"}}`, `{"error":"text"}`,
 * `{"message"}`, `{"detail":"text"|[{"msg"}]}`, `{"code","error":"text"}`, `{"base_resp":{"status_code","status_msg"}}`
 * or a bare string; all are read here.
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

// The code comes first, because it is the more exact: `type` and `status` name a class of errors.
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

/** MiniMax says in each answer how it went; 0 is success. */
function baseResponse(json: Json): ErrorText | undefined {
  const base = asObject(json.base_resp);
  const code = asText(base?.status_code) ?? asCount(base?.status_code)?.toString();
  if (code === undefined || code === '0') return undefined;
  const text: ErrorText = { message: asText(base?.status_msg) ?? `status code ${code}`, code };
  if (isMiniMaxRateLimit(code)) text.rateLimited = true;
  return text;
}

/** OpenRouter's own message only says that the provider failed: what the provider said is in `metadata.raw`. */
function withCause(message: string, error: Json): string {
  const metadata = asObject(error.metadata);
  const raw = asText(metadata?.raw) ?? asObject(metadata?.raw);
  if (raw === undefined) return message;
  const read = readError(typeof raw === 'string' ? (parseJson(raw) ?? raw) : raw, MAX_DEPTH - 3)?.message;
  const cause = read ?? (typeof raw === 'string' ? raw : jsonText(raw));
  const provider = asText(metadata?.provider_name);
  const who = provider === undefined ? '' : ` (${provider})`;
  return message.includes(cause) ? message : `${message}${who}: ${cause}`;
}

/** The message of an HTTP error's body, where the body is JSON that has one. */
export function readErrorBody(body: string): ErrorText | undefined {
  return readError(parseJson(withoutMark(body)));
}

/** What a body that came with a success status says, where it is one JSON document that reports a failure. */
export function readFailedBody(body: string): ErrorText | undefined {
  const json = parseJson(withoutMark(body));
  const object = asObject(json) ?? asObject(asArray(json)?.[0]);
  if (object === undefined) return undefined;
  const failed = readFailure(object);
  if (failed !== undefined) return failed;
  const says = isFilled(object.detail) || isFilled(object.errors);
  return says && !CONTENT.some((key) => isFilled(object[key])) ? readError(object) : undefined;
}

/** Keys under which services send content: a payload that has one of them is no mere report of a failure. */
const CONTENT = ['data', 'content', 'text', 'delta', 'choices', 'output', 'answer', 'response', 'result'];

/**
 * What a payload says where it reports a failure instead of carrying a piece of the answer; undefined for all others.
 * A failure is an `error` that is not empty, a `base_resp` that is not 0, `success: false`, a name such as
 * `conversation.response.error`, or a `code` with a `message` and nothing else. HOT PATH for chat chunks: a few look-ups.
 */
export function readFailure(json: Json): ErrorText | undefined {
  if (isFilled(json.error) || json.object === 'error') return asFailure(json);
  if (asObject(json.error) !== undefined && !CONTENT.some((key) => isFilled(json[key])))
    return asFailure(json);
  if (json.base_resp !== undefined) {
    const failed = baseResponse(json);
    if (failed !== undefined) return failed;
  }
  if (typeof json.type === 'string' && isFailureName(json.type)) return asFailure(json);
  const refused = json.success === false || json.ok === false || json.status === 'error';
  if (!refused && !(json.code !== undefined && isFailureCode(json.code))) return undefined;
  if (asText(json.message) === undefined && asText(json.msg) === undefined) return undefined;
  return CONTENT.some((key) => isFilled(json[key])) ? undefined : asFailure(json);
}

function asFailure(json: Json): ErrorText {
  return readError(json) ?? { message: excerpt(jsonText(json)) };
}

/**
 * True for the name of an event that ends an answer with a failure: `error`, `response.failed`,
 * `conversation.response.error`. A tool or a step that failed does not end the answer.
 */
export function isFailureName(name: string): boolean {
  return /(^|[._-])(error|failed)$/i.test(name) && !/tool|step|call|item|node/i.test(name);
}

// A number below 400 may be a count of the service's own, and many say 0, 200 or "ok" with each piece of an answer.
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

function withoutMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

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

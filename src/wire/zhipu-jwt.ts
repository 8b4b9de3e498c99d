import { createHmac } from 'node:crypto';

/** How long a token is good for where nothing is said, in milliseconds. */
export const ZHIPU_TOKEN_MS = 210_000;

/**
 * The bearer token that Zhipu's older clients make of a key `id.secret`: a JWT (HS256) whose `exp` and `timestamp` are
 * milliseconds, not the seconds that are usual. `nowMs` is the wall clock. A key without a dot is returned as it is:
 * it is a token already.
 */
export function zhipuToken(apiKey: string, nowMs: number, ttlMs = ZHIPU_TOKEN_MS): string {
  const dot = apiKey.indexOf('.');
  const isToken = dot === -1 || apiKey.indexOf('.', dot + 1) !== -1;
  if (isToken) return apiKey;
  const now = Math.floor(nowMs);
  const claims = { api_key: apiKey.slice(0, dot), exp: now + ttlMs, timestamp: now };
  const unsigned = `${base64url({ alg: 'HS256', sign_type: 'SIGN' })}.${base64url(claims)}`;
  const signature = createHmac('sha256', apiKey.slice(dot + 1))
    .update(unsigned)
    .digest('base64url');
  return `${unsigned}.${signature}`;
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

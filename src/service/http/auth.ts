import { errors, jwtVerify, SignJWT } from 'jose';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { HttpError } from './http-error.ts';

/** The user who sent a request. Conversations belong to the subject of the token; other subjects cannot read them. */
export interface Caller {
  /** The token's `sub`. */
  subject: string;
}

/** The claims of a token. */
export interface TokenOptions {
  /** The user: the token's `sub`. Default `dev`. */
  subject?: string;
  /** Seconds until it expires; a negative number makes an expired token. Default: a day. */
  expiresInSeconds?: number;
  clock?: Clock;
}

const DAY_SECONDS = 86_400;
const ALGORITHM = 'HS256';
const MAX_CACHED = 1_000;
const MAX_SUBJECT = 256;

/** Makes a bearer token (JWT, HS256) that a service with this secret accepts. */
export function createToken(secret: string, options: TokenOptions = {}): Promise<string> {
  const { subject = 'dev', expiresInSeconds = DAY_SECONDS, clock = monotonicClock } = options;
  const nowSeconds = unixSeconds(clock);
  return new SignJWT({})
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setSubject(subject)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + expiresInSeconds)
    .sign(new TextEncoder().encode(secret));
}

/**
 * Verifies the token in an `authorization` header and returns its user. Rejects with an `HttpError` 401, also for a token
 * without a user (`sub`) or an expiry (`exp`).
 */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

/**
 * An authenticator for tokens that were signed with this secret. A valid token is cached until it expires: verifying a
 * signature needs two hops through the thread pool, more than all other work before an answer.
 */
export function createAuthenticator(secret: string, clock: Clock): Authenticate {
  const key = new TextEncoder().encode(secret);
  const cache = new Map<string, { caller: Caller; expiresAtMs: number }>();
  return async (authorization) => {
    const token = /^Bearer +([^\s]+)$/i.exec(authorization?.trim() ?? '')?.[1];
    if (token === undefined) {
      throw unauthorized('token_missing', 'send a bearer token: authorization: Bearer TOKEN');
    }
    const now = clock.wallTime();
    const cached = cache.get(token);
    if (cached !== undefined && cached.expiresAtMs > now.getTime()) return cached.caller;
    cache.delete(token);
    try {
      // One algorithm only: a token must not choose how it is verified.
      const { payload } = await jwtVerify(token, key, { algorithms: [ALGORITHM], currentDate: now });
      const { sub, exp } = payload;
      if (exp === undefined) throw unauthorized('token_invalid', 'the token has no exp');
      if (typeof sub !== 'string' || sub === '') {
        throw unauthorized('token_invalid', 'the token has no sub');
      }
      if (sub.length > MAX_SUBJECT) {
        throw unauthorized('token_invalid', `the sub of the token is longer than ${MAX_SUBJECT} characters`);
      }
      const caller = { subject: sub };
      if (cache.size >= MAX_CACHED) cache.clear();
      cache.set(token, { caller, expiresAtMs: exp * 1000 });
      return caller;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw unauthorized('token_expired', 'the token has expired');
      if (error instanceof errors.JOSEError || error instanceof TypeError) {
        throw unauthorized('token_invalid', 'the token is not valid');
      }
      throw error;
    }
  };
}

function unauthorized(code: string, message: string): HttpError {
  const challenge =
    code === 'token_missing' ? 'Bearer' : `Bearer error="invalid_token", error_description="${message}"`;
  return new HttpError(401, code, message, { headers: { 'www-authenticate': challenge } });
}

function unixSeconds(clock: Clock): number {
  return Math.floor(clock.wallTime().getTime() / 1000);
}

import { errors, jwtVerify, SignJWT } from 'jose';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { HttpError } from './http-error.ts';

/** Who is asking. Conversations belong to the subject of the token, and no other subject sees them. */
export interface Caller {
  /** The token's `sub`. */
  subject: string;
}

/** What a token says. */
export interface TokenOptions {
  /** Whose token it is. Default `dev`. */
  subject?: string;
  /** Seconds until it expires, from now; a negative number makes one that has expired. Default a day. */
  expiresInSeconds?: number;
  clock?: Clock;
}

const DAY_SECONDS = 86_400;
const ALGORITHM = 'HS256';
const MAX_KNOWN = 1_000;
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
 * Finds out who is asking from an `authorization` header. Rejects with an `HttpError` 401, also for a token that names no
 * user (`sub`) or never expires (`exp`).
 */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

/**
 * An authenticator for tokens that were signed with this secret. A token that was found good is remembered until it
 * expires: checking a signature costs two turns through a thread, more than all else that precedes an answer.
 */
export function createAuthenticator(secret: string, clock: Clock): Authenticate {
  const key = new TextEncoder().encode(secret);
  const known = new Map<string, { caller: Caller; expiresAtMs: number }>();
  return async (authorization) => {
    const token = /^Bearer +([^\s]+)$/i.exec(authorization?.trim() ?? '')?.[1];
    if (token === undefined) {
      throw unauthorized('token_missing', 'send a bearer token: authorization: Bearer TOKEN');
    }
    const now = clock.wallTime();
    const remembered = known.get(token);
    if (remembered !== undefined && remembered.expiresAtMs > now.getTime()) return remembered.caller;
    known.delete(token);
    try {
      // The one algorithm: a token must not choose how it is checked.
      const { payload } = await jwtVerify(token, key, { algorithms: [ALGORITHM], currentDate: now });
      const { sub, exp } = payload;
      if (exp === undefined)
        throw unauthorized('token_invalid', 'the token has no exp: it would never expire');
      if (typeof sub !== 'string' || sub === '') {
        throw unauthorized('token_invalid', 'the token has no sub: it does not tell whose it is');
      }
      if (sub.length > MAX_SUBJECT) {
        throw unauthorized('token_invalid', `the sub of the token is longer than ${MAX_SUBJECT} characters`);
      }
      const caller = { subject: sub };
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(token, { caller, expiresAtMs: exp * 1000 });
      return caller;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw unauthorized('token_expired', 'the token has expired');
      if (error instanceof errors.JOSEError || error instanceof TypeError) {
        throw unauthorized('token_invalid', 'the token is not valid here');
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

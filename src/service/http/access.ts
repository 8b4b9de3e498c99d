import type { Core } from '../core.ts';
import type { Context, Hono, HttpBindings } from '../packages.ts';
import type { Caller } from './auth.ts';
import { HttpError } from './http-error.ts';

/** What the handlers of all endpoints have. */
export interface Env {
  Bindings: HttpBindings;
  Variables: { receivedAtMs: number };
}

/** The caller of a request. Throws an `HttpError`: 401 without a valid token, 429 over the caller's rate. */
export async function authenticate(c: Context<Env>, core: Core): Promise<Caller> {
  const caller = await core.authenticate(c.req.header('authorization'));
  core.rateLimiter.count(caller.subject);
  return caller;
}

/** Refuses all other methods of a path. */
export function allowOnly(app: Hono<Env>, path: string, methods: readonly string[]): void {
  app.all(path, () => {
    const headers = { allow: [...methods, 'OPTIONS'].join(', ') };
    throw new HttpError(405, 'method_not_allowed', `this endpoint accepts ${methods.join(' and ')}`, {
      headers,
    });
  });
}

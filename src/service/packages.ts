/**
 * The packages that only the service uses. `npm run build` bundles them into this module's compiled file: installed as
 * dependencies they take 11.5 MB of tests, documentation and second builds, bundled 0.4 MB.
 */

export { getRequestListener, type HttpBindings } from '@hono/node-server';
export { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
export { type Context, Hono } from 'hono';
export { cors } from 'hono/cors';
export type { ContentfulStatusCode } from 'hono/utils/http-status';
export { type Logger, pino, stdTimeFunctions } from 'pino';

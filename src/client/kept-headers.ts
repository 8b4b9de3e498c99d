import type { ResponseHeaders } from './transport/connection.ts';

/** Those that bear on streaming, and the ids a provider's support asks for. */
const KEPT_HEADERS = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'cache-control',
  'x-accel-buffering',
  'connection',
  'server',
  'via',
  'retry-after',
  'location',
  'allow',
  'x-request-id',
  'request-id',
  'x-vercel-ai-ui-message-stream',
]);

/** The response headers that an observation keeps. */
export function keptHeaders(headers: ResponseHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = headers[name];
    if (value !== undefined) kept[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return kept;
}

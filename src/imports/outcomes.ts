import { STATUS_CODES } from 'node:http';
import type { Outcome } from '../model/record.ts';

const CODES_BY_REASON = new Map(
  Object.entries(STATUS_CODES).map(([code, reason]) => [reason?.toLowerCase(), Number(code)]),
);

const MAX_CHARS = 500;

/**
 * The outcome of a request that a tool reports as failed. `status`: the HTTP status, where the tool records one; else it is looked
 * for in the text. An error of no known kind is `network`, with the text as its message.
 */
export function failureOf(message: string, status?: number): Outcome {
  const text = shortened(message);
  const code = status ?? statusIn(message);
  if (code !== undefined && code >= 400) {
    const kind = code === 429 ? 'rate_limited' : 'http_error';
    return { kind, status: code, message: text === '' ? `HTTP status ${code}` : text };
  }
  if (/time(d)? ?out/i.test(message)) return { kind: 'timeout', phase: 'total', message: text };
  if (/cancel/i.test(message)) return { kind: 'cancelled', message: text };
  if (/never received a valid chunk|no content/i.test(message)) return { kind: 'empty', message: text };
  if (/JSON ?decode|Expecting value/i.test(message)) return { kind: 'malformed', message: text };
  return { kind: 'network', message: text === '' ? 'failed; the tool recorded no reason' : text };
}

/** `HTTP 500 ...`, `'500 Internal Server Error'`, or the reason alone: `Internal Server Error`. */
function statusIn(message: string): number | undefined {
  const found = /\bHTTP(?: Error| status)? (\d{3})\b|'(\d{3}) [A-Z]/.exec(message);
  const digits = found?.[1] ?? found?.[2];
  return digits === undefined ? CODES_BY_REASON.get(message.trim().toLowerCase()) : Number(digits);
}

// A traceback ends with the error.
function shortened(message: string): string {
  const text = message.startsWith('Traceback') ? (message.trimEnd().split('\n').at(-1) ?? '') : message;
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_CHARS);
}

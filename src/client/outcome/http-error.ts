import type { Outcome } from '../../model/record.ts';
import { readErrorBody } from '../../wire/errors.ts';
import { excerpt } from '../../wire/json.ts';
import { BODY_CHARS, type Evidence } from './evidence.ts';
import { NETWORK_HINT } from './network-error.ts';
import { refusalHint } from './refusal.ts';

/** The outcome of a response with an error or redirect status. */
export function httpError(status: number, evidence: Evidence): Outcome {
  const { bodyPrefix, headers } = evidence;
  const read = readErrorBody(bodyPrefix);
  const reason =
    read?.message ?? (headers.location === undefined ? undefined : `redirect to ${headers.location}`);
  const outcome: Outcome = {
    kind: status === 429 || read?.rateLimited ? 'rate_limited' : 'http_error',
    message: `HTTP ${status}${reason === undefined ? '' : `: ${excerpt(reason, 300)}`}`,
    status,
  };
  if (read?.code !== undefined) outcome.code = read.code;
  if (bodyPrefix.trim() !== '') outcome.body = bodyPrefix.slice(0, BODY_CHARS);
  const hint = hintOf(status, evidence, reason ?? '');
  if (hint !== undefined) outcome.hint = hint;
  return outcome;
}

function hintOf(status: number, evidence: Evidence, reason: string): string | undefined {
  switch (status) {
    case 401:
    case 403:
      return 'check the key, and that the provider is the right one';
    case 404:
    case 405:
      return wrongPathHint(status, evidence, reason);
    case 407:
      return NETWORK_HINT.PROXY_AUTH;
    default:
      return status < 400
        ? redirect(evidence.headers.location ?? '')
        : refusalHint(status, evidence.bodyPrefix, evidence.request);
  }
}

function redirect(location: string): string {
  return /log-?in|sign-?in|sso|oauth|auth\b/i.test(location)
    ? 'the redirect leads to a login page: send the key or cookie that the service requires (--api-key, -H)'
    : 'redirects are not followed: use the address it points to';
}

function wrongPathHint(
  status: number,
  { request, headers, bodyPrefix }: Evidence,
  reason: string,
): string | undefined {
  // The path is right if the service complains about the model.
  if (status === 404 && /\b(model|deployment)s?\b/i.test(reason)) return "check the model's name";
  const { method } = request;
  const allowed = (headers.allow ?? '').toUpperCase().split(/[\s,]+/);
  const other = method === 'GET' ? 'POST' : 'GET';
  if (allowed.includes(other) && !allowed.includes(method))
    return `the endpoint accepts ${other} according to its allow header: add --method ${other}`;
  return refusalHint(status, bodyPrefix, request);
}

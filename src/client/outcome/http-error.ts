import type { Outcome } from '../../model/record.ts';
import { readErrorBody } from '../../wire/errors.ts';
import { excerpt } from '../../wire/json.ts';
import { BODY_CHARS, type Evidence } from './evidence.ts';
import { NETWORK_HINT } from './network-error.ts';
import { refusalHint } from './refusal.ts';

/** The outcome of a response whose status is not one of success. */
export function httpError(status: number, evidence: Evidence): Outcome {
  const { bodyPrefix, headers } = evidence;
  const read = readErrorBody(bodyPrefix);
  const said =
    read?.message ?? (headers.location === undefined ? undefined : `redirect to ${headers.location}`);
  const outcome: Outcome = {
    kind: status === 429 || read?.rateLimited ? 'rate_limited' : 'http_error',
    message: `HTTP ${status}${said === undefined ? '' : `: ${excerpt(said, 300)}`}`,
    status,
  };
  if (read?.code !== undefined) outcome.code = read.code;
  if (bodyPrefix.trim() !== '') outcome.body = bodyPrefix.slice(0, BODY_CHARS);
  const hint = hintOf(status, evidence, said ?? '');
  if (hint !== undefined) outcome.hint = hint;
  return outcome;
}

function hintOf(status: number, evidence: Evidence, said: string): string | undefined {
  switch (status) {
    case 401:
    case 403:
      return 'check the key, and that the provider is the right one';
    case 404:
    case 405:
      return wrongPlace(status, evidence, said);
    case 407:
      return NETWORK_HINT.PROXY_AUTH;
    default:
      return status < 400
        ? redirect(evidence.headers.location ?? '')
        : refusalHint(status, evidence.bodyPrefix, evidence.asked);
  }
}

function redirect(location: string): string {
  return /log-?in|sign-?in|sso|oauth|auth\b/i.test(location)
    ? 'this leads to a login page: send the key or cookie that the service asks for (--api-key, -H)'
    : 'redirects are not followed: use the address it points to';
}

function wrongPlace(
  status: number,
  { asked, headers, bodyPrefix }: Evidence,
  said: string,
): string | undefined {
  // A service that knows its models was found, and its own words say more than we can.
  if (status === 404 && /\b(model|deployment)s?\b/i.test(said)) return "check the model's name";
  const { method } = asked;
  const allowed = (headers.allow ?? '').toUpperCase().split(/[\s,]+/);
  const other = method === 'GET' ? 'POST' : 'GET';
  if (allowed.includes(other) && !allowed.includes(method))
    return `the endpoint takes a ${other}, as its allow header says: add --method ${other}`;
  return refusalHint(status, bodyPrefix, asked);
}

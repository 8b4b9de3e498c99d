import { bytesOf, toBase64Url } from '../model/bytes.ts';
import type { Clock } from '../model/clock.ts';
import type { AuthScheme } from '../model/plan.ts';
import { awsRegion, signV4 } from '../wire/sigv4.ts';

/** The parts of a request that a signature covers. */
export interface Signable {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Returns the authentication headers. A promise only when a token has to be created. */
export type Authorize = (
  request: Signable,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

/**
 * How a scheme sends the key. Without a key no header is added. For `sigv4` the key is `ACCESS_KEY_ID:SECRET_ACCESS_KEY`,
 * optionally followed by `:SESSION_TOKEN`. `onToken` is called with each token derived from the key, before it is sent.
 */
export function authorizer(
  auth: AuthScheme,
  apiKey: string | undefined,
  clock: Clock,
  onToken: (token: string) => void = () => {},
): Authorize {
  if (apiKey === undefined || apiKey === '') return () => ({});
  switch (auth) {
    case 'none':
    case 'bearer': {
      // With `none` too: a key that was given is meant to be sent.
      const headers = { authorization: `Bearer ${apiKey}` };
      return () => headers;
    }
    case 'x-api-key':
    case 'api-key':
    case 'x-goog-api-key': {
      const headers = { [auth]: apiKey };
      return () => headers;
    }
    case 'zhipu-jwt':
      return zhipuJwt(apiKey, clock, onToken);
    case 'sigv4':
      return sigV4(apiKey, clock);
    default:
      return auth satisfies never;
  }
}

// A token is valid for 210 s and used for 180 s, so that none expires in flight.
const ZHIPU_TOKEN_MS = 210_000;
const ZHIPU_REUSE_MS = 180_000;

/**
 * Zhipu's older scheme: a JWT (HS256) derived from a key `id.secret`, with `sign_type: SIGN` in its header and `exp` and
 * `timestamp` in milliseconds instead of seconds. A key of another form is sent as a bearer token.
 */
function zhipuJwt(apiKey: string, clock: Clock, onToken: (token: string) => void): Authorize {
  const [id = '', secret, ...more] = apiKey.split('.');
  if (secret === undefined || more.length > 0) return () => ({ authorization: `Bearer ${apiKey}` });
  let token: { madeAt: number; headers: Promise<Readonly<Record<string, string>>> } | undefined;
  return () => {
    const madeAt = clock.now();
    if (token === undefined || madeAt - token.madeAt >= ZHIPU_REUSE_MS) {
      token = { madeAt, headers: signZhipu(id, secret, clock.wallTime().getTime(), onToken) };
    }
    return token.headers;
  };
}

async function signZhipu(
  id: string,
  secret: string,
  nowMs: number,
  onToken: (token: string) => void,
): Promise<Readonly<Record<string, string>>> {
  // By the platform's own crypto, which browsers and workers have too: a package for this would be the largest part of a bundle.
  const part = (value: object) => toBase64Url(bytesOf(JSON.stringify(value)));
  const payload = { api_key: id, exp: nowMs + ZHIPU_TOKEN_MS, timestamp: nowMs };
  const signed = `${part({ alg: 'HS256', sign_type: 'SIGN' })}.${part(payload)}`;
  const { subtle } = globalThis.crypto;
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await subtle.importKey('raw', new TextEncoder().encode(secret), algorithm, false, ['sign']);
  const signature = await subtle.sign('HMAC', key, new TextEncoder().encode(signed));
  const token = `${signed}.${toBase64Url(new Uint8Array(signature))}`;
  onToken(token);
  return { authorization: `Bearer ${token}` };
}

function sigV4(apiKey: string, clock: Clock): Authorize {
  const [accessKeyId = '', secretAccessKey = '', ...token] = apiKey.split(':');
  const sessionToken = token.length > 0 ? token.join(':') : undefined;
  return ({ method, url, headers, body }) =>
    signV4(
      {
        method,
        url,
        headers,
        body,
        region: awsRegion(url.host) ?? 'us-east-1',
        service: 'bedrock',
        at: clock.wallTime(),
      },
      { accessKeyId, secretAccessKey, sessionToken },
    );
}

/** The headers that a signature covers: none that a proxy may change. */
export function signed(headers: Readonly<Record<string, string>>): Record<string, string> {
  const type = headers['content-type'];
  return type === undefined ? {} : { 'content-type': type };
}

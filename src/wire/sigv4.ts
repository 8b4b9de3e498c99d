import { toHex } from '../model/bytes.ts';
import { UserError } from '../model/errors.ts';
import { nodeModule } from '../model/node-modules.ts';

// AWS Signature Version 4, in headers. A signature is valid for five minutes.
//
// Our own code, measured against packages on AWS's published vectors: aws4fetch 1.0 (96 kB) and @smithy/signature-v4 5.7
// (9.5 MB with dependencies) give the same signatures but are asynchronous and take 5 and 3 times the CPU time per request
// (23 us here); aws4 1.13 does not sign Bedrock's paths, which are percent-encoded, in the same way.

/** Long-lived or temporary AWS credentials. Secret. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** With temporary credentials only. */
  sessionToken?: string;
}

/** The request to sign. */
export interface SignedRequest {
  method: string;
  /** Path and query percent-encoded, as sent. */
  url: URL;
  /** All of them are signed, and `host` and `x-amz-date` too. */
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
  /** Such as `us-east-1`. */
  region: string;
  /** Such as `bedrock`. */
  service: string;
  /** The time of signing. */
  at: Date;
}

/** The headers to add to the request: `authorization`, `x-amz-date` and the session token, if any. */
export function signV4(request: SignedRequest, credentials: AwsCredentials): Record<string, string> {
  const stamp = request.at.toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const date = stamp.slice(0, 8);
  const { sessionToken } = credentials;
  const added: Record<string, string> = { 'x-amz-date': stamp };
  if (sessionToken !== undefined) added['x-amz-security-token'] = sessionToken;

  const headers = Object.entries({ ...request.headers, ...added, host: request.url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replaceAll(/\s+/g, ' ')] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const signedHeaders = headers.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    canonicalPath(request.url.pathname),
    canonicalQuery(request.url.searchParams),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    signedHeaders,
    sha256(request.body),
  ].join('\n');

  const scope = `${date}/${request.region}/${request.service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', stamp, scope, sha256(canonical)].join('\n');
  const key = [date, request.region, request.service, 'aws4_request'].reduce<string | Uint8Array>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = toHex(hmac(key, text));
  const credential = `${credentials.accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
  return { ...added, authorization };
}

/** The region in the name of an AWS host (`bedrock-runtime.eu-west-1.amazonaws.com`). */
export function awsRegion(host: string): string | undefined {
  return /\.([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com(?:\.cn)?$/.exec(host)?.[1];
}

// Every service but S3 signs the path with one more level of percent-encoding than is sent.
function canonicalPath(pathname: string): string {
  return pathname.split('/').map(encode).join('/') || '/';
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

// AWS also encodes five characters that `encodeURIComponent` does not.
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: string | Uint8Array, text: string): Uint8Array {
  return crypto().createHmac('sha256', key).update(text).digest();
}

function sha256(data: string | Uint8Array): string {
  return crypto().createHash('sha256').update(data).digest('hex');
}

function crypto(): typeof import('node:crypto') {
  const found = nodeModule('node:crypto');
  if (found !== undefined) return found;
  throw new UserError('usage', {
    message: 'requests to AWS cannot be signed here: this platform has no node:crypto',
    hint: 'send the requests through a server of your own that signs them',
  });
}

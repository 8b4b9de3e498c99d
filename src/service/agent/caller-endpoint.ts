import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { createClient, type StreamClient } from '../../client/client.ts';
import type { ClientOptions } from '../../client/client-options.ts';
import { errorMessage, UserError } from '../../model/errors.ts';
import { PROVIDERS } from '../../wire/providers.ts';
import { HttpError } from '../http/http-error.ts';
import type { Upstream } from './upstream.ts';

// Addresses that callers name. The service would otherwise send requests to any address that it can reach itself, such as
// the metadata service of a cloud (server-side request forgery).

/** Addresses to which callers may send their requests. */
export interface EndpointPattern {
  /** As the operator wrote it. */
  text: string;
  protocol: string;
  /** The host, without its first label if that is a wildcard. */
  host: string;
  /** True for `*.host`: any name below it, but not the host itself. */
  wildcard: boolean;
  port: string;
  /** Without a slash at the end; empty for every path. */
  path: string;
}

/** An address that a caller names, with the caller's own key. */
export interface CallerEndpoint {
  url: string;
  apiKey?: string;
  /** Name of the provider whose protocol is spoken there. Default: the OpenAI protocol. */
  providerId?: string;
}

const SYNTAX = /^(https?:\/\/)(\*\.)?([^/*?#@\\\s]+)(\/[^*?#@\\\s]*)?\*?$/i;

/**
 * Parses a pattern: `https://api.example.com/v1`, with `*.` before the host for the names below it. The path is a prefix of
 * whole segments. Throws a `UserError` (`usage`).
 */
export function parseEndpointPattern(text: string): EndpointPattern {
  const [, scheme = '', star, authority = '', path = '/'] = SYNTAX.exec(text) ?? [];
  const url = URL.canParse(scheme + authority + path) ? new URL(scheme + authority + path) : undefined;
  // `*.com` would allow most of the internet.
  const broad = star !== undefined && (!authority.includes('.') || isIP(hostOf(url)) !== 0);
  if (url === undefined || broad) {
    throw new UserError('usage', {
      message: `invalid pattern of allowed endpoints: ${text}`,
      hint: 'write scheme and host, such as https://api.openai.com/v1 or https://*.openai.azure.com',
    });
  }
  return {
    text,
    protocol: url.protocol,
    host: url.hostname,
    wildcard: star !== undefined,
    port: url.port,
    path: url.pathname.replace(/\/+$/, ''),
  };
}

/** The first pattern that allows the address. */
export function allowedBy(url: URL, patterns: readonly EndpointPattern[]): EndpointPattern | undefined {
  // A server may decode an encoded slash or dot after this check.
  if (url.username !== '' || url.password !== '' || /%(2e|2f|5c)/i.test(url.pathname)) return undefined;
  return patterns.find(
    ({ protocol, host, wildcard, port, path }) =>
      url.protocol === protocol &&
      url.port === port &&
      (wildcard ? url.hostname.endsWith(`.${host}`) : url.hostname === host) &&
      (url.pathname === path || url.pathname.startsWith(`${path}/`)),
  );
}

/** Looks up the addresses of a host name. */
export type Lookup = (host: string) => Promise<readonly { address: string }[]>;

const systemLookup: Lookup = (host) => lookup(host, { all: true });

/**
 * The upstream at an address that a caller names. The caller closes its client. Throws an `HttpError`: 403 for an address
 * that the operator does not allow, 400 for a key that the provider does not accept, 502 if the host name cannot be resolved.
 */
export async function openCallerEndpoint(
  { url: text, apiKey, providerId = 'custom' }: CallerEndpoint,
  patterns: readonly EndpointPattern[],
  find: Lookup = systemLookup,
): Promise<Upstream> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const pattern = url === undefined ? undefined : allowedBy(url, patterns);
  if (url === undefined || pattern === undefined) throw notAllowed(patterns);
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const row = PROVIDERS.find(({ name }) => name === providerId.toLowerCase());
  const options: ClientOptions = {
    provider: row?.name,
    dialect: row?.dialect ?? 'openai-chat',
    baseUrl: url.href,
    apiKey,
    // Without a key the provider's scheme cannot be used.
    auth: apiKey === undefined ? 'none' : undefined,
    connect: pattern.wildcard
      ? {
          resolve: [
            { host: url.hostname, port, addresses: await publicAddresses(url.hostname, find, patterns) },
          ],
        }
      : undefined,
  };
  return {
    name: providerId,
    client: createCallerClient(options),
    secrets: apiKey === undefined ? undefined : [{ name: '[apiKey]', value: apiKey }],
  };
}

/** As `createClient`. Some providers need a key in a format of their own. */
function createCallerClient(options: ClientOptions): StreamClient {
  try {
    return createClient({ unsupportedOptions: 'omit', ...options });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new HttpError(400, 'invalid_request', 'the request is not valid: model', {
      problems: [{ path: 'model', message: 'the provider does not accept this endpoint or key' }],
    });
  }
}

// Whoever controls a name below the wildcard decides to which address it points. The connection uses the addresses that
// were checked, because a second query could return others.
async function publicAddresses(
  host: string,
  find: Lookup,
  patterns: readonly EndpointPattern[],
): Promise<string[]> {
  const found = await find(host).catch((error: unknown) => {
    throw new HttpError(502, 'upstream_error', `the endpoint cannot be resolved: ${errorMessage(error)}`);
  });
  const addresses = found.map(({ address }) => address);
  if (addresses.length === 0 || addresses.some(isInternal)) throw notAllowed(patterns);
  return addresses;
}

const INTERNAL = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  INTERNAL.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  INTERNAL.addSubnet(network, prefix, 'ipv6');
}

/** True for an address that is not one of the public internet. */
export function isInternal(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address;
  return INTERNAL.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}

function hostOf(url: URL | undefined): string {
  return url?.hostname.replace(/^\[|\]$/g, '') ?? '';
}

function notAllowed(patterns: readonly EndpointPattern[]): HttpError {
  const allowed = patterns.map(({ text }) => text).join(', ');
  return new HttpError(
    403,
    'endpoint_not_allowed',
    'the operator of this service does not allow that endpoint',
    {
      problems: [
        {
          path: 'model.endpoint',
          message: allowed === '' ? 'leave it out: no endpoints are allowed' : `allowed: ${allowed}`,
        },
      ],
    },
  );
}

import { fromBase64, textOfBytes } from '../bytes.ts';
/** A value that must not be shown or stored, and the text that stands in its place. */
export interface Secret {
  /** What is shown instead, such as `${env:OPENAI_API_KEY}`. */
  name: string;
  value: string;
  /**
   * Hide the whole value only. For a value that is no credential, such as an address: parts of it are common text.
   * Default: pieces of the value are hidden too.
   */
  whole?: boolean;
}

// Header values under these names say nothing about the user, and would blank out innocent text if they were secret.
const PUBLIC_HEADER = /^(accept|accept-[a-z]+|cache-control|content-type|user-agent)$/i;

const CREDENTIAL = /key|token|secret|signature|sig$|passw|pwd|auth|jwt|session|credential|cookie/i;

/** True for a request header whose value is not shown: all but a few that have the same values everywhere. */
export function isSecretHeader(name: string): boolean {
  return !PUBLIC_HEADER.test(name);
}

/** True for the name of a header, a query parameter or a variable that holds a credential. */
export function isCredentialName(name: string): boolean {
  return CREDENTIAL.test(name);
}

/** The values of request headers that must not be shown. `name` is what is shown instead. */
export function headerSecrets(
  headers: Readonly<Record<string, string>>,
  name = (header: string) => `[header ${header}]`,
): Secret[] {
  return Object.entries(headers)
    .filter(([header]) => isSecretHeader(header))
    .map(([header, value]) => ({
      name: name(header),
      value,
      ...(!isCredentialName(header) && { whole: true }),
    }));
}

/**
 * A secret and what it contains that a server may quote alone: the value without the white space around it, the
 * credential behind a scheme (`Bearer`), and the password of a `Basic` credential.
 */
export function secretParts({ value, ...rest }: Secret): Secret[] {
  const trimmed = value.trim();
  const [, scheme = '', credential] = /^(bearer|basic|token|apikey|digest)\s+(.+)$/is.exec(trimmed) ?? [];
  const values = [value, trimmed, ...(credential === undefined ? [] : [credential])];
  if (scheme.toLowerCase() === 'basic' && credential !== undefined) {
    const pair = textOfBytes(fromBase64(credential) ?? new Uint8Array(0));
    if (pair.includes(':')) values.push(pair, pair.slice(pair.indexOf(':') + 1));
  }
  return [...new Set(values)].filter((text) => text !== '').map((text) => ({ ...rest, value: text }));
}

import { isCredentialName } from './secrets.ts';

// Text, not `URL`: what was written is masked as it was written, and also where it is no valid address.
const USER_INFO = /^(\s*[a-z][\w+.-]*:\/\/)([^/?#]*)@/i;
const PARAMETER = /([?&])([^=&#]+)=([^&#]*)/g;
const ONLY_PLACEHOLDER = /^\{\{\s*\w+\s*\}\}$/;

/** Name and password in front of a URL's host, decoded; empty where there are none. */
export function urlCredentials(url: string): { name: string; password: string } {
  const { name, password } = credentials(USER_INFO.exec(url)?.[2] ?? '');
  return { name: decoded(name), password: decoded(password) };
}

/**
 * The secrets inside a URL, as written and decoded: its password (or, without one, its user name, which then is a token),
 * the two as a `Basic` credential, and the values of parameters that are named like credentials.
 */
export function urlSecrets(url: string): string[] {
  const { name, password } = credentials(USER_INFO.exec(url)?.[2] ?? '');
  const parameters = Array.from(url.matchAll(PARAMETER))
    .filter(([, , key = '', value = '']) => isSecretParameter(key, value))
    .map(([, , , value = '']) => value);
  const written = [password || name, ...parameters];
  const values = [...written.map(decoded), ...parameters.map((value) => decoded(value.replaceAll('+', ' ')))];
  if (password !== '') values.push(`${decoded(name)}:${decoded(password)}`);
  return [...new Set([...values, ...written])].filter((value) => value !== '');
}

/** A URL with its secrets replaced by what `mask` makes of each, which gets them as they are written. */
export function replaceUrlSecrets(url: string, mask: (value: string) => string): string {
  return url
    .replace(USER_INFO, (_, scheme: string, userInfo: string) => {
      const { name, password } = credentials(userInfo);
      return `${scheme}${password === '' ? mask(name) : `${name}:${mask(password)}`}@`;
    })
    .replace(PARAMETER, (whole, before: string, key: string, value: string) =>
      isSecretParameter(key, value) ? `${before}${key}=${mask(value)}` : whole,
    );
}

function isSecretParameter(key: string, value: string): boolean {
  return isCredentialName(decoded(key)) && !ONLY_PLACEHOLDER.test(value);
}

// A colon inside of `${env:NAME}` is no separator.
function credentials(userInfo: string): { name: string; password: string } {
  const [, name = '', password = ''] = /^((?:\$\{[^}]*\}|[^:])*)(?::(.*))?$/s.exec(userInfo) ?? [];
  return { name, password };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone percent sign: meant as it stands.
  }
}

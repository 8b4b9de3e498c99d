import { isCredentialName } from './secrets.ts';

// Text, not `URL`: what was written is masked as it was written, and also where it is no valid address.
const USER_INFO = /^(\s*[a-z][\w+.-]*:\/\/)([^/?#]*)@/i;
const PARAMETER = /([?&])([^=&#]+)=([^&#]*)/g;
const ONLY_PLACEHOLDER = /^\{\{\s*\w+\s*\}\}$/;

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
  const values = [
    ...written.map(percentDecoded),
    ...parameters.map((value) => percentDecoded(value.replaceAll('+', ' '))),
  ];
  if (password !== '') values.push(`${percentDecoded(name)}:${percentDecoded(password)}`);
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
  return isCredentialName(percentDecoded(key)) && !ONLY_PLACEHOLDER.test(value);
}

// A colon inside of `${env:NAME}` is no separator.
function credentials(userInfo: string): { name: string; password: string } {
  const [, name = '', password = ''] = /^((?:\$\{[^}]*\}|[^:])*)(?::(.*))?$/s.exec(userInfo) ?? [];
  return { name, password };
}

/** A percent-encoded text decoded; the text itself where it is not valid percent-encoding. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

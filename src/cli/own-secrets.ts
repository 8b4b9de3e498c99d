import { headerSecrets, isCredentialName, type Secret } from '../model/secrets.ts';
import { urlSecrets } from '../model/url-secrets.ts';
import { PROVIDERS } from '../wire/providers.ts';

/** Secrets that are known before anything is read: a mistake in the words of a command must not show them either. */

const KEY_FLAG = /^--(api-key|jwt-secret)$/;
const HEADER_FLAG = /^(-H|--header)$/;
const PAIR_FLAG = /^(-e|--env|--set)$/;

/** The keys that the environment holds under the names that the program reads. */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): Secret[] {
  const variables = new Set([
    ...PROVIDERS.flatMap(({ keyVariable }) => keyVariable ?? []),
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'STREAMBENCH_JWT_SECRET',
  ]);
  const keys = Array.from(variables, (name) => ({ name: `\${env:${name}}`, value: env[name] ?? '' }));
  const proxies = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY', 'all_proxy', 'ALL_PROXY'];
  return [
    ...keys.filter(({ value }) => value !== ''),
    ...proxies.flatMap((name) => urlSecrets(env[name] ?? '').map((value) => ({ name: `[${name}]`, value }))),
  ];
}

/** The keys, header values and passwords in URLs among the words of a command line. */
export function argumentSecrets(words: readonly string[]): Secret[] {
  return words.flatMap((word, index) => {
    const [, flag = '', inline] = /^(--?[a-z][\w-]*)(?:=(.*))?$/is.exec(word) ?? [];
    const value = inline ?? words[index + 1] ?? '';
    return [
      ...ofFlag(flag, value),
      ...urlSecrets(inline ?? word).map((secret) => ({ name: '[url]', value: secret })),
    ];
  });
}

function ofFlag(flag: string, value: string): Secret[] {
  if (KEY_FLAG.test(flag)) return [{ name: `[${flag}]`, value }];
  if (HEADER_FLAG.test(flag)) {
    const at = value.indexOf(':');
    // Without a name it may be a key as a whole.
    if (at < 1) return [{ name: `[${flag}]`, value }];
    return headerSecrets({ [value.slice(0, at).trim()]: value.slice(at + 1).trim() });
  }
  if (PAIR_FLAG.test(flag)) {
    const at = value.indexOf('=');
    if (at < 1) return flag === '--set' ? [] : [{ name: `[${flag}]`, value }];
    const name = value.slice(0, at);
    return isCredentialName(name) ? [{ name: `[${name}]`, value: value.slice(at + 1) }] : [];
  }
  return [];
}

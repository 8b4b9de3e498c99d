import { headerSecrets, isCredentialName, type Secret } from '../model/redaction/secrets.ts';
import { percentDecoded, urlSecrets } from '../model/redaction/url-secrets.ts';
import { PROVIDERS } from '../wire/providers.ts';

/** Secrets in the environment and the command line, known before any command runs. Usage errors must not print them. */

const KEY_FLAG = /^--(api-key(-[ab])?|jwt-secret)$/;
const HEADER_FLAG = /^(-H|--header(-[ab])?)$/;
const PAIR_FLAG = /^(-e|--env|--set)$/;

const OWN_VARIABLES: ReadonlySet<string> = new Set([
  ...PROVIDERS.flatMap(({ keyVariable }) => keyVariable ?? []),
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'STREAMBENCH_JWT_SECRET',
]);
const KEY_VARIABLE = /(KEY|TOKEN|SECRET|PASSWORD|PASSWD)S?$/i;
/** Headers of the OpenTelemetry exporters, as `name=value,name=value` with values percent-encoded. */
const EXPORTER_HEADERS = /^OTEL_EXPORTER_OTLP_(\w+_)?HEADERS$/;
const PROXY_VARIABLE = /^(https?|all)_proxy$/i;

/**
 * The keys in the environment: variables that the program reads itself, and variables whose names look like keys, because a
 * scenario may refer to them. The latter are redacted only as whole words.
 */
export function environmentSecrets(env: Readonly<Record<string, string | undefined>>): Secret[] {
  return Object.entries(env).flatMap(([variable, value = '']): Secret[] => {
    const name = `\${env:${variable}}`;
    if (value === '') return [];
    if (OWN_VARIABLES.has(variable)) return [{ name, value }];
    if (EXPORTER_HEADERS.test(variable))
      return exporterHeaders(value).map((secret) => ({ name, value: secret }));
    if (PROXY_VARIABLE.test(variable)) return urlSecrets(value).map((secret) => ({ name, value: secret }));
    return KEY_VARIABLE.test(variable) ? [{ name, value, whole: true }] : [];
  });
}

function exporterHeaders(text: string): string[] {
  return text.split(',').flatMap((pair) => {
    const written = pair.slice(pair.indexOf('=') + 1).trim();
    const decoded = percentDecoded(written);
    // `Bearer TOKEN`: the token alone may be quoted, too.
    return [...new Set([written, decoded, decoded.split(/\s+/).at(-1) ?? ''])].filter(
      (value) => value !== '',
    );
  });
}

/** The keys, header values and URL passwords in a command line. */
export function argumentSecrets(words: readonly string[]): Secret[] {
  return words.flatMap((word, index) => {
    const [, long, inline] = /^(--[a-z][\w-]*)=(.*)$/is.exec(word) ?? [];
    const [, short, glued] = /^(-[He])(.+)$/s.exec(word) ?? [];
    const flag = long ?? short ?? word;
    const value = inline ?? glued ?? words[index + 1] ?? '';
    return [
      ...ofFlag(flag, value),
      ...urlSecrets(inline ?? word).map((secret) => ({ name: '[url]', value: secret })),
    ];
  });
}

/** The keys in the words of a command line that are curl commands. */
export async function pastedSecrets(words: readonly string[]): Promise<Secret[]> {
  const pasted = words.filter((word) => /^\W*curl(\.exe)?\s/.test(word));
  if (pasted.length === 0) return [];
  const { readCurl } = await import('../scenario/draft/curl.ts');
  return pasted.flatMap((word): Secret[] => {
    const all = { name: '[curl command]', value: word, whole: true };
    try {
      const { url, headers } = readCurl(word);
      return [all, ...headerSecrets(headers), ...urlSecrets(url).map((value) => ({ name: '[url]', value }))];
    } catch {
      // What is wrong with it is reported when it is used.
      return [all];
    }
  });
}

function ofFlag(flag: string, value: string): Secret[] {
  if (KEY_FLAG.test(flag)) return [{ name: `[${flag}]`, value }];
  if (HEADER_FLAG.test(flag)) {
    const at = value.indexOf(':');
    // Without a name, the whole value may be a key.
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

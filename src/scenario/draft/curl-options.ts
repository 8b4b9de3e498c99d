import { UserError } from '../../model/errors.ts';
import { hasReference } from '../env.ts';

/** The options of curl: what each does to a request. */

/** What an option does to the request. `true`: the option takes a value. */
export type CurlOption = {
  takes?: true;
  apply?: (request: CurlRequest, value: string, option: string) => void;
};

/** A request while the options of its command are applied. */
export interface CurlRequest {
  method?: string;
  urls: string[];
  headers: Map<string, string>;
  data: string[];
  json: boolean;
  inQuery: boolean;
  connection: Record<string, unknown>;
}

const IGNORED: CurlOption = {};
const IGNORED_VALUE: CurlOption = { takes: true };

function refused(message: string, hint: string): CurlOption {
  return {
    takes: true,
    apply: (_request, _value, option) => {
      throw new UserError('usage', { message: `curl ${option}: ${message}`, hint });
    },
  };
}

function setsHeader(name: string, value = (text: string) => text): CurlOption {
  return { takes: true, apply: ({ headers }, text) => void headers.set(name, value(text)) };
}

function connects(field: string, value: (text: string) => unknown = (text) => text): CurlOption {
  return {
    takes: true,
    apply: ({ connection }, text) => void Object.assign(connection, { [field]: value(text) }),
  };
}

function sets(field: string, value: unknown): CurlOption {
  return { apply: ({ connection }) => void Object.assign(connection, { [field]: value }) };
}

const DATA: CurlOption = {
  takes: true,
  apply(request, value, option) {
    if (value.startsWith('@')) throw fromFile(`${option} ${value}`, value.slice(1));
    request.data.push(value);
  },
};

function basic(pair: string): string {
  if (!hasReference(pair)) return `Basic ${Buffer.from(pair).toString('base64')}`;
  throw new UserError('usage', {
    message: 'curl -u: a variable in the name or the password cannot be encoded',
    hint: 'let the shell replace it: streambench init curl ... without quotes around the command',
  });
}

const FORM = refused(
  'multipart forms are not supported',
  'streambench sends text bodies: use -d, --data-raw or --json',
);

/** The long names of options. */
export const CURL_OPTIONS: Readonly<Record<string, CurlOption>> = {
  '--request': {
    takes: true,
    apply: (request, value) => void Object.assign(request, { method: value.toUpperCase() }),
  },
  '--url': { takes: true, apply: ({ urls }, value) => void urls.push(value) },
  '--header': { takes: true, apply: addHeader },
  '--data': DATA,
  '--data-ascii': DATA,
  '--data-binary': DATA,
  '--data-raw': { takes: true, apply: ({ data }, value) => void data.push(value) },
  '--data-urlencode': { takes: true, apply: addEncoded },
  '--json': {
    takes: true,
    apply(request, value, option) {
      DATA.apply?.(request, value, option);
      request.json = true;
    },
  },
  '--get': { apply: (request) => void Object.assign(request, { inQuery: true }) },
  '--user': setsHeader('authorization', basic),
  '--oauth2-bearer': setsHeader('authorization', (token) => `Bearer ${token}`),
  '--user-agent': setsHeader('user-agent'),
  '--referer': setsHeader('referer'),
  '--cookie': {
    takes: true,
    apply({ headers }, value, option) {
      if (!value.includes('=')) throw fromFile(option, 'the file');
      const before = headers.get('cookie');
      headers.set('cookie', before === undefined ? value : `${before}; ${value}`);
    },
  },
  '--insecure': sets('insecure', true),
  '--cacert': connects('ca'),
  '--proxy': connects('proxy', (proxy) => (/^[a-z]+:\/\//i.test(proxy) ? proxy : `http://${proxy}`)),
  '--unix-socket': connects('unix'),
  '--http2': sets('http', 2),
  '--http2-prior-knowledge': sets('http', 2),
  '--ipv4': sets('ip', 4),
  '--ipv6': sets('ip', 6),
  '--resolve': {
    takes: true,
    apply({ connection }, value) {
      connection.resolve = [...((connection.resolve as string[] | undefined) ?? []), value];
    },
  },
  '--form': FORM,
  '--form-string': FORM,
  '--upload-file': refused('uploads are not supported', 'use -d or --data-raw with the text of the file'),
  '--config': refused('a configuration file is not read', 'add its options to the command'),
  '--head': refused('a HEAD request has no answer to measure', 'remove it'),
  '--cert': refused(
    'client certificates are not supported',
    'remove it, or measure behind a proxy that adds it',
  ),
  '--key': refused(
    'client certificates are not supported',
    'remove it, or measure behind a proxy that adds it',
  ),
  '--aws-sigv4': refused(
    'requests are signed for Bedrock only',
    'use streambench init --provider bedrock --model NAME',
  ),
  '--digest': refused('digest authentication is not supported', 'use --user alone, or a header'),
  '--ntlm': refused('NTLM authentication is not supported', 'use a header'),
  '--negotiate': refused('Negotiate authentication is not supported', 'use a header'),
  ...Object.fromEntries(
    [
      ...[
        'compressed',
        'location',
        'silent',
        'show-error',
        'verbose',
        'include',
        'no-buffer',
        'fail',
        'globoff',
      ],
      ...[
        'progress-bar',
        'no-progress-meter',
        'fail-with-body',
        'http1.1',
        'http1.0',
        'basic',
        'disable',
        'tlsv1.2',
      ],
      ...[
        'tlsv1.3',
        'remote-name',
        'no-keepalive',
        'tcp-nodelay',
        'path-as-is',
        'ssl-no-revoke',
        'no-alpn',
        'raw',
      ],
    ].map((name) => [`--${name}`, IGNORED]),
  ),
  ...Object.fromEntries(
    [
      ...[
        'output',
        'write-out',
        'max-time',
        'connect-timeout',
        'retry',
        'retry-delay',
        'cookie-jar',
        'dump-header',
      ],
      ...[
        'trace',
        'trace-ascii',
        'stderr',
        'max-redirs',
        'limit-rate',
        'speed-time',
        'speed-limit',
        'noproxy',
      ],
      ...['keepalive-time', 'interface', 'ciphers', 'retry-max-time'],
    ].map((name) => [`--${name}`, IGNORED_VALUE]),
  ),
};

export const SHORT_OPTIONS: Readonly<Record<string, string>> = {
  ...{
    X: '--request',
    H: '--header',
    d: '--data',
    G: '--get',
    u: '--user',
    A: '--user-agent',
    e: '--referer',
  },
  ...{
    b: '--cookie',
    k: '--insecure',
    x: '--proxy',
    F: '--form',
    T: '--upload-file',
    K: '--config',
    I: '--head',
  },
  ...{ E: '--cert', L: '--location', s: '--silent', S: '--show-error', v: '--verbose', i: '--include' },
  ...{
    N: '--no-buffer',
    f: '--fail',
    g: '--globoff',
    '#': '--progress-bar',
    o: '--output',
    w: '--write-out',
  },
  ...{ m: '--max-time', c: '--cookie-jar', D: '--dump-header', q: '--disable', O: '--remote-name' },
  ...{ 4: '--ipv4', 6: '--ipv6' },
};

function fromFile(written: string, file: string): UserError {
  return new UserError('usage', {
    message: `curl ${written}: files are not read`,
    hint: `replace it by the text of ${file}: in a shell, --data-raw "$(cat ${file})"; or write the scenario without it, then set body: "@${file}" in its target`,
  });
}

function addHeader({ headers }: CurlRequest, line: string): void {
  if (line.startsWith('@')) throw fromFile(`-H ${line}`, line.slice(1));
  const at = line.search(/[:;]/);
  const name = line.slice(0, Math.max(at, 0)).trim().toLowerCase();
  const value = line.slice(at + 1).trim();
  if (name === '') {
    throw new UserError('usage', { message: 'curl -H: invalid header', hint: "write -H 'name: value'" });
  }
  // `name:` removes a header of curl's own, `name;` sends it empty.
  if (value === '') headers.delete(name);
  else headers.set(name, value);
}

function addEncoded({ data }: CurlRequest, value: string, option: string): void {
  const [, name = '', text = ''] = /^([^=@]*)=(.*)$/s.exec(value) ?? [];
  if (/^[^=]*@/.test(value)) throw fromFile(`${option} ${value}`, value.slice(value.indexOf('@') + 1));
  const written = value.includes('=') ? text : value;
  data.push(`${name === '' ? '' : `${name}=`}${encodeURIComponent(written).replaceAll('%20', '+')}`);
}

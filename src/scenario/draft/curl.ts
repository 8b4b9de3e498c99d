import { UserError } from '../../model/errors.ts';
import { suggest } from '../../model/suggestions.ts';
import { CURL_OPTIONS, type CurlOption, type CurlRequest, SHORT_OPTIONS } from './curl-options.ts';
import type { PastedRequest } from './pasted-request.ts';
import { shellWords } from './shell-words.ts';

/** True for a text that begins with a curl command. */
export function isCurl(text: string): boolean {
  return /^\s*(?:[$#>!]\s*)?curl(\.exe)?(\s|$)/.test(text);
}

/** The request of a curl command. Throws a `UserError` (`usage`) for what streambench cannot send. */
export function readCurl(command: string): PastedRequest {
  const [, ...words] = shellWords(command);
  const request: CurlRequest = {
    urls: [],
    headers: new Map(),
    data: [],
    json: false,
    inQuery: false,
    connection: {},
  };
  let onlyUrls = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (onlyUrls || word === '-' || !word.startsWith('-')) {
      request.urls.push(word);
    } else if (word === '--') {
      onlyUrls = true;
    } else {
      at += applyWord(request, word, words[at + 1]);
    }
  }
  return finished(request);
}

/** Applies one word of options. Returns how many further words it used: 0 or 1. */
function applyWord(request: CurlRequest, word: string, next: string | undefined): 0 | 1 {
  if (word.startsWith('--')) {
    const option = CURL_OPTIONS[word];
    if (option !== undefined) return applied(request, option, word, next);
    // curl has no --name=value, but people write it.
    const [, name = '', value] = /^(--[\w.-]+)=(.*)$/s.exec(word) ?? [];
    const written = CURL_OPTIONS[name];
    if (written?.takes && value !== undefined) return applied(request, written, name, value) && 0;
    throw unknownOption(name === '' ? word : name);
  }
  // Short options can be joined: -sSL, -XPOST.
  for (let at = 1; at < word.length; at++) {
    const short = `-${word[at]}`;
    const option = CURL_OPTIONS[SHORT_OPTIONS[word[at]!] ?? ''];
    if (option === undefined) throw unknownOption(short);
    if (!option.takes) {
      option.apply?.(request, '', short);
      continue;
    }
    const rest = word.slice(at + 1);
    if (rest === '') return applied(request, option, short, next);
    applied(request, option, short, rest);
    break;
  }
  return 0;
}

function applied(request: CurlRequest, option: CurlOption, name: string, next: string | undefined): 0 | 1 {
  if (!option.takes) {
    option.apply?.(request, '', name);
    return 0;
  }
  if (next === undefined) {
    throw new UserError('usage', {
      message: `curl ${name}: the value is missing`,
      hint: 'paste the whole command',
    });
  }
  option.apply?.(request, next, name);
  return 1;
}

function unknownOption(option: string): UserError {
  return new UserError('usage', {
    message: `unknown curl option ${option}`,
    hint: `remove it if it does not change the request; ${suggest(option, [...Object.keys(CURL_OPTIONS), ...Object.keys(SHORT_OPTIONS).map((letter) => `-${letter}`)]).replace(/^known: .*/s, 'supported: -X, -H, -d, --data-raw, --json, -u, -b, -k and others')}`,
  });
}

function finished({ method, urls, headers, data, json, inQuery, connection }: CurlRequest): PastedRequest {
  const [url] = urls;
  if (url === undefined) {
    throw new UserError('usage', { message: 'the curl command has no URL', hint: 'paste the whole command' });
  }
  if (urls.length > 1) {
    throw new UserError('usage', {
      message: `the curl command has ${urls.length} URLs`,
      hint: 'keep one; a word that is not a URL is taken for one if the option before it is misspelt or its quotes are missing',
    });
  }
  const text = data.length === 0 ? undefined : data.join(json ? '' : '&');
  const body = inQuery ? undefined : text;
  const types: [string, string][] = json
    ? [
        ['content-type', 'application/json'],
        ['accept', 'application/json'],
      ]
    : body === undefined
      ? []
      : [['content-type', 'application/x-www-form-urlencoded']];
  return {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    url: withQuery(
      /^[a-z][\w+.-]*:\/\//i.test(url) || url.startsWith('${') ? url : `http://${url}`,
      inQuery ? text : undefined,
    ),
    headers: Object.fromEntries([...types, ...headers]),
    body,
    connection,
  };
}

function withQuery(url: string, query: string | undefined): string {
  if (query === undefined) return url;
  return `${url}${url.includes('?') ? '&' : '?'}${query}`;
}

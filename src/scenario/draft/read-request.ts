import { UserError } from '../../model/errors.ts';
import { assumeHttp, isUrl } from '../from-flags.ts';
import { isCurl, readCurl } from './curl.ts';
import type { PastedRequest } from './pasted-request.ts';
import { isContinued, shellWords, UnfinishedCommand } from './shell-words.ts';

/** Reads a URL or a curl command. Throws a `UserError` (`usage`) for anything else. */
export function readRequest(pasted: string): { request: PastedRequest; from: string } {
  const text = pasted.trim();
  if (isCurl(text)) return { request: supported(readCurl(text)), from: 'a curl command' };
  const url = text.replace(/^(['"<])(.*)(['">])$/s, '$2');
  if (isUrl(url) && !/\s/.test(url)) {
    return { request: { method: 'GET', url: assumeHttp(url), headers: {}, connection: {} }, from: 'a URL' };
  }
  throw new UserError('usage', { message: 'neither a URL nor a curl command', hint: hintFor(text) });
}

function hintFor(text: string): string {
  if (/^(await\s+)?fetch\(|^\s*(\$\w+\s*=|Invoke-)/i.test(text)) return 'in the browser, use "Copy as cURL"';
  if (/^[a-z][\w+.-]*:\/\//i.test(text)) return 'a URL starts with http:// or https://';
  if (/^[\w-]+(\.[\w-]+)+(:\d+)?([/?]|$)/.test(text))
    return `add the scheme: https://${text.split(/[\s?]/, 1)[0]}`;
  return 'streambench init https://..., or put "streambench init" before a curl command';
}

function supported(request: PastedRequest): PastedRequest {
  if (request.method === 'GET' || request.method === 'POST') return request;
  throw new UserError('usage', {
    message: `the method ${request.method} is not supported`,
    hint: 'streambench measures GET and POST requests',
  });
}

/** True if a pasted text is a whole URL or command: no quote is open and no line continues. */
export function isCompleteRequest(text: string): boolean {
  if (isContinued(text)) return false;
  try {
    if (isCurl(text)) shellWords(text);
    return true;
  } catch (error) {
    return !(error instanceof UnfinishedCommand);
  }
}

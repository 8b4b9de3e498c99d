/** What a body looks like, judged by its beginning: to report a mismatch between endpoint and dialect. */
export type BodyLook =
  | 'sse'
  | 'ndjson'
  | 'json'
  | 'html'
  | 'event-stream-binary'
  | 'xml'
  | 'gzip'
  | 'binary'
  | 'text'
  | 'nothing';

/** Classifies a body by its first bytes (as text) and its content type. */
export function sniff(prefix: string, contentType: string): BodyLook {
  const text = prefix.replace(/^\uFEFF/, '').trimStart();
  const type = contentType.toLowerCase();
  if (type.includes('vnd.amazon.eventstream')) return 'event-stream-binary';
  if (text === '') return 'nothing';
  // The second byte of the gzip magic number, 0x8b, is not UTF-8.
  if (text.startsWith('\u001f\uFFFD')) return 'gzip';
  // XHTML may begin like any XML.
  if (/^<\?xml/i.test(text)) return /<(!doctype html|html)\b/i.test(text) ? 'html' : 'xml';
  if (/^<(!doctype html|html|head|body)/i.test(text)) return 'html';
  if (type.includes('html') && text.startsWith('<')) return 'html';
  if (text.includes('\0')) return 'binary';
  if (/^(data|event|id|retry|error)?:/.test(text)) return 'sse';
  if (text.startsWith('{')) {
    const [first = '', second = ''] = text.split('\n', 2);
    if (!isJson(first)) return 'json';
    return second.trimStart().startsWith('{') || /ndjson|jsonl|json-lines/.test(type) ? 'ndjson' : 'json';
  }
  if (text.startsWith('[')) return 'json';
  return 'text';
}

/**
 * True if the body of a non-streaming response is a stream: Server-Sent Events, or several lines of JSON. A whole answer may
 * be plain text, so a first word such as `id:` alone does not count.
 */
export function looksStreamed(body: string): boolean {
  const look = sniff(body, '');
  return look === 'ndjson' || (look === 'sse' && /(^|[\r\n])(data:|error: *\{)/.test(body));
}

/** The kinds of body, for messages. */
export const LOOK_TITLE: Readonly<Record<BodyLook, string>> = {
  sse: 'Server-Sent Events',
  ndjson: 'newline-delimited JSON',
  json: 'one JSON document',
  html: 'an HTML page',
  'event-stream-binary': 'an AWS binary event stream',
  xml: 'an XML document',
  gzip: 'gzip data',
  binary: 'binary data, or text that is not UTF-8',
  text: 'plain text',
  nothing: 'white space only',
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

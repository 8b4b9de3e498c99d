/** What a body looks like, judged by its beginning: to name a mismatch between endpoint and dialect. */
export type BodyLook = 'sse' | 'ndjson' | 'json' | 'html' | 'event-stream-binary' | 'text' | 'nothing';

/** Judges the first bytes of a body, as text, and its content type. */
export function sniff(prefix: string, contentType: string): BodyLook {
  const text = prefix.replace(/^\uFEFF/, '').trimStart();
  if (contentType.includes('vnd.amazon.eventstream')) return 'event-stream-binary';
  if (text === '') return 'nothing';
  if (/^<(!doctype|html|head|body|\?xml)/i.test(text)) return 'html';
  if (/^(data|event|id|retry|error)?:/.test(text)) return 'sse';
  if (text.startsWith('{')) {
    const [first = '', second = ''] = text.split('\n', 2);
    return isJson(first) && second.trimStart().startsWith('{') ? 'ndjson' : 'json';
  }
  if (text.startsWith('[')) return 'json';
  return 'text';
}

/** In words, for a message. */
export const LOOK_TITLE: Readonly<Record<BodyLook, string>> = {
  sse: 'Server-Sent Events',
  ndjson: 'newline-delimited JSON',
  json: 'one JSON document',
  html: 'an HTML page',
  'event-stream-binary': 'an AWS binary event stream',
  text: 'plain text',
  nothing: 'an empty body',
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

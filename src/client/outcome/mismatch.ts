import { isPlainDialect } from '../../model/plan.ts';
import type { Outcome } from '../../model/record.ts';
import { type ErrorText, readFailedBody } from '../../wire/errors.ts';
import type { FramingName } from '../../wire/framing/frame.ts';
import { excerpt, parseJson } from '../../wire/json.ts';
import { isAgentStream, isTextStream, recogniseStream, recogniseWhole } from '../../wire/recognise.ts';
import { DECODED_ENCODINGS } from '../inflater.ts';
import { BODY_CHARS, type Evidence } from './evidence.ts';
import { type BodyLook, LOOK_TITLE, looksStreamed, sniff } from './sniff.ts';

/**
 * The outcome of a success status with the wrong kind of body; undefined if the body is of the right kind, but broken or empty.
 * For answers without content only: the dialect has already tried to read the body.
 */
export function mismatch(evidence: Evidence): Outcome | undefined {
  const { request, bodyPrefix, headers } = evidence;
  const look = sniff(bodyPrefix, headers['content-type'] ?? '');
  const found = compressed(evidence, look) ?? failedBody(evidence);
  if (found !== undefined) return found;
  if (look === 'nothing') return { kind: 'empty', message: 'the body contains only white space' };
  return request.mode === 'non-streaming' ? notWhole(evidence, look) : notThisStream(evidence, look);
}

/**
 * The same for a plain dialect, which reads nearly every body as content: the content type and the first bytes tell a login
 * page, an error or compressed bytes from an answer.
 */
export function plainMismatch(evidence: Evidence): Outcome | undefined {
  const { request, bodyPrefix, headers } = evidence;
  const contentType = headers['content-type'] ?? '';
  const look = sniff(bodyPrefix, contentType);
  // Only these accept any body.
  if (request.dialect === 'raw' || request.mode === 'non-streaming') {
    const page = look === 'html' && /html/i.test(contentType);
    if (page || look === 'event-stream-binary') return notAStream(evidence, look, hintOf(evidence, look));
    const packed = compressed(evidence, look);
    if (packed !== undefined) return packed;
  }
  if (request.dialect === 'sse' && request.textPath === undefined && isAgentStream(bodyPrefix, headers)) {
    const other = recogniseStream(bodyPrefix, headers, request.dialect);
    if (other !== undefined && other !== 'own') return otherDialect(evidence, other.dialect);
  }
  return request.textPath === undefined ? failedBody(evidence) : undefined;
}

function compressed({ headers, inflated }: Evidence, look: BodyLook): Outcome | undefined {
  if (inflated) return undefined;
  const encoding = headers['content-encoding'];
  const named = encoding !== undefined && encoding.trim().toLowerCase() !== 'identity';
  if (!named && look !== 'gzip') return undefined;
  return {
    kind: 'not_a_stream',
    message: `the body is compressed (${named ? encoding : 'gzip'}): the compressor delays chunks, and the body is not decoded`,
    hint: `turn off compression for this path, or request it: with a header such as accept-encoding: gzip, ${DECODED_ENCODINGS.join(', ')} are decoded`,
  };
}

function failedBody({ bodyPrefix, status = 200 }: Evidence): Outcome | undefined {
  const failed = readFailedBody(bodyPrefix);
  if (failed === undefined) return undefined;
  const message = `a JSON error with status ${status}: ${failed.message}`;
  return { ...inbandError({ ...failed, message }), body: bodyPrefix.slice(0, BODY_CHARS) };
}

/** An error that the service reported inside a response with a success status. */
export function inbandError({ message, code, rateLimited }: ErrorText): Outcome {
  const outcome: Outcome = {
    kind: rateLimited ? 'rate_limited' : 'inband_error',
    message: excerpt(message, 300),
  };
  if (code !== undefined) outcome.code = code;
  return outcome;
}

/** What a stream of each framing looks like. */
const LOOK_OF: Readonly<Record<FramingName, BodyLook>> = {
  sse: 'sse',
  ndjson: 'ndjson',
  'json-array': 'json',
  'aws-event-stream': 'event-stream-binary',
  raw: 'text',
};

function notThisStream(evidence: Evidence, look: BodyLook): Outcome | undefined {
  const { request, bodyPrefix, headers } = evidence;
  const { dialect, framing } = request;
  if (look === 'sse' || look === 'ndjson' || look === 'json') {
    const other = recogniseStream(bodyPrefix, headers, dialect);
    if (other === 'own') return undefined;
    if (other !== undefined) return otherDialect(evidence, other.dialect, look);
  }
  // A single line of NDJSON is also one JSON document, and garbled JSON looks like text.
  const own = LOOK_OF[framing] === look || (framing === 'ndjson' && look === 'json');
  if (!own) {
    const garbled = framing === 'json-array' && bodyPrefix.trimStart().startsWith('{');
    return garbled ? undefined : notAStream(evidence, look, hintOf(evidence, look));
  }
  if (framing === 'sse' && !isPlainDialect(request.dialect) && isTextStream('sse', bodyPrefix)) {
    return notAStream(evidence, look, 'its events are text: try --dialect sse', 'with plain text in them');
  }
  // A JSON document over several lines is not NDJSON.
  if (
    framing === 'ndjson' &&
    look === 'json' &&
    evidence.failure !== undefined &&
    isWholeDocument(bodyPrefix)
  )
    return notAStream(evidence, look, hintOf(evidence, look));
  return undefined;
}

/** The same for a request of one whole answer. */
function notWhole(evidence: Evidence, look: BodyLook): Outcome | undefined {
  const { request, bodyPrefix } = evidence;
  const array = request.framing === 'json-array' && bodyPrefix.trimStart().startsWith('[');
  if (looksStreamed(bodyPrefix) || look === 'event-stream-binary' || array) {
    return {
      kind: 'not_a_stream',
      message: `the server ignored stream: false: it answered with a stream (${array ? 'a streamed JSON array' : LOOK_TITLE[look]})`,
      body: bodyPrefix.slice(0, BODY_CHARS),
      hint: 'there is no whole answer to measure here: use --mode streaming',
    };
  }
  if (look === 'json') {
    const other = recogniseWhole(bodyPrefix);
    if (other !== undefined && other.dialect !== request.dialect)
      return otherDialect(evidence, other.dialect, look);
    // The answer is empty, or the document was cut.
    if (evidence.complete !== undefined || parseJson(bodyPrefix) === undefined) return undefined;
    return notAStream(evidence, look, 'check the path and the dialect');
  }
  return notAStream(evidence, look, hintOf(evidence, look));
}

function otherDialect(evidence: Evidence, dialect: string, look: BodyLook = 'sse'): Outcome {
  const { request } = evidence;
  const what = request.mode === 'streaming' ? 'stream' : 'answer';
  return {
    ...notAStream(evidence, look, `try --dialect ${dialect}`),
    message: `the ${what} is in another dialect (${dialect}), which ${request.dialect} does not read`,
  };
}

function notAStream(evidence: Evidence, look: BodyLook, hint: string | undefined, more = ''): Outcome {
  const { request, bodyPrefix, headers } = evidence;
  const contentType = headers['content-type'] ?? '';
  const what = `${LOOK_TITLE[look]}${more === '' ? '' : ` ${more}`}${contentType === '' ? '' : ` (${contentType})`}`;
  const outcome: Outcome = {
    kind: 'not_a_stream',
    message: `the answer is ${what}, which the dialect ${request.dialect} does not read`,
    body: bodyPrefix.slice(0, BODY_CHARS),
  };
  if (hint !== undefined) outcome.hint = hint;
  return outcome;
}

/** What to try for a kind of body that neither this dialect nor any known dialect reads. */
function hintOf(evidence: Evidence, look: BodyLook): string | undefined {
  switch (look) {
    case 'html':
      return 'this looks like a web page or a login: check the URL, and send the key or cookie that it requires (--api-key, -H)';
    case 'sse':
      return 'try --dialect sse, with --text-path where the text is inside JSON';
    case 'ndjson':
      return 'try --dialect ndjson, with --text-path where the text is inside JSON';
    case 'event-stream-binary':
      return 'try --dialect bedrock-converse';
    case 'text':
      return evidence.request.mode === 'streaming' ? 'try --dialect raw' : 'check the path and the dialect';
    case 'json':
      return wholeHint(evidence);
    case 'xml':
    case 'binary':
      return 'check the URL and the path: this does not look like an API for language models';
    case 'gzip':
    case 'nothing':
      return undefined;
    default:
      return look satisfies never;
  }
}

function wholeHint({ request, bodyPrefix }: Evidence): string {
  const whole = recogniseWhole(bodyPrefix);
  if (whole === undefined) {
    return 'the service may not stream here: check the path; --dialect raw measures any body';
  }
  const dialect = whole.dialect === request.dialect ? '' : `--dialect ${whole.dialect} `;
  return `this is one whole answer: the service did not stream. Try ${dialect}--mode non-streaming`;
}

function isWholeDocument(text: string): boolean {
  const [first = ''] = text.trimStart().split('\n', 1);
  return /^[{[]\s*$/.test(first);
}

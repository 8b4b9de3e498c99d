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
 * The outcome where a success status came with a body of another kind than was asked for; undefined where it is of the right
 * kind, and only broken or empty. For answers without content: what the dialect expected was tried, and gave nothing.
 */
export function mismatch(evidence: Evidence): Outcome | undefined {
  const { asked, bodyPrefix, headers } = evidence;
  const look = sniff(bodyPrefix, headers['content-type'] ?? '');
  const found = compressed(evidence, look) ?? failedBody(evidence);
  if (found !== undefined) return found;
  if (look === 'nothing') return { kind: 'empty', message: 'the body holds nothing but white space' };
  return asked.mode === 'non-streaming' ? notWhole(evidence, look) : notThisStream(evidence, look);
}

/**
 * The same for a plain dialect, to which nearly every body is content: what tells a login page, an error or compressed
 * bytes from an answer is the content type and the first bytes.
 */
export function plainMismatch(evidence: Evidence): Outcome | undefined {
  const { asked, bodyPrefix, headers } = evidence;
  const contentType = headers['content-type'] ?? '';
  const look = sniff(bodyPrefix, contentType);
  // Only these take a body as it comes.
  if (asked.dialect === 'raw' || asked.mode === 'non-streaming') {
    const page = look === 'html' && /html/i.test(contentType);
    if (page || look === 'event-stream-binary') return notAStream(evidence, look, hintOf(evidence, look));
    const packed = compressed(evidence, look);
    if (packed !== undefined) return packed;
  }
  if (asked.dialect === 'sse' && asked.textPath === undefined && isAgentStream(bodyPrefix, headers)) {
    const other = recogniseStream(bodyPrefix, headers, asked.dialect);
    if (other !== undefined && other !== 'own') return otherDialect(evidence, other.dialect);
  }
  return asked.textPath === undefined ? failedBody(evidence) : undefined;
}

function compressed({ headers, inflated }: Evidence, look: BodyLook): Outcome | undefined {
  if (inflated) return undefined;
  const encoding = headers['content-encoding'];
  const named = encoding !== undefined && encoding.trim().toLowerCase() !== 'identity';
  if (!named && look !== 'gzip') return undefined;
  return {
    kind: 'not_a_stream',
    message: `the body is compressed (${named ? encoding : 'gzip'}): chunks are held back by the compressor, and are not decoded here`,
    hint: `take the compression off this path, or ask for it: with a header of yours such as accept-encoding: gzip, ${DECODED_ENCODINGS.join(', ')} are decoded`,
  };
}

function failedBody({ bodyPrefix, status = 200 }: Evidence): Outcome | undefined {
  const failed = readFailedBody(bodyPrefix);
  if (failed === undefined) return undefined;
  const message = `a JSON error with status ${status}: ${failed.message}`;
  return { ...inbandError({ ...failed, message }), body: bodyPrefix.slice(0, BODY_CHARS) };
}

/** What the service reported inside a response that began well. */
export function inbandError({ message, code, rateLimited }: ErrorText): Outcome {
  const outcome: Outcome = {
    kind: rateLimited ? 'rate_limited' : 'inband_error',
    message: excerpt(message, 300),
  };
  if (code !== undefined) outcome.code = code;
  return outcome;
}

/** How the stream of each framing looks. */
const LOOK_OF: Readonly<Record<FramingName, BodyLook>> = {
  sse: 'sse',
  ndjson: 'ndjson',
  'json-array': 'json',
  'aws-event-stream': 'event-stream-binary',
  raw: 'text',
};

function notThisStream(evidence: Evidence, look: BodyLook): Outcome | undefined {
  const { asked, bodyPrefix, headers } = evidence;
  const { dialect, framing } = asked;
  if (look === 'sse' || look === 'ndjson' || look === 'json') {
    const other = recogniseStream(bodyPrefix, headers, dialect);
    if (other === 'own') return undefined;
    if (other !== undefined) return otherDialect(evidence, other.dialect, look);
  }
  // A single line of NDJSON is one JSON document too, and garbled JSON looks like text.
  const own = LOOK_OF[framing] === look || (framing === 'ndjson' && look === 'json');
  if (!own) {
    const garbled = framing === 'json-array' && bodyPrefix.trimStart().startsWith('{');
    return garbled ? undefined : notAStream(evidence, look, hintOf(evidence, look));
  }
  if (framing === 'sse' && !isPlainDialect(asked.dialect) && isTextStream('sse', bodyPrefix)) {
    return notAStream(evidence, look, 'its events are text: try --dialect sse', 'with plain text in them');
  }
  // Lines of JSON that begin with a document over several lines.
  if (
    framing === 'ndjson' &&
    look === 'json' &&
    evidence.failure !== undefined &&
    isWholeDocument(bodyPrefix)
  )
    return notAStream(evidence, look, hintOf(evidence, look));
  return undefined;
}

/** One whole answer was asked for. */
function notWhole(evidence: Evidence, look: BodyLook): Outcome | undefined {
  const { asked, bodyPrefix } = evidence;
  const array = asked.framing === 'json-array' && bodyPrefix.trimStart().startsWith('[');
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
    if (other !== undefined && other.dialect !== asked.dialect)
      return otherDialect(evidence, other.dialect, look);
    // The dialect found the answer and nothing in it, or the document was cut.
    if (evidence.complete !== undefined || parseJson(bodyPrefix) === undefined) return undefined;
    return notAStream(evidence, look, 'check the path and the dialect');
  }
  return notAStream(evidence, look, hintOf(evidence, look));
}

function otherDialect(evidence: Evidence, dialect: string, look: BodyLook = 'sse'): Outcome {
  const { asked } = evidence;
  const what = asked.mode === 'streaming' ? 'stream' : 'answer';
  return {
    ...notAStream(evidence, look, `try --dialect ${dialect}`),
    message: `the ${what} is of another dialect (${dialect}), which ${asked.dialect} does not read`,
  };
}

function notAStream(evidence: Evidence, look: BodyLook, hint: string | undefined, more = ''): Outcome {
  const { asked, bodyPrefix, headers } = evidence;
  const contentType = headers['content-type'] ?? '';
  const what = `${LOOK_TITLE[look]}${more === '' ? '' : ` ${more}`}${contentType === '' ? '' : ` (${contentType})`}`;
  const outcome: Outcome = {
    kind: 'not_a_stream',
    message: `the answer is ${what}, which the dialect ${asked.dialect} does not read`,
    body: bodyPrefix.slice(0, BODY_CHARS),
  };
  if (hint !== undefined) outcome.hint = hint;
  return outcome;
}

/** What to try where the body is of a kind that the dialect does not read, and no known dialect either. */
function hintOf(evidence: Evidence, look: BodyLook): string | undefined {
  switch (look) {
    case 'html':
      return 'this looks like a web page or a login: check the URL, and send the key or cookie it asks for (--api-key, -H)';
    case 'sse':
      return 'try --dialect sse, with --text-path where the text is inside JSON';
    case 'ndjson':
      return 'try --dialect ndjson, with --text-path where the text is inside JSON';
    case 'event-stream-binary':
      return 'try --dialect bedrock-converse';
    case 'text':
      return evidence.asked.mode === 'streaming' ? 'try --dialect raw' : 'check the path and the dialect';
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

function wholeHint({ asked, bodyPrefix }: Evidence): string {
  const whole = recogniseWhole(bodyPrefix);
  if (whole === undefined) {
    return 'the service may not stream here: check the path; --dialect raw measures any body as it comes';
  }
  const dialect = whole.dialect === asked.dialect ? '' : `--dialect ${whole.dialect} `;
  return `this is one whole answer: the service did not stream. Try ${dialect}--mode non-streaming`;
}

function isWholeDocument(text: string): boolean {
  const [first = ''] = text.trimStart().split('\n', 1);
  return /^[{[]\s*$/.test(first);
}

import { formatSizeLimit, formatTimeLimit, formatValue } from '../../model/format.ts';
import { isPlainDialect, type Limits } from '../../model/plan.ts';
import type { Outcome, TimeoutPhase } from '../../model/record.ts';
import { pathsInWords } from '../../wire/payload-paths.ts';
import { BODY_CHARS, type Evidence, type LimitExceeded, type LimitName } from './evidence.ts';
import { httpError } from './http-error.ts';
import { inbandError, mismatch, plainMismatch } from './mismatch.ts';
import { CONNECT_TIMEOUT_HINT, describeError, networkError } from './network-error.ts';

/** The outcome of a request: exactly one, the most specific that the evidence supports. */
export function outcomeOf(evidence: Evidence): Outcome {
  const { ending, status, complete, failure } = evidence;
  if (ending.kind === 'cancelled')
    return { kind: 'cancelled', message: ending.reason ?? 'cancelled by the caller' };
  if (ending.kind === 'fault') return faultOf(ending.error);
  if (status !== undefined && status >= 300) return httpError(status, evidence);
  if (failure !== undefined && !failure.malformed) return inbandError(failure);
  if (complete?.finish === 'error') {
    const message = `the service ended the answer with finish reason "${complete.raw ?? 'error'}"`;
    return inbandError({ message, code: complete.raw });
  }
  if (failure !== undefined) return undecodable(failure.message, evidence);
  if (complete !== undefined) {
    if (evidence.contentEvents === 0) return withoutContent(evidence);
    return (isPlainDialect(evidence.request.dialect) ? plainMismatch(evidence) : undefined) ?? { kind: 'ok' };
  }
  switch (ending.kind) {
    case 'timeout':
      return timeout(ending.phase, ending.limitMs, evidence);
    case 'too_large':
      return tooLarge(ending);
    case 'error':
      return evidence.bytes > 0 ? truncated(evidence, ending.error) : networkError(ending.error);
    case 'planned_cut':
      return plannedCut(ending.afterMs, evidence);
    case 'window_over':
      return windowOver(ending.graceMs, evidence);
    case 'eof':
      return ended(evidence);
    default:
      return ending satisfies never;
  }
}

const LARGE_THING: Readonly<Record<LimitName, string>> = {
  event: 'an event of the stream is',
  body: 'the answer is',
  stream: 'the stream is',
  headers: 'the response headers are',
};

const LIMIT_OPTION: Readonly<Record<LimitName, keyof Limits>> = {
  event: 'eventBytes',
  body: 'bodyBytes',
  stream: 'streamBytes',
  headers: 'headerBytes',
};

function tooLarge({ limit, limitBytes, receivedBytes }: LimitExceeded): Outcome {
  const rest = receivedBytes > limitBytes + 1 ? `: ${formatValue(receivedBytes, 'bytes')} or more` : '';
  return {
    kind: 'too_large',
    message: `${LARGE_THING[limit]} larger than the limit of ${formatSizeLimit(limitBytes)}${rest}`,
    hint: `if this size is intended, raise the limit: limits.${limit} in the scenario (--set limits.${limit}=...), limits.${LIMIT_OPTION[limit]} of the client`,
  };
}

/** The outcome of an exchange in which this program failed. Other exchanges continue. */
export function faultOf(error: unknown): Outcome {
  return {
    kind: 'malformed',
    message: `streambench failed to read this response: ${String(error).slice(0, 300)}`,
    code: 'READER_FAULT',
    hint: 'this is a bug in streambench: please report it, with the response if possible',
  };
}

function timeout(phase: TimeoutPhase, limitMs: number, { cutAfter }: Evidence): Outcome {
  const limit = formatTimeLimit(limitMs);
  const where = cutAfter === undefined ? 'in the middle of the body' : BEFORE_TERMINATOR;
  const what: Record<TimeoutPhase, string> = {
    connect: `no connection within ${limit}`,
    first_byte: `no byte of the body within ${limit} of sending the request`,
    idle: `no data for ${limit} ${where}`,
    total: `not finished within ${limit}`,
  };
  return { kind: 'timeout', phase, message: what[phase], hint: TIMEOUT_HINT[phase] };
}

/** A stream that was cut as planned is a success if it brought content. */
function plannedCut(afterMs: number, evidence: Evidence): Outcome {
  const { request, events, contentEvents, payload } = evidence;
  if (contentEvents > 0)
    return (isPlainDialect(request.dialect) ? plainMismatch(evidence) : undefined) ?? { kind: 'ok' };
  const what =
    events === 0 ? 'no event' : `${events} ${events === 1 ? 'event' : 'events'}, none with content,`;
  return {
    kind: 'empty',
    message: `${what} in the ${formatTimeLimit(afterMs)} for which the stream was read`,
    hint:
      events > 0 && isPlainDialect(request.dialect)
        ? pathHint(payload)
        : 'check the request and the service, or read for longer (for, --for)',
  };
}

function windowOver(graceMs: number, { contentEvents }: Evidence): Outcome {
  const when = `${graceMs === 0 ? 'at' : `${formatTimeLimit(graceMs)} after`} the end of its window`;
  return {
    kind: 'cut',
    message: `still in flight ${when} and cut, after ${contentEvents} content event${contentEvents === 1 ? '' : 's'}`,
    hint: 'for answers that end by themselves, allow more time (load.grace, --grace); for endless streams, say how long to read them (for, --for)',
  };
}

const TIMEOUT_HINT: Readonly<Record<TimeoutPhase, string>> = {
  connect: CONNECT_TIMEOUT_HINT,
  first_byte: 'the service accepted the request but sent no body: see its log, or raise timeouts.firstByte',
  idle: 'the service, or a proxy before it, stalled: see its log, or raise timeouts.idle',
  total: 'request a shorter answer (--max-tokens), or raise timeouts.total (--timeout)',
};

/** The dialect cannot read the body: it is of another kind, or broken. */
function undecodable(message: string, evidence: Evidence): Outcome {
  // Once content was decoded, the dialect is right and the stream is broken. A body that could not be decompressed has no
  // prefix.
  if (evidence.contentEvents === 0 && evidence.bodyPrefix !== '') {
    const other = mismatch(evidence);
    if (other !== undefined) return other;
  }
  return { kind: 'malformed', message, body: evidence.bodyPrefix.slice(0, BODY_CHARS) };
}

function ended(evidence: Evidence): Outcome {
  if (evidence.bytes === 0) return EMPTY_BODY;
  if (evidence.contentEvents === 0) {
    const other = mismatch(evidence);
    if (other !== undefined) return other;
  }
  return truncated(evidence);
}

const EMPTY_BODY: Outcome = { kind: 'empty', message: 'the body is empty' };

/** The answer ended properly (or its body did, where that is the only sign of the end), but had no content. */
function withoutContent(evidence: Evidence): Outcome {
  const { request, bytes, complete, events, hiddenReasoning = 0, payload } = evidence;
  if (bytes === 0) return { ...EMPTY_BODY };
  const other = mismatch(evidence);
  if (other !== undefined) return other;
  if (isPlainDialect(request.dialect) && events > 0 && request.textPath !== undefined) {
    return {
      kind: 'empty',
      message: `${events} ${events === 1 ? 'event' : 'events'} received, none with text at ${request.textPath}`,
      hint: pathHint(payload),
    };
  }
  const cut = complete?.finish === 'length';
  const reasoned =
    hiddenReasoning > 0
      ? `, after ${hiddenReasoning} reasoning tokens that were not sent`
      : cut
        ? ', at the token limit'
        : '';
  const outcome: Outcome = {
    kind: 'empty',
    message: `the answer ended properly (${complete?.raw ?? complete?.finish}) but had no content${reasoned}`,
  };
  if (cut) outcome.hint = "raise max tokens (the prompt's maxTokens), or have the model reason less";
  return outcome;
}

function pathHint(payload: Evidence['payload']): string {
  const [likeliest] = payload?.paths ?? [];
  if (payload === undefined || likeliest === undefined)
    return 'check textPath (--text-path): the path of keys and indexes to the text, such as choices.0.delta.content';
  return `paths with text: ${pathsInWords(payload)}; try --text-path ${likeliest[0]}`;
}

const BEFORE_TERMINATOR = 'after the finish reason, before the terminator';

/** A connection that is closed after this much silence was probably closed by a timeout. */
const TIMEOUT_SILENCE_MS = 900;

function truncated({ request, contentEvents, cutAfter, silenceMs = 0 }: Evidence, error?: Error): Outcome {
  const lost = error === undefined ? undefined : describeError(error);
  const how = lost === undefined ? 'the body ended' : `the connection was lost (${lost.message})`;
  // A plain dialect has neither terminator nor finish reason.
  const plainly = lost === undefined ? ' in the middle of an event' : '';
  const where = isPlainDialect(request.dialect)
    ? plainly
    : ` ${cutAfter === undefined ? 'with neither terminator nor finish reason' : BEFORE_TERMINATOR}`;
  const outcome: Outcome = {
    kind: 'truncated',
    message: `${how}${where}, after ${contentEvents} content event${contentEvents === 1 ? '' : 's'}`,
  };
  if (lost?.code !== undefined) outcome.code = lost.code;
  if (silenceMs >= TIMEOUT_SILENCE_MS) {
    const silence = `${formatValue(silenceMs, 'ms')} of silence, then closed`;
    outcome.hint = `${silence}: raise the read timeout of the proxy (nginx proxy_read_timeout, HAProxy timeout server), or send comments as keep-alive`;
  }
  return outcome;
}

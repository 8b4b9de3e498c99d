import { isContent, type StreamEvent } from '../model/events.ts';
import { isPlainDialect } from '../model/plan.ts';
import type { Dialect } from './dialect.ts';
import { DIALECT_NAMES, getDialect } from './dialects/index.ts';
import { FRAMINGS } from './framing/framings.ts';
import { asObject, asText, parseJson } from './json.ts';

// Finds out which dialect a body is of, by letting each of them read it. For failures only: it is not fast.

/** What a body is, seen from its beginning. */
export interface Recognised {
  /** A dialect that reads it. */
  dialect: string;
  /** It is one whole answer, not a stream. */
  whole?: true;
}

const APPLICATIONS: ReadonlySet<string> = new Set(['conversation', 'agent', 'playground']);

/**
 * The dialect whose stream a body of Server-Sent Events, of lines of JSON or of one JSON array begins like: `own` where that
 * one reads it as well as any, undefined where only a plain dialect would. `prefix` may end anywhere.
 */
export function recogniseStream(
  prefix: string,
  headers: Readonly<Record<string, string>>,
  own: string,
): Recognised | 'own' | undefined {
  const dialects = knownDialects();
  const read = dialects.map((dialect) => ({ dialect, events: eventsOf(dialect, prefix) }));
  const mine = read.find(({ dialect }) => dialect.name === own);
  if (mine !== undefined && (mine.events.some(isContent) || isStart(mine.events))) return 'own';
  if (own !== AI_SDK_UI && headers[AI_SDK_HEADER] !== undefined) return { dialect: AI_SDK_UI };
  // Content is a sure sign; several dialects begin with an event of the name "start".
  const found =
    read.find(({ events }) => events.some(isContent)) ?? read.find(({ events }) => isStart(events));
  return found && { dialect: found.dialect.name };
}

const AI_SDK_UI = 'ai-sdk-ui';
const AI_SDK_HEADER = 'x-vercel-ai-ui-message-stream';

function isStart(events: readonly StreamEvent[]): boolean {
  return events[0]?.type === 'start' && events.every(({ type }) => type !== 'unknown' && type !== 'error');
}

/** The dialect that reads a JSON document as one whole answer with content; undefined where none does. */
export function recogniseWhole(body: string): Recognised | undefined {
  if (asObject(parseJson(body)) === undefined) return undefined;
  // Those of applications find their text under any usual name, also in what is no answer.
  const dialect = knownDialects().find((known) => {
    if (APPLICATIONS.has(known.name)) return false;
    const events = known.decodeWhole(body);
    return events.some(isContent) && !events.some(({ type }) => type === 'error');
  });
  return dialect && { dialect: dialect.name, whole: true };
}

/** True where an event stream is, beyond doubt, of a dialect in which not every event is a piece of text. */
export function isAgentStream(prefix: string, headers: Readonly<Record<string, string>>): boolean {
  if (headers[AI_SDK_HEADER] !== undefined) return true;
  const first = framesOf('sse', prefix)[0];
  return asText(asObject(parseJson(first ?? ''))?.type) === 'RUN_STARTED';
}

/** True where the first frames of a stream are text, and not JSON that may be garbled. */
export function isTextStream(framing: 'sse' | 'ndjson', prefix: string): boolean {
  const frames = framesOf(framing, prefix).filter((data) => data !== '[DONE]');
  return frames.length > 0 && frames.every((data) => !/^\s*[[{"]/.test(data));
}

function knownDialects(): Dialect[] {
  return DIALECT_NAMES.filter((name) => !isPlainDialect(name)).map((name) =>
    getDialect(name, { thinkTags: false }),
  );
}

function eventsOf(dialect: Dialect, prefix: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  if (dialect.framing === 'aws-event-stream') return events;
  const decoder = dialect.decoder();
  const parser = FRAMINGS[dialect.framing].parser({
    // The last frame may have been cut by us.
    frame: (frame) => void (frame.incomplete || events.push(...decoder.decode(frame))),
    comment() {},
  });
  parser.push(new TextEncoder().encode(prefix));
  parser.end();
  return events;
}

function framesOf(framing: 'sse' | 'ndjson', prefix: string): string[] {
  const frames: string[] = [];
  const parser = FRAMINGS[framing].parser({
    frame: ({ data }) => void frames.push(data),
    comment() {},
  });
  parser.push(new TextEncoder().encode(prefix));
  parser.end();
  return frames;
}

import { isContent, type StreamEvent } from '../model/events.ts';
import type { Dialect } from './dialect.ts';
import { apiDialects } from './dialects/index.ts';
import { FRAMINGS } from './framing/framings.ts';
import { asObject, asText, parseJson } from './json.ts';

// Finds the dialect of a body by decoding it with every dialect. Slow: only for requests that failed.

/** The dialect of a body, judged by the beginning of the body. */
export interface Recognised {
  /** Name of the dialect. */
  dialect: string;
  /** The body is one whole answer, not a stream. */
  whole?: true;
  /** Only the beginning of an answer was seen: several dialects begin alike. */
  byStart?: true;
}

/**
 * The dialect of a stream, judged by its first bytes (Server-Sent Events, JSON lines or one JSON array). `own` if the dialect
 * named `own` reads it too; undefined if only a plain dialect would. `prefix` may end anywhere.
 */
export function recogniseStream(
  prefix: string,
  headers: Readonly<Record<string, string>>,
  own: string,
): Recognised | 'own' | undefined {
  const decoded = Array.from(apiDialects(), (dialect) => ({ dialect, events: eventsOf(dialect, prefix) }));
  const byOwn = decoded.find(({ dialect }) => dialect.name === own)?.events;
  if (byOwn !== undefined && (byOwn.some(isContent) || isStart(byOwn))) return 'own';
  const byHeaders = dialectOfHeaders(headers);
  if (byHeaders !== undefined && byHeaders.name !== own) return { dialect: byHeaders.name };
  // Content is the stronger evidence: several dialects begin with an event named "start".
  const byContent = decoded.find(({ events }) => events.some(isContent));
  if (byContent !== undefined) return { dialect: byContent.dialect.name };
  const byStart = decoded.find(({ events }) => isStart(events));
  return byStart && { dialect: byStart.dialect.name, byStart: true };
}

function isStart(events: readonly StreamEvent[]): boolean {
  return events[0]?.type === 'start' && events.every(({ type }) => type !== 'unknown' && type !== 'error');
}

/** The dialect whose own response headers are present. */
function dialectOfHeaders(headers: Readonly<Record<string, string>>): Dialect | undefined {
  for (const dialect of apiDialects()) {
    const names = Object.keys(dialect.responseHeaders ?? {});
    if (names.length > 0 && names.every((name) => headers[name] !== undefined)) return dialect;
  }
  return undefined;
}

/** The dialect that decodes a JSON document as one whole answer with content; undefined if none does. */
export function recogniseWhole(body: string): Recognised | undefined {
  if (asObject(parseJson(body)) === undefined) return undefined;
  for (const dialect of apiDialects()) {
    if (dialect.acceptsAnyObject) continue;
    const events = dialect.decodeWhole(body);
    if (events.some(isContent) && !events.some(({ type }) => type === 'error')) {
      return { dialect: dialect.name, whole: true };
    }
  }
  return undefined;
}

/** True for an event stream that certainly has events other than text: AI SDK UI by its header, AG-UI by its first event. */
export function isAgentStream(prefix: string, headers: Readonly<Record<string, string>>): boolean {
  if (dialectOfHeaders(headers) !== undefined) return true;
  const first = framesOf('sse', prefix)[0];
  return asText(asObject(parseJson(first ?? ''))?.type) === 'RUN_STARTED';
}

/** True if the first frames of a stream are plain text, and not JSON, garbled or not. */
export function isTextStream(framing: 'sse' | 'ndjson', prefix: string): boolean {
  const frames = framesOf(framing, prefix).filter((data) => data !== '[DONE]');
  return frames.length > 0 && frames.every((data) => !/^\s*[[{"]/.test(data));
}

function eventsOf(dialect: Dialect, prefix: string): StreamEvent[] {
  const events: StreamEvent[] = [];
  if (dialect.framing === 'aws-event-stream') return events;
  const decoder = dialect.decoder();
  const parser = FRAMINGS[dialect.framing].parser({
    // The last frame may be incomplete because `prefix` ends inside it.
    frame: (frame) => void (frame.incomplete || events.push(...decoder.decode(frame))),
    comment() {},
  });
  parser.push(new TextEncoder().encode(prefix));
  parser.end();
  return events;
}

/** The payloads of a stream. */
export function framesOf(framing: 'sse' | 'ndjson', prefix: string): string[] {
  const frames: string[] = [];
  const parser = FRAMINGS[framing].parser({
    frame: ({ data }) => void frames.push(data),
    comment() {},
  });
  parser.push(new TextEncoder().encode(prefix));
  parser.end();
  return frames;
}

import type { StreamEvent, ToolCallEvent } from '../../src/model/events.ts';
import type { AnswerContext, Dialect } from '../../src/wire/dialect.ts';
import { FRAMINGS, type Frame } from '../../src/wire/framing/framings.ts';
import { gather } from '../../src/wire/whole-answer.ts';

/** Running events through a dialect and its framing, as client and server do. */

const utf8 = new TextEncoder();

/** The bytes that a server sends for these events. */
export function encodeBytes(
  dialect: Dialect,
  events: readonly StreamEvent[],
  context: AnswerContext,
): Uint8Array {
  return frameBytes(dialect, encodeFrames(dialect, events, context));
}

export function encodeFrames(
  dialect: Dialect,
  events: readonly StreamEvent[],
  context: AnswerContext,
): Frame[] {
  const encode = dialect.encoder(context);
  return events.flatMap((event) => [...encode(event)]);
}

export function frameBytes(dialect: Dialect, frames: readonly Frame[]): Uint8Array {
  const parts = frames.map((frame) => FRAMINGS[dialect.framing].write(frame));
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? utf8.encode(part) : part)));
}

/** The frames that a client finds in these reads. */
export function readFrames(dialect: Dialect, reads: readonly Uint8Array[]): Frame[] {
  const frames: Frame[] = [];
  const parser = FRAMINGS[dialect.framing].parser({
    frame: (frame) => frames.push(frame),
    comment: () => {},
  });
  for (const read of reads) parser.push(read);
  parser.end();
  return frames;
}

/** The events that a client makes of these reads. */
export function decodeReads(dialect: Dialect, reads: readonly Uint8Array[]): StreamEvent[] {
  return decodeFrames(dialect, readFrames(dialect, reads));
}

export function decodeFrames(dialect: Dialect, frames: readonly Frame[]): StreamEvent[] {
  const decoder = dialect.decoder();
  const events = frames.flatMap((frame) => [...decoder.decode(frame)]);
  return [...events, ...decoder.end()];
}

/** The bytes cut at these places, in any order, repeated or out of range. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

/**
 * Events in the one form in which two ways to say the same are equal: pieces of a tool call joined, its arguments
 * written anew, and for dialects with no frames of their own the texts joined too.
 */
export function canonical(events: readonly StreamEvent[], joinText = false): StreamEvent[] {
  const out: StreamEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (event.type === 'tool_call' && last?.type === 'tool_call' && last.index === event.index) {
      last.arguments += event.arguments;
    } else if (joinText && event.type === 'message_chunk' && last?.type === 'message_chunk') {
      last.text += event.text;
    } else {
      out.push({ ...event });
    }
  }
  for (const event of out) if (event.type === 'tool_call') event.arguments = plainJson(event.arguments);
  return out;
}

/** The whole answer that events make up, in a form to compare. */
export function wholeOf(events: readonly StreamEvent[]) {
  const { text, thinking, calls, usage, complete, error } = gather(events);
  return {
    text,
    thinking,
    calls: calls.map((call) => ({ ...call, arguments: plainJson(call.arguments) })),
    usage,
    finish: complete?.finish,
    error: error?.message,
  };
}

function plainJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text === '' ? '{}' : text));
  } catch {
    return text;
  }
}

/** The arguments of a call cut into as many pieces as there are places, plus one. */
export function pieces(call: ToolCallEvent, places: readonly number[]): ToolCallEvent[] {
  const text = call.arguments;
  const at = [...new Set(places.map((place) => place % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => {
    const part = text.slice(from, at[i] ?? text.length);
    return i === 0 ? { ...call, arguments: part } : { type: 'tool_call', index: call.index, arguments: part };
  });
}

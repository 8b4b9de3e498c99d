import type { StreamEvent } from '../../model/events.ts';

/** A caller's options for a stream. */
export interface StreamOptions {
  /** Characters of text that are buffered before they are sent. 0: no buffering. */
  textBufferSize: number;
  /** Longest time that text is gathered before it is sent, in ms. 0: no gathering. */
  textBufferMs: number;
  /** Send `metadata` events. */
  emitMetadata: boolean;
  /** Send `memory_update` events. */
  emitMemoryUpdates: boolean;
  /** Least time between two text events, in ms. */
  textDeltaDelayMs: number;
}

/** Answer text or reasoning. */
export type TextEvent = Extract<StreamEvent, { type: 'message_chunk' | 'thinking' }>;

/** True for answer text and reasoning. */
export function isText(event: StreamEvent): event is TextEvent {
  return event.type === 'message_chunk' || event.type === 'thinking';
}

/** Buffers text until there is enough of it. Any other event flushes the buffer first, so the order stays. */
export class TextBuffer {
  private readonly size: number;
  private held: TextEvent | undefined;

  constructor(size: number) {
    this.size = size;
  }

  /** Adds an event and returns the events that are ready, in order. */
  push(event: StreamEvent): readonly StreamEvent[] {
    if (this.size === 0) return [event];
    if (!isText(event)) return [...this.end(), event];
    const before = this.held !== undefined && this.held.type !== event.type ? this.end() : [];
    const text = (this.held?.text ?? '') + event.text;
    if (text.length >= this.size) {
      this.held = undefined;
      return [...before, { ...event, text }];
    }
    this.held = { ...event, text };
    return before;
  }

  /** Returns what is still buffered. */
  end(): readonly StreamEvent[] {
    const { held } = this;
    this.held = undefined;
    return held === undefined ? [] : [held];
  }
}

/** The events of a finished answer, as those of a stream. */
export async function* fromArray(events: readonly StreamEvent[]): AsyncGenerator<StreamEvent> {
  yield* events;
}

/** True when the caller's options include the event. */
export function isWanted(event: StreamEvent, options: StreamOptions): boolean {
  if (event.type === 'metadata') return options.emitMetadata;
  if (event.type === 'memory_update') return options.emitMemoryUpdates;
  return true;
}

/** Cuts the texts of a finished answer into pieces of `size` characters, as services do that generate first and chunk later. */
export function rechunk(events: readonly StreamEvent[], size: number): StreamEvent[] {
  return events.flatMap((event): StreamEvent[] => {
    if (!isText(event)) return [event];
    // By code points, so that no character is cut in two.
    const characters = [...event.text];
    return Array.from({ length: Math.ceil(characters.length / size) }, (_, i) => ({
      ...event,
      text: characters.slice(i * size, (i + 1) * size).join(''),
    }));
  });
}

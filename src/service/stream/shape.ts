import type { StreamEvent } from '../../model/events.ts';

/** What a caller wants of a stream beside its text. */
export interface StreamOptions {
  /** Characters of text that are gathered before they are sent. 0: every piece is sent as it comes. */
  textBufferSize: number;
  /** Send `metadata` events. */
  emitMetadata: boolean;
  /** Send `memory_update` events. */
  emitMemoryUpdates: boolean;
  /** Pause before every piece of text after the first, in ms. */
  textDeltaDelayMs: number;
}

type TextEvent = Extract<StreamEvent, { type: 'message_chunk' | 'thinking' }>;

/** Gathers text until there is enough of it. Anything else lets go of what was gathered first, so order is kept. */
export class TextBuffer {
  private readonly size: number;
  private held: TextEvent | undefined;

  constructor(size: number) {
    this.size = size;
  }

  /** The events that are ready, in order. */
  push(event: StreamEvent): readonly StreamEvent[] {
    if (event.type !== 'message_chunk' && event.type !== 'thinking') return [...this.end(), event];
    const before = this.held !== undefined && this.held.type !== event.type ? this.end() : [];
    const text = (this.held?.text ?? '') + event.text;
    if (text.length >= this.size) {
      this.held = undefined;
      return [...before, { ...event, text }];
    }
    this.held = { ...event, text };
    return before;
  }

  /** What is still held: the stream has ended. */
  end(): readonly StreamEvent[] {
    const { held } = this;
    this.held = undefined;
    return held === undefined ? [] : [held];
  }
}

/** True when the caller wants to see the event at all. */
export function isWanted(event: StreamEvent, options: StreamOptions): boolean {
  if (event.type === 'metadata') return options.emitMetadata;
  if (event.type === 'memory_update') return options.emitMemoryUpdates;
  return true;
}

/** Cuts the texts of a finished answer into pieces of `size` characters: what "generate, then chunk" services send. */
export function rechunk(events: readonly StreamEvent[], size: number): StreamEvent[] {
  return events.flatMap((event): StreamEvent[] => {
    if (event.type !== 'message_chunk' && event.type !== 'thinking') return [event];
    // By code points, so that no character is cut in two.
    const characters = [...event.text];
    return Array.from({ length: Math.ceil(characters.length / size) }, (_, i) => ({
      ...event,
      text: characters.slice(i * size, (i + 1) * size).join(''),
    }));
  });
}

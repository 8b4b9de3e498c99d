import type { Clock } from '../model/clock.ts';
import type { StreamEvent } from '../model/events.ts';
import { isText } from './stream/shape.ts';

/** Limits of an answer cache. */
export interface AnswerCacheLimits {
  /** How long an answer is kept, in ms. */
  ttlMs: number;
  /** Characters of all answers together. */
  maxCharacters: number;
}

interface CachedAnswer {
  events: readonly StreamEvent[];
  characters: number;
  expiresAtMs: number;
}

/**
 * Complete answers by request. A cached answer has its reasoning and its text in one event each, and no token counts: no
 * model has worked for it. The answer that was used least recently is dropped first.
 */
export class AnswerCache {
  private readonly limits: AnswerCacheLimits;
  private readonly clock: Clock;
  /** The least recently used answer is first. */
  private readonly answers = new Map<string, CachedAnswer>();
  private characters = 0;

  constructor(limits: AnswerCacheLimits, clock: Clock) {
    this.limits = limits;
    this.clock = clock;
  }

  /** The events of an answer; undefined if it is not cached, or expired. */
  get(key: string): readonly StreamEvent[] | undefined {
    const found = this.answers.get(key);
    if (found === undefined) return undefined;
    this.answers.delete(key);
    if (found.expiresAtMs <= this.clock.now()) {
      this.characters -= found.characters;
      return undefined;
    }
    this.answers.set(key, found);
    return found.events;
  }

  /** Passes the events on, and keeps the answer if it is complete. Answers with anything but text are not kept. */
  async *record(key: string, events: AsyncIterable<StreamEvent>): AsyncGenerator<StreamEvent> {
    let kept: StreamEvent[] | undefined = [];
    for await (const event of events) {
      if (kept !== undefined) kept = withEvent(kept, event, this.limits.maxCharacters);
      if (event.type === 'complete' && kept !== undefined) this.set(key, kept);
      yield event;
    }
  }

  private set(key: string, events: readonly StreamEvent[]): void {
    this.characters -= this.answers.get(key)?.characters ?? 0;
    this.answers.delete(key);
    const characters = key.length + events.reduce((sum, event) => sum + charactersOf(event), 0);
    if (characters > this.limits.maxCharacters) return;
    this.answers.set(key, { events, characters, expiresAtMs: this.clock.now() + this.limits.ttlMs });
    this.characters += characters;
    for (const [oldest, { characters: freed }] of this.answers) {
      if (this.characters <= this.limits.maxCharacters) return;
      this.answers.delete(oldest);
      this.characters -= freed;
    }
  }
}

/** The kept events with one more; undefined if the answer cannot be kept. */
function withEvent(
  kept: StreamEvent[],
  event: StreamEvent,
  maxCharacters: number,
): StreamEvent[] | undefined {
  const last = kept.at(-1);
  if (event.type === 'start' || event.type === 'usage' || event.type === 'metadata') return kept;
  if (event.type === 'complete') {
    const { finish, raw } = event;
    return finish === 'stop' || finish === 'length'
      ? [...kept, { type: 'complete', finish, raw }]
      : undefined;
  }
  if (!isText(event)) return undefined;
  const { type } = event;
  const text = last?.type === type ? last.text + event.text : event.text;
  if (text.length > maxCharacters) return undefined;
  if (last?.type === type) kept.pop();
  kept.push({ type, text });
  return kept;
}

function charactersOf(event: StreamEvent): number {
  return isText(event) ? event.text.length : 0;
}

import type { StreamEvent } from '../model/events.ts';
import { DEFAULT_LIMITS } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import type { FlowControl } from './exchange-options.ts';

/** An event with its arrival: `atMs` counts from the request, and events with the same `read` came in one socket read. */
export type TimedEvent = StreamEvent & { readonly atMs: number; readonly read: number };

/** Sends the request, and tells of its events and of what holds its response back. */
export type Start = (listeners: {
  onEvents(events: readonly StreamEvent[], atMs: number, read: number, size: number): void;
  onFlow(flow: FlowControl): void;
}) => Promise<Observation>;

/** What an event takes in memory beside its text, in bytes, roughly. */
const EVENT_BYTES = 100;

/**
 * A streaming answer: iterate it for its events as they come, await `result` for marks, counts and outcome. The request
 * is sent when the stream is made. Iteration ends with the stream: a request that fails for another reason than an `error`
 * event of its own gets one, as its last event. Leaving the loop early cancels the request.
 *
 * A consumer that is behind slows the server down: when more than `limits.aheadBytes` wait, no more is read until half of
 * that was taken. So do not await `result` inside the loop. Without iteration, `result` alone does not wait for anyone: then
 * the events that wait are thrown away at that limit, and iterating later throws.
 */
export class AnswerStream implements AsyncIterable<TimedEvent> {
  private readonly queue = new EventQueue();
  private readonly stop: AbortController;
  private readonly aheadBytes: number;
  private readonly settled: Promise<Observation>;
  private flow: FlowControl | undefined;
  private wake: (() => void) | undefined;
  private over = false;
  private failed = false;
  private thrown: { error: unknown } | undefined;
  private iterating = false;
  private awaited = false;
  private discarding = false;

  constructor(start: Start, stop: AbortController, aheadBytes = DEFAULT_LIMITS.aheadBytes) {
    this.stop = stop;
    this.aheadBytes = aheadBytes;
    this.settled = start({
      onEvents: (events, atMs, read, size) => this.push(events, atMs, read, size),
      onFlow: (flow) => (this.flow = flow),
    }).then(
      (observation) => {
        this.end(observation);
        return observation;
      },
      (error: unknown) => {
        this.thrown = { error };
        this.finish();
        throw error;
      },
    );
  }

  /**
   * What was observed of the request, when it is over. Its marks count from the request, in ms. Rejects only with what the
   * request's own `onBytes` has thrown, which ends the request; iteration throws the same.
   */
  get result(): Promise<Observation> {
    this.awaited = true;
    if (!this.iterating && this.queue.bytes > this.aheadBytes) this.discard();
    return this.settled;
  }

  /** Ends the request; its outcome is then `cancelled`. Does nothing when it is over. */
  cancel(reason?: string): void {
    this.stop.abort(reason);
  }

  /** The answer text, when the stream is over. Of more than 16 Mi characters, the beginning. */
  async text(): Promise<string> {
    return (await this.result).text ?? '';
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TimedEvent, void, undefined> {
    if (this.discarding) {
      throw new Error('the events were thrown away, because result was awaited first: iterate before that');
    }
    this.iterating = true;
    // Iteration throws it.
    this.settled.catch(() => {});
    try {
      for (;;) {
        const event = this.queue.take();
        if (this.queue.bytes <= this.aheadBytes / 2) this.flow?.resume();
        if (event !== undefined) yield event;
        else if (this.thrown !== undefined) throw this.thrown.error;
        else if (this.over) return;
        else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      this.cancel('the reader left');
    }
  }

  private push(events: readonly StreamEvent[], atMs: number, read: number, size: number): void {
    let bytes = size;
    for (const event of events) {
      if (event.type === 'error') this.failed = true;
      if (!this.discarding) this.queue.add(Object.assign(event, { atMs, read }), bytes + EVENT_BYTES);
      bytes = 0;
    }
    if (this.queue.bytes > this.aheadBytes) {
      if (this.iterating || !this.awaited) this.flow?.pause();
      else this.discard();
    }
    this.wake?.();
  }

  /** Nobody iterates, and somebody waits for the end. */
  private discard(): void {
    this.discarding = true;
    this.queue.clear();
    this.flow?.resume();
  }

  private end(observation: Observation): void {
    const { outcome, marks, reads } = observation;
    if (outcome.kind !== 'ok' && !this.failed) {
      const code = outcome.code ?? outcome.kind;
      this.push(
        [{ type: 'error', message: outcome.message ?? outcome.kind, code }],
        marks.end ?? marks.started,
        reads,
        0,
      );
    }
    this.finish();
  }

  private finish(): void {
    this.over = true;
    this.wake?.();
  }
}

/** Events that were taken and are still referred to. */
const MAX_TAKEN = 1_024;

/** Events that wait, and what they take. */
class EventQueue {
  bytes = 0;
  private events: TimedEvent[] = [];
  private sizes: number[] = [];
  private at = 0;

  add(event: TimedEvent, bytes: number): void {
    this.events.push(event);
    this.sizes.push(bytes);
    this.bytes += bytes;
  }

  take(): TimedEvent | undefined {
    const event = this.events[this.at];
    if (event === undefined) return undefined;
    this.bytes -= this.sizes[this.at++]!;
    // What was taken is let go in large steps: now and then, each event is moved once.
    if (this.at >= this.events.length / 2 && this.at >= MAX_TAKEN) {
      this.events = this.events.slice(this.at);
      this.sizes = this.sizes.slice(this.at);
      this.at = 0;
    } else if (this.at === this.events.length) this.clear();
    return event;
  }

  clear(): void {
    this.events = [];
    this.sizes = [];
    this.at = 0;
    this.bytes = 0;
  }
}

import type { StreamEvent, ToolCallEvent } from '../model/events.ts';
import { DEFAULT_LIMITS } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import { gather, type WholeCall } from '../wire/whole-answer.ts';
import type { FlowControl } from './exchange-options.ts';
import { RequestFailure, requireSuccess } from './request-failure.ts';

/** An event with its arrival: `atMs` is relative to the request; events with the same `read` came in one socket read. */
export type TimedEvent = StreamEvent & { readonly atMs: number; readonly read: number };

/** Sends the request. Reports its events, and the control for its back-pressure. */
export type Start = (listeners: {
  onEvents(events: readonly StreamEvent[], atMs: number, read: number, size: number): void;
  onFlow(flow: FlowControl): void;
}) => Promise<Observation>;

/** How a stream treats its consumer. */
export interface StreamSettings {
  /** How much may wait for the consumer, in bytes. */
  aheadBytes?: number;
  /** See `RequestOptions.throwOnFailure`. */
  throwOnFailure?: boolean;
}

/** Approximate memory of an event without its text, in bytes. */
const EVENT_BYTES = 100;

/**
 * A streaming answer: iterate it for its events as they arrive, await `result` for marks, counts and outcome. The request is
 * sent when the stream is created. Iteration ends with the stream. If a request fails without an `error` event, one is added
 * as the last event. Leaving the loop early cancels the request.
 *
 * A slow consumer slows the server down: when more than `limits.aheadBytes` are waiting, reading stops until half of that is
 * consumed. So do not await `result` inside the loop. If only `result` is awaited, reading never stops: the waiting events are
 * discarded at that limit, and iterating later throws.
 */
export class AnswerStream implements AsyncIterable<TimedEvent>, AsyncDisposable {
  private readonly queue = new EventQueue();
  private readonly stop: AbortController;
  private readonly aheadBytes: number;
  private readonly throwOnFailure: boolean;
  private readonly toolPieces: ToolCallEvent[] = [];
  private failure: { error: unknown } | undefined;
  private readonly settled: Promise<Observation>;
  private flow: FlowControl | undefined;
  private wake: (() => void) | undefined;
  private over = false;
  private failed = false;
  private thrown: { error: unknown } | undefined;
  private iterating = false;
  private awaited = false;
  private discarding = false;

  constructor(
    start: Start,
    stop: AbortController,
    { aheadBytes = DEFAULT_LIMITS.aheadBytes, throwOnFailure = false }: StreamSettings = {},
  ) {
    this.stop = stop;
    this.aheadBytes = aheadBytes;
    this.throwOnFailure = throwOnFailure;
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
   * The observation of the request, once it has ended. Its marks are relative to the request, in ms. Rejects only with what
   * the request's `onBytes` throws, which ends the request; iteration throws the same error.
   */
  get result(): Promise<Observation> {
    this.awaited = true;
    if (!this.iterating && this.queue.bytes > this.aheadBytes) this.discard();
    return this.settled;
  }

  /**
   * The observation of the request, as `result`, for code that does not consume the events: they are kept for their consumer. If
   * more than `limits.aheadBytes` are waiting, it resolves only after they were consumed.
   */
  get finished(): Promise<Observation> {
    return this.settled;
  }

  /** Ends the request; its outcome is then `cancelled`. No effect once it has ended. */
  cancel(reason?: string): void {
    this.stop.abort(reason);
  }

  /** The answer text, once the stream has ended. Cut after 16 Mi characters. */
  async text(): Promise<string> {
    return (await this.ended()).text ?? '';
  }

  /** The tool calls of the answer, whole, once the stream has ended. */
  async toolCalls(): Promise<WholeCall[]> {
    await this.ended();
    return gather(this.toolPieces).calls;
  }

  /** Ends the request if it has not ended, and waits until it has: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.cancel('the stream was disposed of');
    await this.settled.catch(() => {});
  }

  private async ended(): Promise<Observation> {
    const observation = await this.result;
    return this.throwOnFailure ? requireSuccess(observation) : observation;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TimedEvent, void, undefined> {
    if (this.discarding) {
      throw new Error(
        'the events were discarded because result was awaited first: iterate before awaiting it',
      );
    }
    this.iterating = true;
    // Not an unhandled rejection: iteration throws it.
    this.settled.catch(() => {});
    try {
      for (;;) {
        const event = this.queue.take();
        if (this.queue.bytes <= this.aheadBytes / 2) this.flow?.resume();
        if (event !== undefined) yield event;
        else if (this.thrown !== undefined) throw this.thrown.error;
        else if (this.over) {
          if (this.failure !== undefined) throw this.failure.error;
          return;
        } else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      this.cancel('the reader left');
    }
  }

  private push(events: readonly StreamEvent[], atMs: number, read: number, size: number): void {
    let bytes = size;
    for (const event of events) {
      if (event.type === 'error') this.failed = true;
      else if (event.type === 'tool_call') this.toolPieces.push(event);
      if (!this.discarding) this.queue.add(Object.assign(event, { atMs, read }), bytes + EVENT_BYTES);
      bytes = 0;
    }
    if (this.queue.bytes > this.aheadBytes) {
      if (this.iterating || !this.awaited) this.flow?.pause();
      else this.discard();
    }
    this.wake?.();
  }

  /** Only `result` is awaited: drops the events and reads on. */
  private discard(): void {
    this.discarding = true;
    this.queue.clear();
    this.flow?.resume();
  }

  private end(observation: Observation): void {
    const { outcome, marks, reads } = observation;
    if (this.throwOnFailure) this.failure = failureOf(observation);
    if (outcome.kind !== 'ok' && !this.failed) {
      const { kind, message = kind, code = kind, status } = outcome;
      const rateLimited = kind === 'rate_limited' ? true : undefined;
      this.push(
        [{ type: 'error', message, code, status, rateLimited }],
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

function failureOf(observation: Observation): { error: unknown } | undefined {
  return observation.outcome.kind === 'ok' ? undefined : { error: new RequestFailure(observation) };
}

/** How many consumed events may stay in the arrays before they are compacted. */
const MAX_TAKEN = 1_024;

/** A FIFO queue of events, with their size in memory. */
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
    // `!`: there is a size for each event.
    this.bytes -= this.sizes[this.at++]!;
    // Compacted in large steps, so that each event is moved about once.
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

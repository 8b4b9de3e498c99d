import type { StreamEvent } from '../model/events.ts';
import type { Observation } from '../model/record.ts';

/** An event with its arrival: `atMs` counts from the request, and events with the same `read` came in one socket read. */
export type TimedEvent = StreamEvent & { readonly atMs: number; readonly read: number };

type Start = (
  onEvents: (events: readonly StreamEvent[], atMs: number, read: number) => void,
) => Promise<Observation>;

/**
 * A streaming answer: iterate it for its events as they come, await `result` for marks, counts and outcome. The request
 * is sent when the stream is made. Iteration ends with the stream and does not throw: a request that fails for another
 * reason than an `error` event of its own gets one, as its last event. Leaving the loop early cancels the request.
 */
export class AnswerStream implements AsyncIterable<TimedEvent> {
  /** What was observed of the request, when it is over. Never rejects. Its marks count from the request, in ms. */
  readonly result: Promise<Observation>;

  private readonly queue: TimedEvent[] = [];
  private readonly stop: AbortController;
  private wake: (() => void) | undefined;
  private over = false;
  private failed = false;

  constructor(start: Start, stop: AbortController) {
    this.stop = stop;
    this.result = start((events, atMs, read) => this.push(events, atMs, read)).then((observation) => {
      this.end(observation);
      return observation;
    });
  }

  /** Ends the request; its outcome is then `cancelled`. Does nothing when it is over. */
  cancel(reason?: string): void {
    this.stop.abort(reason);
  }

  /** The whole answer text, when the stream is over. */
  async text(): Promise<string> {
    return (await this.result).text ?? '';
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TimedEvent, void, undefined> {
    try {
      for (;;) {
        const event = this.queue.shift();
        if (event !== undefined) yield event;
        else if (this.over) return;
        else await new Promise<void>((resolve) => (this.wake = resolve));
      }
    } finally {
      this.cancel('the reader left');
    }
  }

  private push(events: readonly StreamEvent[], atMs: number, read: number): void {
    for (const event of events) {
      if (event.type === 'error') this.failed = true;
      this.queue.push(Object.assign(event, { atMs, read }));
    }
    this.wake?.();
  }

  private end(observation: Observation): void {
    const { outcome, marks, reads } = observation;
    if (outcome.kind !== 'ok' && !this.failed) {
      const code = outcome.code ?? outcome.kind;
      this.push(
        [{ type: 'error', message: outcome.message ?? outcome.kind, code }],
        marks.end ?? marks.started,
        reads,
      );
    }
    this.over = true;
    this.wake?.();
  }
}

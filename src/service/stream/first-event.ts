import type { StreamEvent } from '../../model/events.ts';

/** An answer whose first event was waited for. */
export interface Begun {
  /** The first event; undefined when there was none in time, or none at all. */
  first?: StreamEvent;
  /** It did not come in time. */
  late: boolean;
  /** All events, the first one included. */
  events: AsyncIterable<StreamEvent>;
}

/** Waits up to `limitMs` for the first event of an answer. Rejects when reading it fails. */
export async function firstEvent(events: AsyncIterable<StreamEvent>, limitMs: number): Promise<Begun> {
  const iterator = events[Symbol.asyncIterator]();
  let first: Promise<IteratorResult<StreamEvent>> | undefined = iterator.next();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, limitMs, undefined)));
  const result = await Promise.race([first, late]).finally(() => clearTimeout(timer));
  return {
    late: result === undefined,
    first: result === undefined || result.done ? undefined : result.value,
    events: {
      // Not a generator, which would cost a turn for every event of an answer.
      [Symbol.asyncIterator]: () => ({
        next() {
          const next = first ?? iterator.next();
          first = undefined;
          return next;
        },
        return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
      }),
    },
  };
}

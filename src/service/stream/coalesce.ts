import type { StreamEvent } from '../../model/events.ts';
import { isText, type TextEvent } from './shape.ts';

/**
 * The events with the text of up to `bufferMs` joined into one event. The first text is passed on at once, so that the time
 * to the first token stays; text that arrives later waits at most `bufferMs`. A slow model's texts are therefore sent one
 * by one, and a fast model's in larger pieces. The order of the events stays.
 */
export async function* coalesce(
  events: AsyncIterable<StreamEvent>,
  bufferMs: number,
): AsyncGenerator<StreamEvent, void, undefined> {
  const iterator = events[Symbol.asyncIterator]();
  let next = iterator.next();
  let held: TextEvent | undefined;
  let due: Due | undefined;
  try {
    for (;;) {
      const result =
        held === undefined || due === undefined ? await next : await Promise.race([next, due.reached]);
      if (result === undefined) {
        // The time is up. Text after a pause is passed on at once again.
        due = undefined;
        if (held === undefined) continue;
        yield held;
        held = undefined;
        due = dueIn(bufferMs);
        continue;
      }
      if (result.done) {
        if (held !== undefined) yield held;
        return;
      }
      next = iterator.next();
      const event = result.value;
      if (held !== undefined && (!isText(event) || held.type !== event.type)) {
        yield held;
        held = undefined;
      }
      if (!isText(event)) {
        yield event;
      } else if (due === undefined || due.isOver()) {
        due?.cancel();
        yield held === undefined ? event : { ...event, text: held.text + event.text };
        held = undefined;
        due = dueIn(bufferMs);
      } else {
        held = { ...event, text: (held?.text ?? '') + event.text };
      }
    }
  } finally {
    due?.cancel();
    // The read that is already under way is no longer wanted.
    next.catch(() => {});
    await iterator.return?.();
  }
}

interface Due {
  /** Resolves with undefined when the time is up. */
  reached: Promise<undefined>;
  isOver(): boolean;
  cancel(): void;
}

function dueIn(ms: number): Due {
  let over = false;
  let timer: NodeJS.Timeout | undefined;
  const reached = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      over = true;
      resolve(undefined);
    }, ms);
  });
  return { reached, isOver: () => over, cancel: () => clearTimeout(timer) };
}

import type { CancelAfter } from '../model/behaviour.ts';
import { isContent, type StreamEvent } from '../model/events.ts';

/** Ends one request as planned. */
export interface PlannedCancel {
  /** Aborted when it is time, and when the request's own signal is. */
  signal: AbortSignal;
  /** Call this with the events of each frame. Absent if only time counts. */
  onEvents?: (events: readonly StreamEvent[]) => void;
  /** Call this when the request has ended. */
  close(): void;
}

/** Starts the plan of one request, which starts now. `outer`: the request's own signal. */
export function plannedCancel(after: CancelAfter, outer: AbortSignal | undefined): PlannedCancel {
  const stop = new AbortController();
  // Not AbortSignal.any: the outer signal lives as long as the run, and would keep each of its dependents.
  const onOuter = () => stop.abort(outer?.reason);
  if (outer?.aborted) onOuter();
  outer?.addEventListener('abort', onOuter, { once: true });
  const close = () => outer?.removeEventListener('abort', onOuter);
  if ('ms' in after) {
    const timer = setTimeout(() => stop.abort(`as planned, after ${after.ms} ms`), after.ms);
    return {
      signal: stop.signal,
      close() {
        clearTimeout(timer);
        close();
      },
    };
  }
  const { tokens } = after;
  let seen = 0;
  return {
    signal: stop.signal,
    onEvents(events) {
      if (!events.some(isContent)) return;
      if (++seen === tokens) stop.abort(`as planned, after ${tokens} ${tokens === 1 ? 'token' : 'tokens'}`);
    },
    close,
  };
}

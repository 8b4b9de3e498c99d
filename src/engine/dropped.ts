import type { Cell } from '../model/plan.ts';
import type { Observation } from '../model/record.ts';

/** What is kept of a request that was due and not sent, because every slot of its cell was taken. Times from the start of the run. */
export function droppedObservation(cell: Cell, scheduledMs: number, nowMs: number): Observation {
  const { mode, concurrency } = cell;
  return {
    mode,
    outcome: {
      kind: 'dropped',
      message: `not sent: ${concurrency} ${concurrency === 1 ? 'stream was' : 'streams were'} open when it was due`,
      hint: 'the service falls behind this rate: lower load.rate, or raise load.maxConcurrency to see how far',
    },
    marks: { scheduled: scheduledMs, started: nowMs },
    ...{ reads: 0, events: 0, comments: 0, contentEvents: 0, coalesced: 0, bytes: 0 },
    chars: { answer: 0, thinking: 0 },
    gaps: [],
    tokens: { output: null, source: 'chunks' },
  };
}

import type { Observation } from '../../src/model/record.ts';

/** A good request with these marks. */
export function observation(scheduled: number, started: number, end: number): Observation {
  return {
    mode: 'streaming',
    outcome: { kind: 'ok' },
    marks: { scheduled, started, end },
    ...{ reads: 1, events: 1, comments: 0, contentEvents: 1, coalesced: 0, bytes: 1, gaps: [] },
    chars: { answer: 1, thinking: 0 },
    tokens: { output: 1, source: 'chunks' },
  };
}

import type { MarkName } from '../model/timeline.ts';
import type { MetricDefinition } from './definitions.ts';
import { between } from './formulas.ts';
import type { Stamp } from './stamps.ts';

/** The metrics of requests that may be retried, as part of the table in `definitions.ts`. */
export const RETRY_METRICS: readonly MetricDefinition[] = [
  {
    name: 'retries',
    title: 'retries',
    unit: 'count',
    better: 'lower',
    formula: 'attempts of a request - 1',
    note: 'with client.retries only; 0 for a request whose first attempt succeeded',
    values: ({ attempt }) => (attempt === undefined ? null : attempt.number - 1),
  },
  {
    name: 'response',
    title: 'response',
    unit: 'ms',
    better: 'lower',
    formula: 'end - sent of the first attempt',
    stamp: 'end',
    note: 'with client.retries only: failed attempts and the waits between them are part of it; the other times count from the last attempt',
    values: ({ attempt, marks }) =>
      attempt === undefined
        ? null
        : between(
            attempt.first === undefined ? marks.sent : (attempt.first.sent ?? attempt.first.started),
            marks.end,
          ),
  },
];

/**
 * A time that counts from when a request was due. A client that waits for a slow service sends fewer requests, so slow periods
 * are underrepresented (coordinated omission): these times include the wait.
 */
export function sinceDue(name: string, mark: MarkName & Stamp): MetricDefinition {
  return {
    name: `${name}_scheduled`,
    title: `${name.toUpperCase().replace(/^(LATENCY|TOTAL)$/, (word) => word.toLowerCase())} since due`,
    unit: 'ms',
    better: 'lower',
    stamp: mark,
    sinceDue: true,
    needs: mark === 'lastToken' ? ['scheduled', mark] : ['scheduled'],
    ...((mark === 'lastToken' || mark === 'end') && { ofWhole: true }),
    formula: `${mark} - scheduled`,
    note: 'open loop (a rate) only: includes waiting for a connection and for the client',
    values: ({ rate, marks, attempt }) =>
      rate === undefined ? null : between(attempt?.first?.scheduled ?? marks.scheduled, marks[mark]),
  };
}

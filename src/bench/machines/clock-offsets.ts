import type { RequestRecord } from '../../model/record.ts';
import type { ClockOffset } from '../../model/shard-report.ts';

/** Compares a machine's clock with those of the servers, by the `date` headers of their responses. */
export interface ClockOffsets {
  add(record: RequestRecord): void;
  /** One for each target with a `date`. */
  result(): ClockOffset[];
}

const SECOND_MS = 1000;

/**
 * `startedAtMs`: the Unix time of the machine's mark 0. A server writes the header after the request was sent and before the
 * response was read, and truncates its time to a second. Each response bounds the difference of the clocks from both sides, and
 * the bounds of many responses, spread over the second, leave little more than the time from request to response.
 */
export function clockOffsets(startedAtMs: number): ClockOffsets {
  const found = new Map<string, ClockOffset>();
  // The same text comes for a second.
  let text = '';
  let serverMs = Number.NaN;
  return {
    add({ target, headers, marks: { sent, headers: answered } }) {
      const date = headers?.date;
      if (date === undefined || sent === undefined || answered === undefined) return;
      if (date !== text) {
        text = date;
        serverMs = Date.parse(date);
      }
      if (Number.isNaN(serverMs)) return;
      const least = serverMs - (startedAtMs + answered);
      const most = serverMs + SECOND_MS - (startedAtMs + sent);
      const known = found.get(target);
      if (known === undefined) found.set(target, { target, least, most, responses: 1 });
      else {
        known.least = Math.max(known.least, least);
        known.most = Math.min(known.most, most);
        known.responses += 1;
      }
    },
    result: () =>
      [...found.values()].map((offset) => ({
        ...offset,
        least: Math.round(offset.least),
        most: Math.round(offset.most),
      })),
  };
}

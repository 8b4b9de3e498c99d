import { FlushTally } from '../../src/client/answer-tally.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Random } from '../../src/model/seeded-random.ts';
import { roundRecord } from '../../src/results/round-record.ts';
import { record, wholeRecord } from '../metrics/records.ts';
import type { Sent } from './generator.ts';

/** What a client on the other side of a network makes of a stream, without sockets. */

/** Stamps of this kind of machine are late by about this much, in ms: seldom much more. */
function stampDelay(random: Random, jitterMs: number): number {
  const usual = jitterMs * Math.abs(random.normal());
  return random.next() < 0.01 ? usual + 15 * random.next() : usual;
}

/** The record of a streaming request. `reused`: the connection was open before. */
export function received(sent: Sent, random: Random, jitterMs: number, reused = true): RequestRecord {
  const base = record();
  const sentAt = base.marks.sent!;
  const flush = new FlushTally();
  const gaps: number[] = [];
  let [coalesced, earliest, written, read, first] = [0, 0, -1, 0, 0];
  for (const [i, at] of sent.at.entries()) {
    // TCP keeps the order: what is held up holds up what follows. What is written at once travels together.
    if (at !== written) earliest = Math.max(earliest, at + 1 + stampDelay(random, jitterMs));
    written = at;
    // A flush that is larger than a packet is read in several parts.
    if (i % 40 === 39) earliest += 0.2;
    if (i === 0) {
      read = first = earliest;
    } else if (earliest - read < 0.05) {
      coalesced++;
    } else {
      gaps.push(earliest - read);
      read = earliest;
    }
    flush.add(sentAt + read, sentAt);
  }
  const events = sent.at.length;
  return roundRecord(
    record({
      marks: {
        ...base.marks,
        firstToken: sentAt + first,
        firstAnswer: sentAt + first,
        lastToken: sentAt + read,
        end: sentAt + read + 1,
      },
      connection: { reused },
      reads: gaps.length + 1,
      contentEvents: events,
      coalesced,
      gaps,
      flush: flush.result(),
      chars: { answer: sent.chars * events, thinking: 0 },
      tokens: { output: events, source: 'chunks', ...(sent.hiddenReasoning && { reasoning: 500 }) },
    }),
  );
}

/** The record of the same answer without streaming. */
export function receivedWhole(sent: Sent, random: Random, jitterMs: number): RequestRecord {
  const base = wholeRecord();
  const end = base.marks.sent! + sent.wholeMs + 1 + stampDelay(random, jitterMs);
  return roundRecord(
    wholeRecord({ marks: { ...base.marks, firstToken: end, firstAnswer: end, lastToken: end, end } }),
  );
}

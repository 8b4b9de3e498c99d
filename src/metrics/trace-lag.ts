import { type RoundPart, roundPartKey } from '../model/cells.ts';
import type { RequestRecord } from '../model/record.ts';
import type { TraceReplay } from '../model/trace.ts';
import { createDistribution, tidy } from './distribution.ts';

/** Collects how closely a cell followed its trace. */
export interface TraceLagFold {
  /** Adds a final record. */
  add(record: RequestRecord): void;
  /** Null if no request was sent. */
  report(): TraceReplay | null;
}

interface Round {
  firstDueMs: number;
  lastDueMs: number;
  firstSentMs: number;
  lastSentMs: number;
}

/** An empty fold. `speed`: that of the replay, as planned. */
export function createTraceLagFold(speed: number): TraceLagFold {
  const lag = createDistribution('ms');
  const rounds = new Map<number, Round>();
  let dropped = 0;
  return {
    add(record) {
      if (record.outcome.kind === 'dropped') {
        dropped += 1;
        return;
      }
      const { scheduled: dueMs, sent, started } = record.attempt?.first ?? record.marks;
      const sentMs = sent ?? started;
      lag.add(Math.max(0, sentMs - dueMs));
      const round = roundOf(rounds, record, { dueMs, sentMs });
      round.firstDueMs = Math.min(round.firstDueMs, dueMs);
      round.lastDueMs = Math.max(round.lastDueMs, dueMs);
      round.firstSentMs = Math.min(round.firstSentMs, sentMs);
      round.lastSentMs = Math.max(round.lastSentMs, sentMs);
    },
    report() {
      const summary = lag.summary();
      if (summary === null) return null;
      const { n, p50, p99, max } = summary;
      let dueMs = 0;
      let sentMs = 0;
      for (const round of rounds.values()) {
        dueMs += round.lastDueMs - round.firstDueMs;
        sentMs += round.lastSentMs - round.firstSentMs;
      }
      const reached = dueMs > 0 && sentMs > 0 ? tidy((speed * dueMs) / sentMs) : null;
      return { lagMs: { n, p50, p99, max }, dropped, speed, reachedSpeed: reached };
    },
  };
}

function roundOf(
  rounds: Map<number, Round>,
  record: RoundPart,
  { dueMs, sentMs }: { dueMs: number; sentMs: number },
): Round {
  const key = roundPartKey(record);
  const known = rounds.get(key);
  if (known !== undefined) return known;
  const round = { firstDueMs: dueMs, lastDueMs: dueMs, firstSentMs: sentMs, lastSentMs: sentMs };
  rounds.set(key, round);
  return round;
}

import type { RequestRecord } from '../model/record.ts';
import type { SessionReport } from '../model/record-groups.ts';
import type { MetricContext } from './definitions.ts';
import { createGroup } from './record-group.ts';

/** Turns with figures of their own. */
const MAX_TURNS = 100;

/** Collects the sessions of a cell, and the figures of each turn. */
export interface SessionFold {
  /** Adds a record with any outcome. */
  add(record: RequestRecord): void;
  /** Undefined if no record belongs to a session. */
  report(): SessionReport | undefined;
}

/** An empty fold for one cell. */
export function createSessionFold(context: MetricContext): SessionFold {
  const turns: { sent: number; group: ReturnType<typeof createGroup> }[] = [];
  let [started, completed, unsentTurns, skippedTurns] = [0, 0, 0, 0];
  return {
    add(record) {
      if (record.turn === undefined) return;
      const { turn, left, skipped = 0 } = record.turn;
      const isOk = record.outcome.kind === 'ok';
      // Every later turn takes one from those that were left.
      unsentTurns += turn === 1 ? left : -1 - skipped;
      skippedTurns += skipped;
      if (turn === 1) started += 1;
      if (left === 0 && isOk) completed += 1;
      if (turn > MAX_TURNS) return;
      while (turns.length < turn) turns.push({ sent: 0, group: createGroup(context) });
      // `!`: the loop above has filled the list up to this turn.
      const { group } = turns[turn - 1]!;
      turns[turn - 1]!.sent += 1;
      if (isOk) group.add(record);
    },
    report() {
      if (turns.length === 0) return undefined;
      const groups = turns.map(({ sent, group }, index) => ({ turn: index + 1, sent, ...group.report() }));
      return { started, completed, unsentTurns, skippedTurns, turns: groups };
    },
  };
}

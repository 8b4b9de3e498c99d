import type { Outcome } from '../model/record.ts';
import type { FailureSummary } from '../model/report.ts';

/** Groups that a cell's report shows. */
const SHOWN = 5;
// Some services put a request id into every message: without a limit each failure would be a group of its own.
const TRACKED = 100;

/** Groups failures that are the same in kind, code and message, and keeps the first of each as its example. */
export interface Failures {
  add(outcome: Outcome): void;
  /** Most frequent first, at most five; the cell's `outcomes` still count all. */
  summary(): FailureSummary[];
}

/** An empty collection. */
export function createFailures(): Failures {
  const groups = new Map<string, FailureSummary>();
  return {
    add(outcome) {
      const { kind, message = '', body, hint } = outcome;
      let key = JSON.stringify([kind, outcome.code ?? outcome.status ?? outcome.phase ?? null, message]);
      let group = groups.get(key);
      if (!group && groups.size >= TRACKED) {
        key = JSON.stringify([kind]);
        group = groups.get(key);
        if (!group) {
          group = { kind, count: 0, message: 'further failures, each with a message of its own' };
          groups.set(key, group);
        }
      }
      if (!group) {
        group = { kind, count: 0, message };
        if (body !== undefined) group.body = body;
        if (hint !== undefined) group.hint = hint;
        groups.set(key, group);
      }
      group.count += 1;
    },
    summary() {
      return [...groups.values()]
        .sort((a, b) => b.count - a.count)
        .slice(0, SHOWN)
        .map((group) => ({ ...group }));
    },
  };
}

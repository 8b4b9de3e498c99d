import type { Outcome } from '../model/record.ts';
import type { FailureSummary } from '../model/report.ts';

/** Number of groups that a cell's report shows. */
const SHOWN = 5;
// Bounds memory: messages may differ in words, and each failure could then be a group of its own.
const TRACKED = 100;

// A word with a digit in it is a number, a time or an id: `132`, `req_8f3a`, `2026-11-21T03:31:58Z`.
const NUMBERED = /[\p{L}\p{N}_.:-]*\p{N}[\p{L}\p{N}_.:-]*/gu;
const PLURAL = /# ([a-z]+?)s\b/g;

/** The key of a failure's group: kind, code and message without numbers and ids. */
export function failureGroup({
  kind,
  message = '',
  code,
}: Pick<FailureSummary, 'kind' | 'code'> & { message?: string }): string {
  const words = message.replaceAll(NUMBERED, '#').replaceAll(PLURAL, '# $1');
  return JSON.stringify([kind, code ?? null, words]);
}

/** Status, code and phase of an outcome, as one text; undefined if it has none. */
export function failureCode({ code, status, phase }: Outcome): string | undefined {
  const parts = [status, code, phase].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join(' ');
}

/** Groups similar failures, and keeps the first of each group as its example. */
export interface Failures {
  add(outcome: Outcome): void;
  /** The most frequent groups first, at most five; the cell's `outcomes` count all failures. */
  summary(): FailureSummary[];
}

/** An empty collection. */
export function createFailures(): Failures {
  const groups = new Map<string, FailureSummary>();
  const newGroup = (key: string, group: FailureSummary): FailureSummary => {
    groups.set(key, group);
    return group;
  };
  return {
    add(outcome) {
      const { kind, message = '', body, hint } = outcome;
      const code = failureCode(outcome);
      const key = failureGroup({ kind, code, message });
      const others = JSON.stringify([kind]);
      const group =
        groups.get(key) ??
        (groups.size < TRACKED
          ? newGroup(key, { kind, count: 0, message, code, body, hint })
          : (groups.get(others) ??
            newGroup(others, {
              kind,
              count: 0,
              message: 'other failures, each with a different message',
            })));
      group.count += 1;
      if (groups.has(key) && group.message !== message) group.varied = true;
    },
    summary() {
      // A copy through JSON, without fields that are undefined.
      return [...groups.values()]
        .sort((a, b) => b.count - a.count)
        .slice(0, SHOWN)
        .map((group) => JSON.parse(JSON.stringify(group)) as FailureSummary);
    },
  };
}

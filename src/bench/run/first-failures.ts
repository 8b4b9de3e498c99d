import { failureCode, failureGroup } from '../../metrics/failure-groups.ts';
import { isFinal } from '../../model/behaviour.ts';
import { isEndedByClient, type Observation } from '../../model/record.ts';

/** The run stops after this many identical failures of a target without a success. */
const FIRST_FAILURES = 5;

/** Detects targets that never succeed. */
export interface FirstFailures {
  /**
   * Adds a request to a target, measured or warm-up. Returns the reason to stop, once: where the first requests to the target all
   * failed in the same way.
   */
  add(target: string, observation: Pick<Observation, 'outcome' | 'attempt'>): string | undefined;
}

/** Creates a detector for all targets of a run. */
export function watchFirstFailures(limit: number = FIRST_FAILURES): FirstFailures {
  const targets = new Map<string, { group: string; count: number } | 'decided'>();
  return {
    add(target, { outcome, attempt }) {
      // Decided by its last attempt.
      if (!isFinal({ attempt })) return undefined;
      const { kind } = outcome;
      // Not caused by the target.
      if (isEndedByClient(kind) || kind === 'dropped') return undefined;
      const group = failureGroup({ ...outcome, code: failureCode(outcome) });
      const before = targets.get(target) ?? { group, count: 0 };
      if (before === 'decided') return undefined;
      const count = before.count + 1;
      const isDecided = kind === 'ok' || before.group !== group || count >= limit;
      targets.set(target, isDecided ? 'decided' : { group, count });
      if (kind === 'ok' || before.group !== group || count < limit) return undefined;
      const what = outcome.message === undefined ? kind : `${kind}: ${outcome.message}`;
      return `the first ${limit} requests to target "${target}", warm-up included, all failed with the same error (${what}); use --keep-going to continue`;
    },
  };
}

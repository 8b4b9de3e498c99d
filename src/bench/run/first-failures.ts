import { failureCode, failureGroup } from '../../metrics/failure-groups.ts';
import type { Observation } from '../../model/record.ts';

/** Identical failures of a target that has not answered once, after which the run is stopped. */
const FIRST_FAILURES = 5;

/** Watches whether each target answers at all. */
export interface FirstFailures {
  /**
   * Takes in a request to a target, measured or not. Returns why it is useless to go on, once: when the first requests of
   * the target have all failed in the same way.
   */
  add(target: string, observation: Pick<Observation, 'outcome'>): string | undefined;
}

/** A watch over all targets of a run. */
export function watchFirstFailures(limit: number = FIRST_FAILURES): FirstFailures {
  const targets = new Map<string, { group: string; count: number } | 'decided'>();
  return {
    add(target, { outcome }) {
      const { kind } = outcome;
      // These say nothing of the target.
      if (kind === 'cancelled' || kind === 'dropped') return undefined;
      const group = failureGroup({ ...outcome, code: failureCode(outcome) });
      const before = targets.get(target) ?? { group, count: 0 };
      if (before === 'decided') return undefined;
      const count = before.count + 1;
      const isDecided = kind === 'ok' || before.group !== group || count >= limit;
      targets.set(target, isDecided ? 'decided' : { group, count });
      if (kind === 'ok' || before.group !== group || count < limit) return undefined;
      const what = outcome.message === undefined ? kind : `${kind}: ${outcome.message}`;
      return `the first ${limit} requests to target "${target}" all failed alike (${what}); to go on all the same: --keep-going`;
    },
  };
}

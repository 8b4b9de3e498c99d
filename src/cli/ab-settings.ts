import type { AbSettings } from '../model/ab-gate.ts';
import { UserError } from '../model/errors.ts';
import type { Scenario } from '../scenario/schema/scenario.ts';

/** Rounds that early stop needs: a first look after 4, and one more to save. */
const LEAST_ROUNDS = 5;

/**
 * The gate of the second target against the first. Throws a `UserError` (`usage`) for `--until-decided` where the scenario has not two
 * targets, too few rounds, or a baseline, whose runs must be of one length.
 */
export function abGateOf(
  { targets, load }: Scenario,
  { strict, untilDecided, baseline, saveBaseline }: AbGateFlags,
): Omit<AbSettings, 'maxRounds'> {
  const refuse = (message: string, hint: string): never => {
    throw new UserError('usage', { message, hint });
  };
  const [base, next, ...others] = targets;
  if (base === undefined || next === undefined || others.length > 0)
    return refuse(
      `--until-decided compares two targets, and the scenario has ${targets.length}`,
      'use it with ab, or with a scenario of two targets, the first of which is the base',
    );
  if (untilDecided) {
    const rounds = Math.min(load.rounds, load.requests ?? load.rounds);
    if (rounds < LEAST_ROUNDS)
      refuse(
        `--until-decided needs at least ${LEAST_ROUNDS} rounds as the maximum, and there are ${rounds}`,
        'for example: --rounds 20 --requests 400',
      );
    if (baseline !== undefined || saveBaseline !== undefined)
      refuse(
        '--until-decided cannot be combined with a baseline, whose runs must have the same number of requests',
        'omit one of them',
      );
  }
  return { base: base.name, next: next.name, strict: strict === true };
}

/** The flags that the gate depends on. */
export interface AbGateFlags {
  strict?: boolean;
  untilDecided?: boolean;
  baseline?: string;
  saveBaseline?: string;
}

import type { Observation, OutcomeKind } from '../model/record.ts';

/** A request that failed, for callers that want an exception (`throwOnFailure`). */
export class RequestFailure extends Error {
  override readonly name = 'RequestFailure';
  /** How it ended: any outcome but `ok`. */
  readonly kind: OutcomeKind;
  /** All that is known, with the part of the answer that came. */
  readonly observation: Observation;

  constructor(observation: Observation) {
    const { kind, message, hint } = observation.outcome;
    super(`${message ?? kind}${hint === undefined ? '' : ` (${hint})`}`);
    this.kind = kind;
    this.observation = observation;
  }
}

/** The same observation. Throws a `RequestFailure` unless the outcome is `ok`. */
export function requireSuccess(observation: Observation): Observation {
  if (observation.outcome.kind !== 'ok') throw new RequestFailure(observation);
  return observation;
}

import { studentCdf, studentQuantile } from '../statistics/distributions.ts';

/**
 * Early stop for paired rounds: after each round, is it clear already what the gate would say after all of them? The rounds so far
 * predict the final mean: if `n` of `N` rounds are measured, it differs from the mean so far by a standard deviation of
 * `error * sqrt(1 - n / N)`, with Student's t for the spread that is itself estimated. The run stops where the prediction leaves
 * hardly any doubt, in either direction. Stochastic curtailment with predictive power: K. K. G. Lan, R. Simon and M. Halperin,
 * "Stochastically curtailed tests in long-term clinical trials", Sequential Analysis 1 (1982), 207-219; D. J. Spiegelhalter,
 * L. S. Freedman and P. R. Blackburn, "Monitoring clinical trials", Controlled Clinical Trials 7 (1986), 8-17.
 *
 * Bounds on the difference to the tolerance itself (O'Brien and Fleming) spend requests on another question: on which side of the
 * tolerance the true value lies.
 */

/** The first look, in rounds: with fewer, the spread between rounds is unknown. */
export const FIRST_LOOK = 4;
/** A run stops as a regression where the chance that the gate decides otherwise after all rounds is at most this. */
const DOUBT_OF_REGRESSION = 0.02;
/** The same for a run that stops without a regression: the chance, for each figure, that it is one after all rounds. */
const DOUBT_OF_NONE = 0.05;

/** What is known of one check at a look. On the scale of the check, larger is worse. */
export interface Interim {
  mean: number;
  /** Standard error of `mean`. */
  error: number;
  /** Of `error`; Infinity where it follows from counts. */
  degreesOfFreedom: number;
  /** A change up to this is accepted. */
  tolerance: number;
  /** One-sided level of the check. */
  level: number;
}

/** The probability that the check is a regression after `maxRounds`, as `rounds` of them predict it. NaN without an estimate. */
export function chanceOfRegression(interim: Interim, rounds: number, maxRounds: number): number {
  const { mean, error, degreesOfFreedom, tolerance, level } = interim;
  const part = rounds / maxRounds;
  const finalFreedom = degreesOfFreedom + maxRounds - rounds;
  const significant = error * Math.sqrt(part) * studentQuantile(1 - level, finalFreedom);
  const distance = mean - Math.max(tolerance, significant);
  const sd = error * Math.sqrt(1 - part);
  return sd > 0 ? studentCdf(distance / sd, degreesOfFreedom) : distance > 0 ? 1 : 0;
}

/** One check at a look. */
export interface LookCheck {
  /** The gate would call the check a regression now. */
  isRegression: boolean;
  /** See `chanceOfRegression`. NaN where nothing is known yet: then only other checks can stop the run. */
  chance: number;
}

/** Decides at a look; undefined to go on. `regression`: one check is one, and remains one. `no_regression`: none will be. */
export function decideLook(checks: readonly LookCheck[]): 'regression' | 'no_regression' | undefined {
  if (checks.length === 0) return undefined;
  if (checks.some(isSettled)) return 'regression';
  return checks.every(({ chance }) => chance <= DOUBT_OF_NONE) ? 'no_regression' : undefined;
}

/** True for a check that stops the run as a regression. */
export function isSettled({ isRegression, chance }: LookCheck): boolean {
  return isRegression && chance >= 1 - DOUBT_OF_REGRESSION;
}

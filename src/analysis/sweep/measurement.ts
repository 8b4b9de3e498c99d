import { DEFAULT_GRACE_MS } from '../../model/plan.ts';
import type { LevelVerdict, ObjectiveFinding, SweepSettings } from '../../model/sweep.ts';
import { normalQuantile } from '../statistics/distributions.ts';
import { CONFIDENCE, type Judgement } from './judge.ts';
import type { LevelState } from './search.ts';
import { longestLimitMs, type Slo } from './slo.ts';

/** How large the measurements of a sweep are, and what those of one level say together. */

/**
 * The size of one measurement: it issues requests up to this number and for at most this time. Requests that are still in flight
 * after `graceMs` more are cut.
 */
export interface MeasurementSize {
  requests: number;
  durationMs: number;
  graceMs: number;
}

/** The first measurement of a level only has to show the direction. */
const FIRST_REQUESTS = 20;
const LEAST_REQUESTS = 20;
const MOST_REQUESTS = 200;
/** Closed loop: judged requests of each stream. */
const PER_STREAM = 4;
const DURATION_MS = 30_000;
/** Closed loop: by which factor measurements of a level that stays unclear become longer, at most. */
const MOST_GROWTH = 4;
/** Open loop: bounds of the time that a queue gets to grow beyond the objectives' limit. */
const LEAST_WINDOW_MS = 5_000;
const MOST_WINDOW_MS = 120_000;
/** Open loop: the window in durations of a request, so that the server is filled for most of it. */
const PER_REQUEST = 10;
/** Open loop: by which factor later measurements of a level are longer than its first one. */
const LATER = 6;

/** What the size of a measurement depends on beside the settings. */
export interface MeasurementFacts {
  level: number;
  /** Earlier measurements of this level. */
  measured: number;
  /** How long a request takes without a queue, in ms; undefined before the first. */
  requestMs?: number;
}

/** The size of a measurement. */
export function measurementSize(
  settings: SweepSettings,
  slos: readonly Slo[],
  { level, measured, requestMs = 0 }: MeasurementFacts,
): MeasurementSize {
  // Longer than every limit: a request that is cut without a value violates it.
  const graceMs = Math.max(DEFAULT_GRACE_MS, 2 * (longestLimitMs(slos) ?? 0));
  const wanted = settings.requests ?? (measured === 0 ? FIRST_REQUESTS : requestsFor(slos));
  if (settings.by === 'concurrency') {
    const growth = Math.min(MOST_GROWTH, 2 ** Math.floor(Math.max(0, measured - 1) / 2));
    const judged = settings.requests ?? growth * Math.max(wanted, PER_STREAM * level);
    return { requests: judged + level, durationMs: settings.durationMs ?? growth * DURATION_MS, graceMs };
  }
  const windowMs =
    settings.durationMs ?? windowFor(slos, settings.precision, requestMs) * (measured === 0 ? 1 : LATER);
  return {
    requests: Math.max(wanted, Math.ceil((level * windowMs) / 1000)),
    durationMs: settings.durationMs ?? Math.max(windowMs, DURATION_MS),
    graceMs,
  };
}

/** Open loop: the share of a measurement in which the queue of an empty server grows to its usual length. */
const FILLING = 0.25;

/**
 * The requests of a measurement that are judged. In a closed loop all streams start at once, and the server gets a burst that it
 * does not get later: the first request of each stream is left out. An open loop finds the server empty: its start is left out.
 * `requests` in order of their starts.
 */
export function judgedPart<T>(
  { by }: Pick<SweepSettings, 'by'>,
  level: number,
  requests: readonly T[],
): readonly T[] {
  return requests.slice(by === 'concurrency' ? level : Math.floor(FILLING * requests.length));
}

/** So many that two measurements without a violation decide an objective. */
function requestsFor(slos: readonly Slo[]): number {
  const z = normalQuantile(0.5 + CONFIDENCE / 2);
  const needed = slos.flatMap(({ kind, isImplied, allowed }) =>
    kind === 'mean' || isImplied ? [] : [Math.ceil((z * z * (1 - allowed)) / allowed / 2) + 1],
  );
  return Math.min(MOST_REQUESTS, Math.max(LEAST_REQUESTS, ...needed));
}

/**
 * The time in which an overload as small as the precision makes a queue that is longer than the limit of the objectives: at 5 %
 * more requests than the server answers, the wait grows by 50 ms in each second, so a limit of 800 ms takes 16 s.
 */
function windowFor(slos: readonly Slo[], precision: number, requestMs: number): number {
  const growthMs = (longestLimitMs(slos) ?? 0) / precision;
  return Math.min(MOST_WINDOW_MS, Math.max(LEAST_WINDOW_MS, growthMs, PER_REQUEST * requestMs));
}

/** What all objectives say about a level. */
export function levelState(
  level: number,
  judgements: readonly Judgement[],
  counts: Pick<LevelState, 'valid' | 'invalid' | 'overloaded'>,
): LevelState {
  const verdicts = judgements.map(({ verdict }) => verdict);
  return {
    level,
    verdict: verdicts.includes('broken')
      ? 'broken'
      : verdicts.every((verdict) => verdict === 'met')
        ? 'met'
        : 'unclear',
    leaning: judgements.some(({ leaning }) => leaning === 'broken') ? 'broken' : 'met',
    ...counts,
  };
}

/** The verdict of a level as it is shown. */
export function verdictOf({ verdict, valid, invalid }: LevelState): LevelVerdict {
  return invalid > valid ? 'client' : verdict;
}

/** A judgement without what only the search needs. */
export function findingOf({ leaning: _leaning, ...finding }: Judgement): ObjectiveFinding {
  return finding;
}

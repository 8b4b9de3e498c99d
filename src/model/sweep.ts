import type { Unit } from './format.ts';
import type { ClientVerdict } from './load-report.ts';
import type { ARRIVALS, Cell } from './plan.ts';

/** A sweep: the search for the largest load at which a service meets its objectives. */

/** What a sweep raises: streams at once (closed loop), or requests per second (open loop). */
export const SWEEP_AXES = ['concurrency', 'rate'] as const;

/** One of `SWEEP_AXES`. */
export type SweepAxis = (typeof SWEEP_AXES)[number];

/** The settings of a sweep. */
export interface SweepSettings {
  by: SweepAxis;
  /** The objectives, as thresholds are written: `ttft.p95 < 800ms`. */
  slo: readonly string[];
  /** The first load level. */
  start: number;
  /** The highest load level. */
  max: number;
  /** The search ends when the lowest level that breaks an objective is at most this share above the highest that meets all. */
  precision: number;
  /** Most measurements of one level. */
  repeats: number;
  /** Requests that a measurement judges. Absent: as many as the objectives need. */
  requests?: number;
  /** A measurement issues no more requests after this long. Absent: 30 s, or longer where a queue needs longer to show. */
  durationMs?: number;
  /** The sweep starts no more measurements after this long. */
  budgetMs: number;
  /** By rate: the most streams at once. */
  maxConcurrency: number;
  /** By rate: how requests follow each other. */
  arrivals: (typeof ARRIVALS)[number];
  /** By rate: the shape of gamma arrivals. */
  burstiness?: number;
}

/** What is swept by itself: each has a capacity of its own. */
export type SweepSubject = Pick<Cell, 'target' | 'prompt' | 'mode'>;

/** A load in the sweep's direction: one of the two is set. */
export interface Capacity {
  concurrency?: number;
  rate?: number;
}

/**
 * What the measurements of one level show. `met`: every objective, by its confidence interval. `broken`: at least one is not
 * met, by its interval. `unclear`: an interval contains its limit. `client`: the client could not produce the load, so the level
 * says nothing about the server.
 */
export type LevelVerdict = 'met' | 'broken' | 'unclear' | 'client';

/** One objective at one level. Times in ms, rates per second, shares from 0 to 1. */
export interface ObjectiveFinding {
  expression: string;
  /** Of the measured requests; null without any. */
  value: number | null;
  unit: Unit;
  /** The ends of the confidence interval; null where it is open, because there are too few values. */
  low: number | null;
  high: number | null;
  /** Values that were judged. */
  n: number;
  verdict: Exclude<LevelVerdict, 'client'>;
}

/** One level of one subject. */
export interface SweepPoint extends Cell {
  verdict: LevelVerdict;
  /** By the point estimates, which a search follows before it decides. */
  leaning: 'met' | 'broken';
  objectives: ObjectiveFinding[];
  measurements: number;
  /** Of these, measurements that are not judged, because the client could not produce the load. */
  invalid: number;
  /** Judged requests. */
  requests: number;
  /** Over all requests of the level, as in `cells`. Null where nothing was measured. */
  ttftP95Ms: number | null;
  requestsPerSecond: number | null;
  tokensPerSecond: number | null;
  /** Good requests per second; null where no limit for single requests is known. */
  goodput: number | null;
  client: ClientVerdict | null;
}

/**
 * Why a search ended. `objective`: the next level breaks an objective. `errors`: it has too many failed requests. `client`: the
 * client could not produce the next level. `limit`: the highest level meets all objectives. `budget`: the time was over.
 * `interrupted`: the run was stopped.
 */
export type SweepStopReason = 'objective' | 'errors' | 'client' | 'limit' | 'budget' | 'interrupted';

/** Where the curve of throughput over load bends: from here on more load adds little throughput. */
export interface Knee {
  level: number;
  /** V. Satopaa et al., "Finding a 'Kneedle' in a Haystack", ICDCS Workshops 2011. */
  method: 'kneedle';
}

/** The result of the search for one subject. */
export interface SweepSearch extends SweepSubject {
  /** The largest load that was shown to meet all objectives; null where none was. */
  capacity: Capacity | null;
  /** The capacity is at least `met` and below `broken`; null where no such level was found. */
  range: { met: number | null; broken: number | null };
  /** True where `met` and `broken` are as close as the precision requires. */
  decided: boolean;
  stop: { reason: SweepStopReason; message: string };
  knee: Knee | null;
}

/** The result of a sweep. */
export interface SweepReport {
  by: SweepAxis;
  /** As written; the last one may have been added by default. */
  objectives: string[];
  /** With several searches the smallest; null where one of them found nothing. */
  capacity: Capacity | null;
  /** Two-sided confidence of the intervals. */
  confidence: number;
  precision: number;
  searches: SweepSearch[];
  /** Every level that was measured, by subject and load. */
  points: SweepPoint[];
}

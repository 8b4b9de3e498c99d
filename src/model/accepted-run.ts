import type { Cell } from './plan.ts';
import type { Environment, Manifest } from './report.ts';

/**
 * A run in the history of a baseline: what statistics need of it, without its records. It holds figures under many statistics,
 * not only the checked ones, so that other checks find a history too.
 */
export interface AcceptedRun {
  schema: 'streambench/baseline@2';
  /** What decides whether another run can be compared with it. */
  manifest: ComparedManifest;
  /**
   * True where this run was accepted although it differs from the ones before: an improvement, or --accept. Later runs are
   * compared with runs from here on.
   */
  newLevel?: true;
  /** In the order of the manifest. */
  cells: AcceptedCell[];
}

/** The part of a manifest that a comparison reads. Commit, branch and machine are in `environment`, the time in `run`. */
export type ComparedManifest = Pick<
  Manifest,
  'schema' | 'run' | 'environment' | 'scenario' | 'stallMs' | 'origin'
>;

/** One cell of an accepted run. */
export interface AcceptedCell extends Cell {
  /** Requests, without those that the client ended, and how many of them failed. */
  requests: number;
  failed: number;
  /** Requests whose model reasoned, in text or hidden. */
  reasoned: number;
  /** Requests that met every objective, and per second. Absent without objectives. */
  goodput?: { met: number; requestsPerSecond: number };
  /** By name: `ttft.p50`, `total.mean`. Figures without a value in this cell are absent. */
  figures: Record<string, AcceptedFigure>;
}

/** One figure of one cell. */
export interface AcceptedFigure {
  /** In ms or per second. Null where failed requests reach up to this percentile. Means leave failed requests out. */
  value: number | null;
  /** Variance of the value's logarithm that sampling inside the run explains. Null where `value` is. */
  logVariance: number | null;
  /** Values, failed requests included (for a mean: without them). */
  n: number;
  /** Failed requests, which count as worse than any value. */
  censored: number;
  /** `rounds`: the variance contains drift between rounds. `requests`: fewer than 4 rounds, so it does not. */
  drawn: 'rounds' | 'requests';
}

/** A fixed reference of a baseline: the accepted runs that were the newest when it was made, oldest first. */
export interface Pin {
  schema: 'streambench/pin@1';
  name: string;
  runs: AcceptedRun[];
}

/** Schema of an accepted run. */
export const ACCEPTED_RUN_SCHEMA: AcceptedRun['schema'] = 'streambench/baseline@2';
/** Schema of a pin. */
export const PIN_SCHEMA: Pin['schema'] = 'streambench/pin@1';

/**
 * The kind of machine, as far as it changes figures: `Linux x64, 4 x AMD EPYC 7763`. The release of the operating system is
 * left out, because it changes with every update.
 */
export function hostClass({ os, arch, cpus }: Pick<Environment, 'os' | 'arch' | 'cpus'>): string {
  if (cpus.count === null) return 'a machine that is not recorded';
  return `${os.split(' ')[0]} ${arch}, ${cpus.count} x ${cpus.model}`;
}

import { Numbers } from '../../metrics/numbers.ts';
import { entersFigures } from '../../model/behaviour.ts';
import { CellMap } from '../../model/cells.ts';
import { contentArrivalsOf } from '../../model/chunks.ts';
import type { OutcomeKind, RequestRecord } from '../../model/record.ts';
import { isEndedByClient } from '../../model/record.ts';
import type { Manifest } from '../../model/report.ts';
import { createRandom } from '../../model/seeded-random.ts';

/** What the charts of single requests need of a run's records: a bounded sample of requests, and one point for each answer. */

/** A request of the sample. Times in ms since it was sent. */
export interface SampledRequest {
  /** When it was sent, in ms since the start of the run. */
  sentMs: number;
  /** Arrivals of content: of every chunk where the run kept them, else of every read. */
  arrivals: number[];
  firstByteMs?: number;
  endMs?: number;
  /** Index in `arrivals` where a read brought at least half of the content, of more than one event. */
  flush?: number;
  outcome: OutcomeKind;
}

/** The requests of one cell. */
export interface CellTraffic {
  /** Requests that were recorded. */
  requests: number;
  /** A uniform sample, ordered by the time at which they were sent. */
  sample(most: number): SampledRequest[];
  /** Of each answer in the figures: when it was sent, and its TTFT. */
  answers: { sentMs: Numbers; ttftMs: Numbers };
  failures: Failure[];
  /** Failures that are not in the list. */
  failuresLeftOut: number;
  stalls: Stall[];
  stallsLeftOut: number;
}

/** A failed request. */
export interface Failure {
  sentMs: number;
  outcome: OutcomeKind;
}

/** A request with a gap that is longer than the run's stall limit. */
export interface Stall {
  sentMs: number;
  ttftMs: number;
  longestMs: number;
}

/** Collects the traffic of a run, one record at a time. */
export interface TrafficCollector {
  add(record: RequestRecord): void;
  /** By cell of the run, also of cells that a sweep added. */
  cells: CellMap<CellTraffic>;
  /** Seed of the sample. */
  seed: number;
}

/** Requests that a page shows one by one. */
export const MOST_ROWS = 300;
/** Failures and stalls that a page marks one by one. */
export const MOST_FAILURES = 20_000;
export const MOST_STALLS = 5000;

/** Nothing collected yet. */
export function collectTraffic({ stallMs, run }: Pick<Manifest, 'stallMs' | 'run'>): TrafficCollector {
  const random = createRandom(run.seed);
  const cells = new CellMap<CellTraffic & { sampler: Sampler }>();
  return {
    cells,
    seed: run.seed,
    add(record) {
      let cell = cells.get(record);
      if (cell === undefined) {
        cell = emptyCell();
        cells.set(record, cell);
      }
      cell.requests += 1;
      cell.sampler.add(random.next(), record);
      const { kind } = record.outcome;
      const sentMs = record.marks.sent ?? record.marks.started;
      if (kind !== 'ok' && !isEndedByClient(kind)) {
        if (cell.failures.length < MOST_FAILURES) cell.failures.push({ sentMs, outcome: kind });
        else cell.failuresLeftOut += 1;
      }
      const { firstToken } = record.marks;
      if (!entersFigures(record) || firstToken === undefined) return;
      const ttftMs = firstToken - sentMs;
      cell.answers.sentMs.push(sentMs);
      cell.answers.ttftMs.push(ttftMs);
      let longestMs = 0;
      for (const gap of record.gaps) if (gap > longestMs) longestMs = gap;
      if (longestMs <= stallMs) return;
      if (cell.stalls.length < MOST_STALLS) cell.stalls.push({ sentMs, ttftMs, longestMs });
      else cell.stallsLeftOut += 1;
    },
  };
}

function emptyCell(): CellTraffic & { sampler: Sampler } {
  const sampler = new Sampler();
  return {
    requests: 0,
    sampler,
    sample: (most) => sampler.first(most),
    answers: { sentMs: new Numbers(), ttftMs: new Numbers() },
    failures: [],
    failuresLeftOut: 0,
    stalls: [],
    stallsLeftOut: 0,
  };
}

/**
 * A uniform sample of a list of unknown length: every request gets a random key, and those with the smallest keys are kept. The ones
 * with the smallest keys of these are a uniform sample too.
 */
class Sampler {
  private kept: { key: number; request: SampledRequest }[] = [];
  private limit = Number.POSITIVE_INFINITY;

  add(key: number, record: RequestRecord): void {
    if (key >= this.limit) return;
    this.kept.push({ key, request: sampled(record) });
    if (this.kept.length < 2 * MOST_ROWS) return;
    this.kept.sort(byKey);
    this.kept.length = MOST_ROWS;
    this.limit = this.kept[MOST_ROWS - 1]?.key ?? this.limit;
  }

  first(most: number): SampledRequest[] {
    return this.kept
      .sort(byKey)
      .slice(0, most)
      .map(({ request }) => request)
      .sort((a, b) => a.sentMs - b.sentMs);
  }
}

function byKey(a: { key: number }, b: { key: number }): number {
  return a.key - b.key;
}

function sampled(record: RequestRecord): SampledRequest {
  const { marks, outcome } = record;
  const sentMs = marks.sent ?? marks.started;
  const since = (mark: number | undefined) => (mark === undefined ? undefined : mark - sentMs);
  const arrivals = contentArrivalsOf(record) ?? readsOf(record);
  return {
    sentMs,
    arrivals,
    firstByteMs: since(marks.firstByte),
    endMs: since(marks.end),
    flush: flushAt(record, arrivals),
    outcome: outcome.kind,
  };
}

/** The reads that brought content, in ms since the request was sent: of a run that did not keep the arrival of every chunk. */
function readsOf({ marks, gaps }: RequestRecord): number[] {
  const { firstToken, sent = marks.started } = marks;
  if (firstToken === undefined) return [];
  let at = firstToken - sent;
  const arrivals = [at];
  for (const gap of gaps) {
    at += gap;
    arrivals.push(at);
  }
  return arrivals;
}

const HALF = 0.5;

function flushAt(
  { flush, contentEvents, marks, mode }: RequestRecord,
  arrivals: readonly number[],
): number | undefined {
  const { firstToken, sent = marks.started } = marks;
  if (mode === 'non-streaming' && arrivals.length > 0) return 0;
  if (flush === undefined || firstToken === undefined) return undefined;
  if (flush.events < 2 || flush.events < HALF * contentEvents) return undefined;
  if (flush.before === 0) return 0;
  // The wait before the flush is the gap before its first read.
  const at = arrivals.findIndex(
    (arrival, index) => index > 0 && Math.abs(arrival - (arrivals[index - 1] ?? sent) - flush.waitMs) < 0.01,
  );
  return at === -1 ? undefined : at;
}

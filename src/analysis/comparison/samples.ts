import { METRICS, type MetricDefinition, metric } from '../../metrics/definitions.ts';
import { Numbers } from '../../metrics/numbers.ts';
import { CellMap, cellKey, cellOf } from '../../model/cells.ts';
import type { Cell } from '../../model/plan.ts';
import type { OutcomeKind, RequestRecord } from '../../model/record.ts';
import type { Manifest } from '../../model/report.ts';
import type { Rounds } from '../statistics/bootstrap.ts';

/** What comparisons need of a run: the values of each metric, round by round, and how many requests failed. */

/** A run as comparisons see it. */
export interface RunSamples {
  manifest: Manifest;
  /** By `cellKey`, in the order of the manifest. */
  cells: ReadonlyMap<string, CellSamples>;
}

/** The samples of one cell. */
export interface CellSamples {
  cell: Cell;
  outcomes: Partial<Record<OutcomeKind, number>>;
  /** Requests that did not end well, but for those that the user cancelled. */
  failed: number;
  /** Requests, without those that the user cancelled. */
  requests: number;
  /**
   * The values of a metric, a list for each round, with each failed request as the worst value there is: Infinity where less
   * is better, 0 where more is. A metric that belongs to some requests only (`connect`) has none for those that failed.
   */
  rounds(metric: string): Rounds;
  /** How many values `rounds` stands for, and how many of them are failed requests. */
  count(metric: string): { n: number; censored: number };
}

/** Values kept of a metric in one round of one cell, at least; beyond twice as many every second is dropped. */
const KEPT = 5_000;

/** Collects samples, one record at a time, in bounded memory. */
export interface Sampler {
  add(record: RequestRecord): void;
  result(): RunSamples;
}

/**
 * A sampler for a run. `metrics`: the names that will be compared, default all; throws a `UserError` (`unknown_metric`) for
 * one that does not exist. A planned cell without a record is there and empty.
 */
export function createSampler(manifest: Manifest, metrics?: readonly string[]): Sampler {
  const definitions = metrics === undefined ? METRICS : [...new Set(metrics)].map(metric);
  const folds = new Map<string, CellFold>();
  const known = new CellMap<CellFold>();
  const foldOf = (cell: Cell): CellFold => {
    let fold = known.get(cell);
    if (!fold) {
      fold = new CellFold(cellOf(cell), definitions, manifest.stallMs);
      known.set(cell, fold);
      folds.set(cellKey(cell), fold);
    }
    return fold;
  };
  for (const cell of manifest.cells) if (cell.length === undefined) foldOf(cell);
  return {
    add(record) {
      if (record.length === undefined) foldOf(record).add(record);
    },
    result: () => ({ manifest, cells: folds }),
  };
}

/** The samples of a whole run whose records are at hand. */
export function collectSamples(
  manifest: Manifest,
  records: Iterable<RequestRecord>,
  metrics?: readonly string[],
): RunSamples {
  const sampler = createSampler(manifest, metrics);
  for (const record of records) sampler.add(record);
  return sampler.result();
}

class CellFold implements CellSamples {
  readonly cell: Cell;
  readonly outcomes: Partial<Record<OutcomeKind, number>> = {};
  failed = 0;
  requests = 0;
  private readonly definitions: readonly MetricDefinition[];
  private readonly stallMs: number;
  /** By round number, as rounds may begin to come in any order after a merge. */
  private readonly byRound = new Map<number, { failed: number; values: Thinned[] }>();

  constructor(cell: Cell, definitions: readonly MetricDefinition[], stallMs: number) {
    this.cell = cell;
    this.definitions = definitions;
    this.stallMs = stallMs;
  }

  add(record: RequestRecord): void {
    const { kind } = record.outcome;
    this.outcomes[kind] = (this.outcomes[kind] ?? 0) + 1;
    if (kind === 'cancelled') return;
    this.requests += 1;
    let round = this.byRound.get(record.round);
    if (!round) {
      round = { failed: 0, values: this.definitions.map(() => new Thinned()) };
      this.byRound.set(record.round, round);
    }
    if (kind !== 'ok') {
      this.failed += 1;
      round.failed += 1;
      return;
    }
    for (const [index, definition] of this.definitions.entries()) {
      const value = definition.values(record, { stallMs: this.stallMs });
      if (value === null) continue;
      const kept = round.values[index]!;
      if (typeof value === 'number') kept.add(value);
      else for (const one of value) kept.add(one);
    }
  }

  rounds(name: string): Rounds {
    const { index, worst } = this.find(name);
    const last = Math.max(-1, ...this.byRound.keys());
    return Array.from({ length: last + 1 }, (_, number) => {
      const round = this.byRound.get(number);
      if (!round) return [];
      const kept = round.values[index]!;
      const censored = worst === undefined ? 0 : Math.round(round.failed / kept.stride);
      const values = new Float64Array(kept.values.length + censored);
      kept.values.copyTo(values);
      return values.fill(worst ?? 0, kept.values.length);
    });
  }

  count(name: string): { n: number; censored: number } {
    const { index, worst } = this.find(name);
    const censored = worst === undefined ? 0 : this.failed;
    let n = censored;
    for (const { values } of this.byRound.values()) n += values[index]!.seen;
    return { n, censored };
  }

  private find(name: string): { index: number; worst: number | undefined } {
    const index = this.definitions.findIndex((definition) => definition.name === name);
    const definition = this.definitions[index];
    if (!definition) throw new RangeError(`"${name}" was not sampled`);
    const has = definition.modes === undefined || definition.modes.includes(this.cell.mode);
    const worst =
      definition.better === 'lower'
        ? Number.POSITIVE_INFINITY
        : definition.better === 'higher'
          ? 0
          : undefined;
    return { index, worst: has && !definition.ofConnection ? worst : undefined };
  }
}

/** Keeps all values while there are few, and every 2nd, 4th, 8th ... when there are many. */
class Thinned {
  readonly values = new Numbers();
  stride = 1;
  seen = 0;

  add(value: number): void {
    if (this.seen++ % this.stride !== 0) return;
    this.values.push(value);
    if (this.values.length < 2 * KEPT) return;
    this.values.dropEverySecond();
    this.stride *= 2;
  }
}

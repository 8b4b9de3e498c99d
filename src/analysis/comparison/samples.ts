import { METRICS, type MetricDefinition, metric } from '../../metrics/definitions.ts';
import { hiddenReasoning } from '../../metrics/formulas.ts';
import { Numbers } from '../../metrics/numbers.ts';
import { entersFigures, isFinal } from '../../model/behaviour.ts';
import { CellMap, cellKey, cellOf } from '../../model/cells.ts';
import type { Cell } from '../../model/plan.ts';
import { isEndedByClient, type OutcomeKind, type RequestRecord } from '../../model/record.ts';
import type { Manifest } from '../../model/report.ts';
import type { Rounds } from '../statistics/bootstrap.ts';

/** The samples of a run that comparisons use. */
export interface RunSamples {
  manifest: Manifest;
  /** By `cellKey`, in the order of the manifest. */
  cells: ReadonlyMap<string, CellSamples>;
}

/** The samples of one cell. */
export interface CellSamples {
  cell: Cell;
  outcomes: Partial<Record<OutcomeKind, number>>;
  /** Failed requests, without those that the client ended. */
  failed: number;
  /** Requests, without those that the client ended. */
  requests: number;
  /** Requests whose model reasoned, in text or hidden. */
  reasoned: number;
  /**
   * The values of a metric, one list per round. A failed request counts as the worst possible value: Infinity where lower is
   * better, 0 where higher is. For a metric of the connection (`connect`, `dns`, ...) failed requests have no value. With `failures: false` they have none for any metric.
   */
  rounds(metric: string, options?: { failures?: boolean }): Rounds;
  /** How many values were measured (`rounds` may hold fewer), and how many of them are failed requests. */
  count(metric: string): { n: number; censored: number };
}

/** Values kept per metric, round and cell. At twice as many, every second one is dropped. */
const KEPT = 5_000;

/** Collects samples, one record at a time, in bounded memory. */
export interface Sampler {
  add(record: RequestRecord): void;
  result(): RunSamples;
}

/**
 * Creates a sampler for a run. `metrics`: the names of the compared metrics, default all; throws a `UserError` (`unknown_metric`)
 * for one that does not exist. A planned cell without a record is present and empty.
 */
export function createSampler(manifest: Manifest, metrics?: readonly string[]): Sampler {
  const definitions = metrics === undefined ? METRICS : [...new Set(metrics)].map(metric);
  const samplers = new Map<string, CellSampler>();
  const known = new CellMap<CellSampler>();
  const samplerOf = (cell: Cell): CellSampler => {
    let sampler = known.get(cell);
    if (!sampler) {
      sampler = new CellSampler(cellOf(cell), definitions, manifest.stallMs);
      known.set(cell, sampler);
      samplers.set(cellKey(cell), sampler);
    }
    return sampler;
  };
  for (const cell of manifest.cells) if (cell.length === undefined) samplerOf(cell);
  return {
    add(record) {
      if (record.length === undefined) samplerOf(record).add(record);
    },
    result: () => ({ manifest, cells: samplers }),
  };
}

class CellSampler implements CellSamples {
  readonly cell: Cell;
  readonly outcomes: Partial<Record<OutcomeKind, number>> = {};
  failed = 0;
  requests = 0;
  reasoned = 0;
  private readonly definitions: readonly MetricDefinition[];
  private readonly stallMs: number;
  /** By round number: after a merge, rounds may come in any order. */
  private readonly byRound = new Map<number, { failed: number; values: Map<MetricDefinition, Thinned> }>();

  constructor(cell: Cell, definitions: readonly MetricDefinition[], stallMs: number) {
    this.cell = cell;
    this.definitions = definitions;
    this.stallMs = stallMs;
  }

  add(record: RequestRecord): void {
    if (!isFinal(record)) return;
    const { kind } = record.outcome;
    this.outcomes[kind] = (this.outcomes[kind] ?? 0) + 1;
    if (isEndedByClient(kind)) return;
    this.requests += 1;
    let round = this.byRound.get(record.round);
    if (!round) {
      round = { failed: 0, values: new Map(this.definitions.map((one) => [one, new Thinned()])) };
      this.byRound.set(record.round, round);
    }
    if (kind !== 'ok') {
      this.failed += 1;
      round.failed += 1;
      return;
    }
    if (!entersFigures(record)) return;
    if (record.chars.thinking > 0 || (hiddenReasoning(record) ?? 0) > 0) this.reasoned += 1;
    for (const [definition, kept] of round.values) {
      const value = definition.values(record, { stallMs: this.stallMs });
      if (value === null) continue;
      if (typeof value === 'number') kept.add(value);
      else for (const one of value) kept.add(one);
    }
  }

  rounds(name: string, { failures = true } = {}): Rounds {
    const definition = this.definitionOf(name);
    const worst = this.worstOf(definition);
    const last = Math.max(-1, ...this.byRound.keys());
    return Array.from({ length: last + 1 }, (_, number) => {
      const round = this.byRound.get(number);
      const kept = round?.values.get(definition);
      if (!round || !kept) return [];
      const censored = worst === undefined || !failures ? 0 : Math.round(round.failed / kept.stride);
      const values = new Float64Array(kept.values.length + censored);
      kept.values.copyTo(values);
      return values.fill(worst ?? 0, kept.values.length);
    });
  }

  count(name: string): { n: number; censored: number } {
    const definition = this.definitionOf(name);
    const censored = this.worstOf(definition) === undefined ? 0 : this.failed;
    let n = censored;
    for (const { values } of this.byRound.values()) n += values.get(definition)?.seen ?? 0;
    return { n, censored };
  }

  private definitionOf(name: string): MetricDefinition {
    const definition = this.definitions.find((one) => one.name === name);
    if (!definition) throw new RangeError(`"${name}" was not sampled`);
    return definition;
  }

  /** What a failed request counts as; undefined where it has no value. */
  private worstOf({ better, modes, ofConnection }: MetricDefinition): number | undefined {
    if (ofConnection || modes?.includes(this.cell.mode) === false) return undefined;
    if (better === 'none') return undefined;
    return better === 'lower' ? Number.POSITIVE_INFINITY : 0;
  }
}

/** Keeps all values while there are few, then every 2nd, 4th, 8th ... */
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

import { cellOf } from '../model/load-level.ts';
import type { Cell } from '../model/plan.ts';
import { OUTCOME_KINDS, type OutcomeKind, type RequestRecord, type TokenSource } from '../model/record.ts';
import type { CellReport, GoodputReport, Manifest, MetricSummary } from '../model/report.ts';
import { createCacheFold } from './cache.ts';
import { METRICS, type MetricContext } from './definitions.ts';
import { createDistribution, type Distribution, tidy } from './distribution.ts';
import { createFailures } from './failures.ts';
import { hiddenReasoning } from './formulas.ts';
import { meets, type Objective } from './objectives.ts';

/** Folds records into cells, one at a time, in memory that does not grow with the number of requests. */
export interface Aggregator {
  /**
   * Takes in a record. The order counts for the samples and, in the last digit, for the means: give records in the
   * order of the file.
   */
  add(record: RequestRecord): void;
  /** The cells as they stand, in the order of the manifest; may be asked for at any time. */
  cells(): CellReport[];
}

/**
 * An aggregator for a run. Planned cells have their row even without a record; a record of a cell that was not
 * planned gets a row of its own at the end.
 */
export function createAggregator(
  manifest: Pick<Manifest, 'cells' | 'stallMs'>,
  objectives: readonly Objective[] = [],
): Aggregator {
  const context: MetricContext = { stallMs: manifest.stallMs };
  const folds = new Map<string, CellFold>();
  const foldOf = (cell: Cell): CellFold => {
    const key = cellKey(cell);
    let fold = folds.get(key);
    if (!fold) {
      fold = createCellFold(cell, context, objectives);
      folds.set(key, fold);
    }
    return fold;
  };
  for (const cell of manifest.cells) foldOf(cell);
  return {
    add: (record) => foldOf(record).add(record),
    cells: () => Array.from(folds.values(), (fold) => fold.report()),
  };
}

/** One text for each cell, for use as a key. */
export function cellKey({ target, prompt, concurrency, rate, mode }: Cell): string {
  return JSON.stringify([target, prompt, concurrency, rate, mode]);
}

interface CellFold {
  add(record: RequestRecord): void;
  report(): CellReport;
}

function createCellFold(cell: Cell, context: MetricContext, objectives: readonly Objective[]): CellFold {
  const outcomes = new Map<OutcomeKind, number>();
  const failures = createFailures();
  const distributions: Distribution[] = METRICS.map(({ unit }) => createDistribution(unit));
  const rounds = new Map<number, { firstMs: number; lastMs: number }>();
  const connections = { new: 0, reused: 0, reconnected: 0, replaced: 0 };
  const tokenSources = new Set<TokenSource>();
  let outputTokens = 0;
  let contentEvents = 0;
  let coalesced = 0;
  let met = 0;
  let hidden = 0;
  let refused: CellReport['refusedCounts'];
  const cache = createCacheFold(context);
  const io = { reads: 0, events: 0, bytes: 0 };

  const addWindow = ({ round, outcome, marks }: RequestRecord) => {
    if (outcome.kind === 'dropped' || typeof marks.end !== 'number') return;
    const window = rounds.get(round);
    if (!window) {
      rounds.set(round, { firstMs: marks.started, lastMs: marks.end });
      return;
    }
    window.firstMs = Math.min(window.firstMs, marks.started);
    window.lastMs = Math.max(window.lastMs, marks.end);
  };

  const addGood = (record: RequestRecord) => {
    for (const [index, definition] of METRICS.entries()) {
      const value = definition.values(record, context);
      if (value === null) continue;
      const distribution = distributions[index]!;
      if (typeof value === 'number') distribution.add(value);
      else for (const one of value) distribution.add(one);
    }
    if ((hiddenReasoning(record) ?? 0) > 0) hidden += 1;
    cache.add(record);
    contentEvents += record.contentEvents;
    coalesced += record.coalesced;
    if (record.tokens.output !== null) {
      outputTokens += record.tokens.output;
      tokenSources.add(record.tokens.source);
    }
  };

  const windowMs = () => {
    let sum = 0;
    for (const { firstMs, lastMs } of rounds.values()) sum += Math.max(0, lastMs - firstMs);
    return sum;
  };

  const goodputOf = (): GoodputReport | null => {
    const measured = objectives.every(({ metric: { modes } }) => modes?.includes(cell.mode) ?? true);
    const window = windowMs();
    let requests = 0;
    // Those that the user cancelled say nothing of the service.
    for (const [kind, count] of outcomes) if (kind !== 'cancelled') requests += count;
    if (objectives.length === 0 || !measured || requests === 0 || window === 0) return null;
    return { requestsPerSecond: tidy((met * 1000) / window), share: tidy(met / requests), met, requests };
  };

  return {
    add(record) {
      outcomes.set(record.outcome.kind, (outcomes.get(record.outcome.kind) ?? 0) + 1);
      addWindow(record);
      io.reads += record.reads;
      io.events += record.events;
      io.bytes += record.bytes;
      const [example] = record.tokens.refused ?? [];
      if (example !== undefined) {
        refused = { requests: (refused?.requests ?? 0) + 1, example: refused?.example ?? example };
      }
      if (meets(record, objectives, context)) met += 1;
      if (record.connection) connections[record.connection.reused ? 'reused' : 'new'] += 1;
      if (record.connection?.replaced) connections.replaced += 1;
      if (record.reconnected) connections.reconnected += 1;
      if (record.outcome.kind === 'ok') addGood(record);
      else failures.add(record.outcome);
    },
    report() {
      const window = windowMs();
      const ok = outcomes.get('ok') ?? 0;
      const perSecond = (count: number) => (window > 0 ? tidy((count * 1000) / window) : null);
      const metrics: Record<string, MetricSummary | null> = {};
      for (const [index, { name }] of METRICS.entries()) metrics[name] = distributions[index]!.summary();
      return {
        ...cellOf(cell),
        outcomes: Object.fromEntries(
          OUTCOME_KINDS.filter((kind) => outcomes.has(kind)).map((kind) => [kind, outcomes.get(kind)]),
        ),
        failures: failures.summary(),
        metrics,
        throughput: {
          requestsPerSecond: ok > 0 ? perSecond(ok) : null,
          tokensPerSecond: tokenSources.size > 0 ? perSecond(outputTokens) : null,
          windowMs: tidy(window),
        },
        goodput: goodputOf(),
        cache: cache.report(),
        connections: { ...connections },
        io: { ...io },
        coalescedShare:
          cell.mode === 'streaming' && contentEvents > 0 ? tidy(coalesced / contentEvents) : null,
        tokenSource: tokenSources.size > 1 ? 'mixed' : ([...tokenSources][0] ?? null),
        ...(hidden > 0 ? { hiddenReasoning: hidden } : {}),
        ...(refused === undefined ? {} : { refusedCounts: refused }),
      };
    },
  };
}

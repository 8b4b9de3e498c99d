import { entersFigures, isFinal, isPlannedCancel } from '../model/behaviour.ts';
import { CellMap, cellOf } from '../model/cells.ts';
import type { Cell, LoadLevel } from '../model/plan.ts';
import type { TokenPrice } from '../model/price.ts';
import {
  isEndedByClient,
  OUTCOME_KINDS,
  type OutcomeKind,
  type RequestRecord,
  type TokenSource,
} from '../model/record.ts';
import type { CellReport, GoodputReport, Manifest, MetricSummary } from '../model/report.ts';
import { type Shard, shareOf } from '../model/shard.ts';
import type { TraceInfo } from '../model/trace.ts';
import { createBehaviourFold, createRetryFold } from './behaviour-groups.ts';
import { createCacheFold, createPlannedCacheFold } from './cache-groups.ts';
import { createCostFold } from './cost.ts';
import { METRICS, type MetricContext } from './definitions.ts';
import { createDistribution, tidy } from './distribution.ts';
import { createFailures } from './failure-groups.ts';
import { hiddenReasoning } from './formulas.ts';
import { meets, type Objective } from './objective-check.ts';
import { TimelineRoom } from './request-spans.ts';
import { createSessionFold } from './session-groups.ts';
import { createThroughput } from './throughput.ts';
import { createTraceLagFold } from './trace-lag.ts';

/** Aggregates records into cells, one at a time. Keeps 25 bytes per request, for the throughput. */
export interface Aggregator {
  /**
   * Adds a record. The order affects the samples and the last digit of the means: add records in the order of the file.
   */
  add(record: RequestRecord): void;
  /** The cells so far, in the order of the manifest. May be called at any time. */
  cells(): CellReport[];
}

/**
 * An aggregator for a run. A planned cell is reported even without a record; a cell that was not planned is added at the
 * end.
 */
export function createAggregator(
  manifest: Pick<Manifest, 'cells' | 'stallMs' | 'shard' | 'prices'> & {
    run?: Pick<Manifest['run'], 'trace'>;
  },
  objectives: readonly Objective[] = [],
): Aggregator {
  const context: MetricContext = { stallMs: manifest.stallMs };
  const folds = new CellMap<CellFold>();
  const foldOf = (cell: Cell): CellFold => {
    let fold = folds.get(cell);
    if (!fold) {
      fold = createCellFold(
        cell,
        appliedLoad(cell, manifest.shard),
        context,
        objectives,
        manifest.run?.trace,
        manifest.prices?.find(({ target }) => target === cell.target),
      );
      folds.set(cell, fold);
    }
    return fold;
  };
  for (const cell of manifest.cells) if (cell.length === undefined) foldOf(cell);
  return {
    add(record) {
      if (record.length === undefined) foldOf(record).add(record);
    },
    cells() {
      const room = new TimelineRoom();
      return Array.from(folds.values(), (fold) => fold.report(room));
    },
  };
}

interface CellFold {
  add(record: RequestRecord): void;
  report(room: TimelineRoom): CellReport;
}

/** The distributions of a cell's metrics. */
function createMetrics(context: MetricContext) {
  const columns = METRICS.map((metric) => ({ metric, distribution: createDistribution(metric.unit) }));
  return {
    add(record: RequestRecord): void {
      for (const { metric, distribution } of columns) {
        const value = metric.values(record, context);
        if (value === null) continue;
        if (typeof value === 'number') distribution.add(value);
        else for (const one of value) distribution.add(one);
      }
    },
    summaries(): Record<string, MetricSummary | null> {
      return Object.fromEntries(
        columns.map(({ metric, distribution }) => [metric.name, distribution.summary()]),
      );
    },
  };
}

/** The outcomes of a cell's requests. */
function createOutcomes() {
  const counts = new Map<OutcomeKind, number>();
  return {
    add: (kind: OutcomeKind) => void counts.set(kind, (counts.get(kind) ?? 0) + 1),
    inOrder: () =>
      Object.fromEntries(
        OUTCOME_KINDS.filter((kind) => counts.has(kind)).map((kind) => [kind, counts.get(kind)]),
      ),
  };
}

/** True for a request that failed: not for one that was cut or cancelled as planned. */
function isFailure(record: RequestRecord): boolean {
  const { kind } = record.outcome;
  return kind !== 'ok' && kind !== 'cut' && !isPlannedCancel(record);
}

/** True if the cell's mode has every metric that has an objective, and there is one. */
function isJudged({ mode }: Cell, objectives: readonly Objective[]): boolean {
  return objectives.length > 0 && objectives.every(({ metric: { modes } }) => modes?.includes(mode) ?? true);
}

interface Counted {
  contentEvents: number;
  coalesced: number;
}

/** The share of a stream's content events that arrived together with an earlier one. */
function coalescedShare({ mode }: Cell, { contentEvents, coalesced }: Counted): number | null {
  return mode === 'streaming' && contentEvents > 0 ? tidy(coalesced / contentEvents) : null;
}

/** The load that this machine applied: a shard's share of the cell's. */
function appliedLoad(level: LoadLevel, shard: Shard | undefined): LoadLevel {
  const { concurrency, rate, from, stage } = level;
  if (shard === undefined) return level;
  const applied: LoadLevel = {
    concurrency: shareOf(concurrency, shard),
    rate: rate && rate / shard.of,
    stage,
  };
  if (from !== undefined) applied.from = rate === undefined ? shareOf(from, shard) : from / shard.of;
  return applied;
}

function createCellFold(
  cell: Cell,
  applied: LoadLevel,
  context: MetricContext,
  objectives: readonly Objective[],
  trace: TraceInfo | undefined,
  price: TokenPrice | undefined,
): CellFold {
  const outcomes = createOutcomes();
  const failures = createFailures();
  const metrics = createMetrics(context);
  const throughput = createThroughput(applied);
  const connections = { new: 0, reused: 0, reconnected: 0, replaced: 0 };
  const tokenSources = new Set<TokenSource>();
  const chunks: Counted = { contentEvents: 0, coalesced: 0 };
  const replay = trace && createTraceLagFold(trace.speed);
  const behaviours = createBehaviourFold(context);
  const retries = createRetryFold();
  let met = 0;
  let judged = 0;
  let hidden = 0;
  let cut = 0;
  let refused: CellReport['refusedCounts'];
  const cache = createCacheFold(context);
  const plannedCache = createPlannedCacheFold(context);
  const cost = price && createCostFold(price);
  const sessions = createSessionFold(context);
  let io: CellReport['io'] = { reads: 0, events: 0, bytes: 0 };

  const addGood = (record: RequestRecord) => {
    metrics.add(record);
    if ((hiddenReasoning(record) ?? 0) > 0) hidden += 1;
    if (record.cut) cut += 1;
    cache.add(record);
    plannedCache.add(record);
    if (!record.unobserved?.includes('coalesced')) {
      chunks.contentEvents += record.contentEvents;
      chunks.coalesced += record.coalesced;
    }
    if (record.tokens.output !== null && !record.unobserved?.includes('tokenSource'))
      tokenSources.add(record.tokens.source);
  };

  const goodputOf = (perSecond: number | null): GoodputReport | null => {
    if (!isJudged(cell, objectives) || judged === 0 || perSecond === null) return null;
    return { requestsPerSecond: perSecond, share: tidy(met / judged), met, requests: judged };
  };

  return {
    add(record) {
      if (record.unobserved?.includes('reads')) io = undefined;
      if (io !== undefined) {
        io.reads += record.reads;
        io.events += record.events;
        io.bytes += record.bytes;
      }
      const [example] = record.tokens.refused ?? [];
      if (example !== undefined) {
        refused = { requests: (refused?.requests ?? 0) + 1, example: refused?.example ?? example };
      }
      if (record.connection) connections[record.connection.reused ? 'reused' : 'new'] += 1;
      if (record.connection?.replaced) connections.replaced += 1;
      if (record.reconnected) connections.reconnected += 1;
      retries.add(record);
      cost?.add(record);
      // The request is counted by its last attempt.
      if (!isFinal(record)) return;
      outcomes.add(record.outcome.kind);
      sessions.add(record);
      behaviours.add(record);
      replay?.add(record);
      const good = record.behaviour === undefined && meets(record, objectives, context);
      if (good) met += 1;
      // A request that the user cancelled, or whose client read slowly on purpose, says nothing about the service.
      if (!isEndedByClient(record.outcome.kind) && record.behaviour === undefined) judged += 1;
      // Without start times there is no common time axis, and nothing per second.
      if (!record.unobserved?.includes('started')) throughput.add(record, good);
      if (entersFigures(record)) addGood(record);
      else if (isFailure(record)) failures.add(record.outcome);
    },
    report(room) {
      const { throughput: counted, reached, goodPerSecond } = throughput.result(room);
      return {
        ...cellOf(cell),
        outcomes: outcomes.inOrder(),
        failures: failures.summary(),
        metrics: metrics.summaries(),
        throughput: counted,
        reached,
        goodput: goodputOf(goodPerSecond),
        cache: cache.report(),
        plannedCache: plannedCache.report(),
        sessions: sessions.report(),
        replay: replay?.report(),
        behaviours: behaviours.report(),
        retries: retries.report(),
        connections: { ...connections },
        io: io && { ...io },
        cost: cost?.report(),
        coalescedShare: coalescedShare(cell, chunks),
        tokenSource: tokenSources.size > 1 ? 'mixed' : ([...tokenSources][0] ?? null),
        hiddenReasoning: hidden > 0 ? hidden : undefined,
        cutStreams: cut > 0 ? cut : undefined,
        refusedCounts: refused,
      };
    },
  };
}

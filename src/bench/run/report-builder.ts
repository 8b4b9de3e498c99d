import { decideAb } from '../../analysis/comparison/ab-gate.ts';
import { metricsOf } from '../../analysis/comparison/ab-selection.ts';
import { compareModes, compareTargets } from '../../analysis/comparison/paired-comparison.ts';
import { PAIRED_METRICS } from '../../analysis/comparison/paired-rows.ts';
import { createSampler, type RunSamples } from '../../analysis/comparison/samples.ts';
import { checksOf } from '../../analysis/regression/checks.ts';
import { type LengthTest, lengthTest, pooledLengthTest } from '../../analysis/streaming/length-test.ts';
import type { NonStreamingTotal } from '../../analysis/streaming/streaming-verdict.ts';
import { createVerdictCollector, type VerdictCollector } from '../../analysis/streaming/verdict-collector.ts';
import { createSweepEvidence, type SweepEvidence } from '../../analysis/sweep/evidence.ts';
import { sweepReport } from '../../analysis/sweep/sweep-report.ts';
import { parseObjective } from '../../analysis/thresholds/objective-parser.ts';
import { parseThreshold } from '../../analysis/thresholds/threshold-parser.ts';
import { evaluateThresholds } from '../../analysis/thresholds/thresholds.ts';
import { createAggregator } from '../../metrics/aggregate.ts';
import { latenessOf } from '../../metrics/lateness.ts';
import { clientReport, clientReportOfMachines, serverReport } from '../../metrics/load-report.ts';
import { createStampTimes, type StampTimes } from '../../metrics/stamps.ts';
import type { AbGate } from '../../model/ab-gate.ts';
import { entersFigures } from '../../model/behaviour.ts';
import { CellMap, cellKey, sameCourse } from '../../model/cells.ts';
import type { BlockUtilization, LoopUtilization } from '../../model/load-report.ts';
import type { PairedComparison } from '../../model/paired-comparison.ts';
import type { Cell } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { CellReport, Manifest, Report } from '../../model/report.ts';
import type { SweepReport } from '../../model/sweep.ts';
import { buildReport } from '../../report/build.ts';
import { readRun, readWarnings } from '../../results/read-run.ts';

/** A report rebuilt from records. */
export interface RebuiltReport {
  report: Report;
  /** One sentence for each problem with the records, such as a last line cut by a crash. */
  warnings: readonly string[];
}

/**
 * Rebuilds the report of a run from its records. Rejects with a `UserError` where the folder holds no run, or one with a schema
 * that this version does not read.
 */
export async function reportRun(folder: string): Promise<RebuiltReport> {
  const stored = await readRun(folder);
  const builder = createReportBuilder(stored.manifest);
  for await (const batch of stored.batches) for (const record of batch) builder.add(record);
  return { report: builder.report(stored.manifest), warnings: readWarnings(stored, folder) };
}

/** Builds a run's report from its records, one at a time. Live and stored runs both use it, so their reports are equal. */
export interface ReportBuilder {
  /** Adds a record, rounded as it is stored. */
  add(record: RequestRecord): void;
  /** `manifest`: as it is at the end of the run. */
  report(manifest: Manifest): Report;
  /** What comparisons need of the records so far. */
  samples(): RunSamples;
  /** Of a sweep: what the records so far show about its levels. */
  sweep?: SweepEvidence;
}

/** Creates a builder for the cells of this manifest. */
export function createReportBuilder(start: Manifest): ReportBuilder {
  const objectives = (start.objectives ?? []).map(parseObjective);
  const aggregator = createAggregator(start, objectives);
  const evidence = start.sweep && createSweepEvidence(start.sweep, { objectives, stallMs: start.stallMs });
  const sampler = createSampler(start, [
    ...PAIRED_METRICS,
    ...(start.ab === undefined ? [] : metricsOf(checksOf(start))),
  ]);
  const verdicts = new CellMap<VerdictCollector>();
  const stamps = new CellMap<StampTimes>();
  const begin = (cell: Cell) => {
    if (cell.mode === 'streaming') verdicts.set(cell, createVerdictCollector());
    stamps.set(cell, createStampTimes());
  };
  for (const cell of start.cells) begin(cell);
  return {
    add(record) {
      // The levels of a sweep are not known at its start.
      if (evidence !== undefined && stamps.get(record) === undefined) begin(record);
      evidence?.add(record);
      aggregator.add(record);
      sampler.add(record);
      verdicts.get(record)?.add(record);
      // Only successful requests are in the figures.
      if (entersFigures(record)) stamps.get(record)?.add(record);
    },
    report(manifest) {
      const plain = aggregator.cells();
      const byKey = new Map(plain.map((cell) => [cellKey(cell), cell]));
      const planned = manifest.cells.map(cellKey);
      const cells = plain.map((cell): CellReport => {
        const verdict = verdicts.get(cell)?.result({
          whole: wholeAnswer(byKey.get(cellKey({ ...cell, mode: 'non-streaming' }))),
          lengths: lengthTestOf(cell, plain, manifest, verdicts),
        });
        const index = planned.indexOf(cellKey(cell));
        return {
          ...cell,
          behaviours: withNotice(cell, index, manifest),
          // Other tools record neither socket reads nor their own load.
          streaming: manifest.origin === undefined ? (verdict ?? null) : null,
          client: manifest.origin === undefined ? clientOf(cell, index, manifest, stamps.get(cell)) : null,
          server: serverOf(cell, index, manifest),
        };
      });
      // A shard's figures are those of one machine: its thresholds are checked on the merged run.
      const thresholds = manifest.shard === undefined ? manifest.thresholds.map(parseThreshold) : [];
      const sweep = evidence && sweepOf(evidence, cells, manifest);
      if (sweep !== undefined) cells.sort(byLevel(sweep.points));
      return buildReport(manifest, cells, {
        gates: evaluateThresholds(thresholds, cells, sweep),
        // The targets of a sweep are measured at levels of their own.
        pairedComparisons: sweep === undefined ? pairedComparisonsOf(sampler.result(), manifest) : [],
        ab: abGateOf(sampler.result(), manifest),
        sweep,
      });
    },
    samples: () => sampler.result(),
    sweep: evidence,
  };
}

function withNotice({ behaviours }: CellReport, index: number, { cancelNotices }: Manifest) {
  const { cell: _, ...noticed } = cancelNotices?.find(({ cell }) => cell === index) ?? {};
  const { cancelled } = behaviours ?? {};
  return cancelled === undefined || !('n' in noticed)
    ? behaviours
    : { ...behaviours, cancelled: { ...cancelled, noticed } };
}

function wholeAnswer(cell: CellReport | undefined): NonStreamingTotal | undefined {
  const total = cell?.metrics.total;
  return total ? { totalMs: total.p50, n: total.n } : undefined;
}

/** The target's length test; without one, a test over its cells that differ only in their prompts. */
function lengthTestOf(
  cell: CellReport,
  cells: readonly CellReport[],
  { cells: planned }: Manifest,
  folds: CellMap<VerdictCollector>,
): LengthTest | undefined {
  const lengthCells = planned
    .filter(({ target, length }) => target === cell.target && length !== undefined)
    .sort((a, b) => (a.length ?? 0) - (b.length ?? 0));
  const [short, long] = [lengthCells[0], lengthCells.at(-1)];
  if (short !== undefined && long !== undefined)
    return lengthTest(folds.get(short)?.figures() ?? [], folds.get(long)?.figures() ?? []);
  const alike = cells.filter((other) => cellKey({ ...other, prompt: cell.prompt }) === cellKey(cell));
  return alike.length < 2
    ? undefined
    : pooledLengthTest(alike.map((other) => folds.get(other)?.figures() ?? []));
}

function sweepOf(
  evidence: SweepEvidence,
  cells: readonly CellReport[],
  manifest: Manifest,
): SweepReport | undefined {
  const {
    sweep: settings,
    cells: planned,
    loads = [],
    sweepOverBudget: isOverBudget = false,
    run,
  } = manifest;
  const abortReason = run.aborted ? run.abortReason : undefined;
  return settings && sweepReport({ settings, evidence, planned, loads, cells, isOverBudget, abortReason });
}

/** The order of the points, in which a subject's levels rise. Cells without a record come last. */
function byLevel(points: readonly Cell[]): (a: Cell, b: Cell) => number {
  const places = new Map(points.map((point, index) => [cellKey(point), index]));
  const placeOf = (cell: Cell) => places.get(cellKey(cell)) ?? points.length;
  return (a, b) => placeOf(a) - placeOf(b);
}

function abGateOf(samples: RunSamples, manifest: Manifest): AbGate | undefined {
  const { ab, abStop, run, shard } = manifest;
  if (ab === undefined || shard !== undefined) return undefined;
  return { ...decideAb(samples, ab, { seed: run.seed, checks: checksOf(manifest) }), stop: abStop };
}

/** The first target with each other one, then streaming with non-streaming of each target. */
function pairedComparisonsOf(samples: RunSamples, { cells, run }: Manifest): PairedComparison[] {
  const options = { seed: run.seed };
  const targets = [...new Set(cells.map(({ target }) => target))];
  const [first, ...others] = targets;
  if (first === undefined) return [];
  return [
    ...others.map((other) => compareTargets(samples, first, other, options)),
    ...targets.map((target) => compareModes(samples, target, options)).filter(({ rows }) => rows.length > 0),
  ];
}

// `index`: of the cell in the plan; the blocks refer to it.
function serverOf(
  cell: CellReport,
  index: number,
  { servers = [], serverLoads = [], cells: planned }: Manifest,
): CellReport['server'] {
  const server = servers.find(({ target }) => target === cell.target);
  if (server === undefined) return null;
  // The server is watched block by block: stages of one block share its metrics.
  const own = [index, ...otherStages(index, planned)];
  const blocks = serverLoads.filter((load) => own.includes(load.cell));
  return serverReport(server.reading, blocks, cell);
}

function clientOf(
  cell: CellReport,
  index: number,
  { loads = [], cells: planned }: Manifest,
  stamps: StampTimes = createStampTimes(),
): CellReport['client'] {
  const blocks = loads.filter((load) => load.cell === index);
  const known = cell.connections.new + cell.connections.reused;
  const figures = {
    latenessP99Ms: cell.metrics.queue?.p99 ?? null,
    ttftMs: cell.metrics.ttft?.p50,
    newConnectionShare: known === 0 ? null : cell.connections.new / known,
    reads: cell.io?.reads ?? 0,
    events: cell.io?.events ?? 0,
  };
  const lateness = latenessOf({
    blocks: withCourse(blocks, index, { loads, planned }),
    stamps,
    metrics: cell.metrics,
  });
  const machines = new Map<number, (readonly LoopUtilization[])[]>();
  for (const { shard, threads } of blocks) {
    if (shard !== undefined) machines.set(shard, [...(machines.get(shard) ?? []), threads]);
  }
  if (machines.size > 0) return clientReportOfMachines(machines, figures, lateness);
  return clientReport(
    blocks.map(({ threads }) => threads),
    figures,
    lateness,
  );
}

/** The indexes of the other stages of a cell's load. */
function otherStages(index: number, planned: Manifest['cells']): number[] {
  const cell = planned[index];
  if (cell === undefined) return [];
  return [...planned.keys()].filter((other) => other !== index && sameCourse(cell, planned[other] ?? cell));
}

type Period = Pick<BlockUtilization, 'round' | 'part' | 'shard'>;

function isSamePeriod(a: Period, b: Period): boolean {
  return a.round === b.round && a.part === b.part && a.shard === b.shard;
}

/** A stage's blocks with the load of the other stages: its last streams end while the next stage is measured. */
function withCourse(
  blocks: readonly BlockUtilization[],
  index: number,
  { loads, planned }: { loads: readonly BlockUtilization[]; planned: Manifest['cells'] },
): readonly BlockUtilization[] {
  const others = otherStages(index, planned);
  if (others.length === 0) return blocks;
  return blocks.map((block) => ({
    ...block,
    threads: [
      ...block.threads,
      ...loads
        .filter(({ cell, ...load }) => others.includes(cell) && isSamePeriod(load, block))
        .flatMap(({ threads }) => threads),
    ],
  }));
}

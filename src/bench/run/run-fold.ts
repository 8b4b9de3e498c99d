import { compareModes, compareTargets } from '../../analysis/comparison/paired-comparison.ts';
import { PAIRED_FIGURES } from '../../analysis/comparison/paired-rows.ts';
import { createSampler, type RunSamples } from '../../analysis/comparison/samples.ts';
import { type LengthTest, lengthTest, pooledLengthTest } from '../../analysis/streaming/length-test.ts';
import type { NonStreamingTotal } from '../../analysis/streaming/streaming-verdict.ts';
import { createVerdictCollector, type VerdictCollector } from '../../analysis/streaming/verdict-collector.ts';
import { parseObjective } from '../../analysis/thresholds/objective-parser.ts';
import { parseThreshold } from '../../analysis/thresholds/threshold-parser.ts';
import { evaluateThresholds } from '../../analysis/thresholds/thresholds.ts';
import { createAggregator } from '../../metrics/aggregate.ts';
import { latenessOf } from '../../metrics/lateness.ts';
import { clientReport, serverReport } from '../../metrics/load-report.ts';
import { createStampTimes, type StampTimes } from '../../metrics/stamps.ts';
import { CellMap, cellKey } from '../../model/cells.ts';
import type { PairedComparison } from '../../model/paired-comparison.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { CellReport, Manifest, Report } from '../../model/report.ts';
import { buildReport } from '../../report/build.ts';
import { readRun, readWarnings } from '../../results/read-run.ts';

/** A report made again, and what was odd about the records on the way. */
export interface ReportAgain {
  report: Report;
  /** Sentences for a person, such as that a last line was cut by a crash. */
  warnings: readonly string[];
}

/**
 * Makes a run's report again from its records. Rejects with a `UserError` when the folder holds no run, or one of a
 * schema this version does not read.
 */
export async function reportRun(folder: string): Promise<ReportAgain> {
  const stored = await readRun(folder);
  const fold = createRunFold(stored.manifest);
  for await (const batch of stored.batches) for (const record of batch) fold.add(record);
  return { report: fold.report(stored.manifest), warnings: readWarnings(stored, folder) };
}

/** Folds a run's records into its report, one at a time. The only way from records to a report, live or afterwards. */
export interface RunFold {
  /** Takes in a record, rounded as it is stored. */
  add(record: RequestRecord): void;
  /** The report of what was taken in, with the manifest as it stands at the end of the run. */
  report(manifest: Manifest): Report;
}

/** A fold for a run of these cells. */
export function createRunFold(start: Manifest): RunFold {
  const aggregator = createAggregator(start, (start.objectives ?? []).map(parseObjective));
  const sampler = createSampler(
    start,
    PAIRED_FIGURES.map(({ metric }) => metric),
  );
  const verdicts = new CellMap<VerdictCollector>();
  const stamps = new CellMap<StampTimes>();
  for (const cell of start.cells) {
    if (cell.mode === 'streaming') verdicts.set(cell, createVerdictCollector());
    stamps.set(cell, createStampTimes());
  }
  return {
    add(record) {
      aggregator.add(record);
      sampler.add(record);
      verdicts.get(record)?.add(record);
      // Only these are in the figures.
      if (record.outcome.kind === 'ok') stamps.get(record)?.add(record);
    },
    report(manifest) {
      const plain = aggregator.cells();
      const byKey = new Map(plain.map((cell) => [cellKey(cell), cell]));
      const planned = manifest.cells.map(cellKey);
      const cells = plain.map((cell): CellReport => {
        const verdict = verdicts.get(cell)?.result({
          whole: wholeAnswer(byKey.get(cellKey({ ...cell, mode: 'non-streaming' }))),
          lengths: lengthsBeside(cell, plain, manifest, verdicts),
        });
        const index = planned.indexOf(cellKey(cell));
        return {
          ...cell,
          streaming: verdict ?? null,
          client: clientOf(cell, index, manifest, stamps.get(cell)),
          server: serverOf(cell, index, manifest),
        };
      });
      const thresholds = manifest.thresholds.map(parseThreshold);
      return buildReport(manifest, cells, {
        gates: evaluateThresholds(thresholds, cells),
        pairedComparisons: pairedComparisonsOf(sampler.result(), manifest),
      });
    },
  };
}

function wholeAnswer(cell: CellReport | undefined): NonStreamingTotal | undefined {
  const total = cell?.metrics.total;
  return total ? { totalMs: total.p50, n: total.n } : undefined;
}

/** The target's own length test; else its cells that differ in their prompts alone stand for one. */
function lengthsBeside(
  cell: CellReport,
  cells: readonly CellReport[],
  { cells: planned }: Manifest,
  folds: CellMap<VerdictCollector>,
): LengthTest | undefined {
  const asked = planned
    .filter(({ target, length }) => target === cell.target && length !== undefined)
    .sort((a, b) => a.length! - b.length!);
  const [short, long] = [asked[0], asked.at(-1)];
  if (short !== undefined && long !== undefined)
    return lengthTest(folds.get(short)?.figures() ?? [], folds.get(long)?.figures() ?? []);
  const alike = cells.filter((other) => cellKey({ ...other, prompt: cell.prompt }) === cellKey(cell));
  return alike.length < 2
    ? undefined
    : pooledLengthTest(alike.map((other) => folds.get(other)?.figures() ?? []));
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

// `index`: of the cell in the plan, which is how the loads of its blocks name it.
function serverOf(
  cell: CellReport,
  index: number,
  { servers = [], serverLoads = [] }: Manifest,
): CellReport['server'] {
  const server = servers.find(({ target }) => target === cell.target);
  if (server === undefined) return null;
  const blocks = serverLoads.filter((load) => load.cell === index);
  return serverReport(server.reading, blocks, cell);
}

function clientOf(
  cell: CellReport,
  index: number,
  { loads = [] }: Manifest,
  stamps: StampTimes = createStampTimes(),
): CellReport['client'] {
  const blocks = loads.filter((load) => load.cell === index);
  const known = cell.connections.new + cell.connections.reused;
  const figures = {
    latenessP99Ms: cell.metrics.queue?.p99 ?? null,
    newConnectionShare: known === 0 ? null : cell.connections.new / known,
    reads: cell.io.reads,
    events: cell.io.events,
  };
  return clientReport(
    blocks.map(({ threads }) => threads),
    figures,
    latenessOf({ blocks, stamps, metrics: cell.metrics }),
  );
}

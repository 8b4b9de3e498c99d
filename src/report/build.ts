import type { AbGate } from '../model/ab-gate.ts';
import { runWith } from '../model/completeness.ts';
import type { PairedComparison } from '../model/paired-comparison.ts';
import type { CellReport, GateResult, Manifest, Report } from '../model/report.ts';
import type { SweepReport } from '../model/sweep.ts';
import { conclude } from './conclusion/conclusion.ts';
import { requestsOf } from './wording/notes.ts';

/** The report of a run, made of its manifest and of what its records were folded into. */
export function buildReport(
  manifest: Manifest,
  cells: readonly CellReport[],
  {
    gates = [],
    pairedComparisons = [],
    ab,
    sweep,
  }: {
    gates?: readonly GateResult[];
    pairedComparisons?: readonly PairedComparison[];
    ab?: AbGate;
    sweep?: SweepReport;
  } = {},
): Report {
  const report = {
    schema: 'streambench/report@3' as const,
    run: runWith(
      manifest,
      cells.reduce((sum, cell) => sum + requestsOf(cell) + retriedAttempts(cell), 0),
    ),
    environment: manifest.environment,
    scenario: manifest.scenario,
    cells: [...cells],
    pairedComparisons: [...pairedComparisons],
    floor: [...(manifest.floor ?? [])],
    objectives: [...(manifest.objectives ?? [])],
    gates: [...gates],
    sweep,
    baseline: manifest.baseline,
    ab,
    shard: manifest.shard,
    machines: manifest.machines,
    origin: manifest.origin,
  };
  return { ...report, conclusion: conclude(report) };
}

/** The report with the comparison with a baseline, which needs the report's cells. */
export function withBaseline(report: Report, baseline: Report['baseline']): Report {
  const compared = { ...report, baseline };
  return { ...compared, conclusion: conclude(compared) };
}

/** Attempts that were retried: each has a record of its own beside that of its request. */
function retriedAttempts({ retries }: CellReport): number {
  return Object.values(retries?.causes ?? {}).reduce((sum, count) => sum + count, 0);
}

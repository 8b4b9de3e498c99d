import type { AbGate } from '../model/ab-gate.ts';
import { runWith } from '../model/completeness.ts';
import type { PairedComparison } from '../model/paired-comparison.ts';
import type { CellReport, GateResult, Manifest, Report } from '../model/report.ts';
import { requestsOf } from './wording/notes.ts';

/** The report of a run: what the manifest says of it and what its records were folded into. */
export function buildReport(
  manifest: Manifest,
  cells: readonly CellReport[],
  {
    gates = [],
    pairedComparisons = [],
    ab,
  }: { gates?: readonly GateResult[]; pairedComparisons?: readonly PairedComparison[]; ab?: AbGate } = {},
): Report {
  return {
    schema: 'streambench/report@3',
    run: runWith(
      manifest,
      cells.reduce((sum, cell) => sum + requestsOf(cell), 0),
    ),
    environment: manifest.environment,
    scenario: manifest.scenario,
    cells: [...cells],
    pairedComparisons: [...pairedComparisons],
    floor: [...(manifest.floor ?? [])],
    objectives: [...(manifest.objectives ?? [])],
    gates: [...gates],
    baseline: manifest.baseline,
    ab,
    shard: manifest.shard,
    machines: manifest.machines,
  };
}

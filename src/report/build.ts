import { compareModes } from '../metrics/mode-comparison.ts';
import { runWith } from '../model/completeness.ts';
import type { Contrast } from '../model/paired-comparison.ts';
import type { CellReport, GateResult, Manifest, Report } from '../model/report.ts';
import { requestsOf } from './wording/notes.ts';

/** The report of a run: what the manifest says of it and what its records were folded into. */
export function buildReport(
  manifest: Manifest,
  cells: readonly CellReport[],
  { gates = [], contrasts = [] }: { gates?: readonly GateResult[]; contrasts?: readonly Contrast[] } = {},
): Report {
  return {
    schema: 'streambench/report@1',
    run: runWith(
      manifest,
      cells.reduce((sum, cell) => sum + requestsOf(cell), 0),
    ),
    environment: manifest.environment,
    scenario: manifest.scenario,
    cells: [...cells],
    comparisons: compareModes(cells),
    contrasts: [...contrasts],
    floor: [...(manifest.floor ?? [])],
    objectives: [...(manifest.objectives ?? [])],
    gates: [...gates],
    baseline: manifest.baseline,
  };
}

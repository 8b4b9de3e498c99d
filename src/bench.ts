/** The entry point `streambench/bench`: run scenarios and create reports from a program. */
export { readEnvironment } from './bench/environment.ts';
export { checkGates } from './bench/run/gates.ts';
export type { RebuiltReport } from './bench/run/report-builder.ts';
export { reportRun } from './bench/run/report-builder.ts';
export type { RunObserver, RunOptions, RunResult } from './bench/run/run.ts';
export { runScenario } from './bench/run/run.ts';
export type { MetricDefinition } from './metrics/definitions.ts';
export { METRICS } from './metrics/definitions.ts';
export type { AbCheck, AbGate, AbSettings, AbStop, AbVerdict } from './model/ab-gate.ts';
export type { ChunkKind, KeptChunks } from './model/chunks.ts';
export { arrivalsOf, contentArrivalsOf } from './model/chunks.ts';
export type { Unit } from './model/format.ts';
export type { PairedComparison, PairedRow, PairedVerdict } from './model/paired-comparison.ts';
export type {
  CellReport,
  Environment,
  FailureSummary,
  GateResult,
  Manifest,
  MetricSummary,
  Report,
  RunInfo,
  ScenarioSummary,
} from './model/report.ts';
export type {
  BaselineReport,
  RunComparison,
  RunComparisonRow,
  RunComparisonVerdict,
} from './model/run-comparison.ts';
export { REPORTERS } from './report/formats/index.ts';
export { terminalReport } from './report/terminal/terminal.ts';
export type { LoadedScenario } from './scenario/load.ts';
export { loadScenario, parseScenario } from './scenario/load.ts';
export type { Scenario } from './scenario/schema/scenario.ts';

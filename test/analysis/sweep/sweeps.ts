import { createSweepEvidence, type SweepEvidence } from '../../../src/analysis/sweep/evidence.ts';
import { type SweepSources, sweepReport } from '../../../src/analysis/sweep/sweep-report.ts';
import type { BlockUtilization, LoopUtilization } from '../../../src/model/load-report.ts';
import type { Cell } from '../../../src/model/plan.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import type { SweepReport, SweepSettings } from '../../../src/model/sweep.ts';
import { record } from '../../metrics/records.ts';

/** Records and reports of small sweeps. */

export const SETTINGS: SweepSettings = {
  by: 'concurrency',
  slo: ['ttft.p95 < 100ms'],
  start: 1,
  max: 64,
  precision: 0.05,
  repeats: 8,
  budgetMs: 60_000,
  maxConcurrency: 200,
  arrivals: 'poisson',
};

export const cellAt = (concurrency: number, changes: Partial<Cell> = {}): Cell => ({
  target: 'flash',
  prompt: 'short',
  mode: 'streaming',
  concurrency,
  ...changes,
});

/** A request that starts at `startedMs` and gets its first token after `ttftMs`. */
export function request(
  cell: Cell,
  round: number,
  startedMs: number,
  ttftMs: number,
  changes: Partial<RequestRecord> = {},
) {
  const sent = startedMs + 1;
  const marks = {
    scheduled: startedMs,
    started: startedMs,
    sent,
    firstToken: sent + ttftMs,
    end: sent + ttftMs + 50,
  };
  return record({ ...cell, round, marks, inFlight: cell.concurrency, ...changes });
}

/** The load of an idle client, or of another one. */
export function load(cell: number, round: number, changes: Partial<LoopUtilization> = {}): BlockUtilization {
  const idle = { windowMs: 1000, utilization: 0.1, delayP99Ms: 1, delayMaxMs: 2, gcMs: 0, cpuMs: 100 };
  return { cell, round, threads: [{ ...idle, ...changes }] };
}

/** One measurement of a level: `ttfts` in order of the requests' starts, 10 ms apart. */
export function measure(
  evidence: SweepEvidence,
  cell: Cell,
  round: number,
  ttfts: readonly number[],
  changes: Partial<RequestRecord> = {},
): void {
  const records = ttfts.map((ttftMs, index) =>
    request(cell, round, 1000 * round + 10 * index, ttftMs, changes),
  );
  // They end in another order than they start.
  for (const one of records.toReversed()) evidence.add(one);
}

export function evidenceFor(changes: Partial<SweepSettings> = {}): SweepEvidence {
  return createSweepEvidence({ ...SETTINGS, ...changes }, { objectives: [], stallMs: 1000 });
}

export const times = (n: number, ttftMs: number): number[] => Array.from({ length: n }, () => ttftMs);

/** A sweep that found 4 streams: 5 are too slow. `changes` to what the report is made of. */
export function smallSweep(
  changes: Partial<SweepSources> = {},
  settings: Partial<SweepSettings> = {},
): SweepReport {
  const levels: [number, number][] = [
    [1, 50],
    [2, 50],
    [4, 50],
    [8, 300],
    [6, 200],
    [5, 150],
  ];
  const evidence = evidenceFor(settings);
  const planned = levels.map(([level]) => cellAt(level));
  const loads: BlockUtilization[] = [];
  for (const [index, [level, ttftMs]] of levels.entries()) {
    for (let round = 0; round < (level === 4 || level === 5 ? 2 : 1); round++) {
      measure(evidence, planned[index]!, round, times(80 + level, ttftMs));
      loads.push(load(index, round));
    }
  }
  return sweepReport({
    settings: { ...SETTINGS, ...settings },
    evidence,
    planned,
    loads,
    cells: [],
    isOverBudget: false,
    ...changes,
  });
}

import type { ServerReading, ServerReport, ServerSummary } from '../model/load-report.ts';
import type { LoadLevel } from '../model/plan.ts';
import { tidy } from './distribution.ts';

/**
 * What a server said of itself while a cell was measured; each item of `blocks` is a round. What was not read stays
 * null: it is no data, not zero.
 */
export function serverReport(
  idle: ServerReading | null,
  blocks: readonly ServerSummary[],
  { concurrency, rate }: LoadLevel,
): ServerReport {
  const most = (of: (block: ServerSummary) => number | null): number | null => {
    const known = blocks.map(of).filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  };
  const grown = (before: number | null | undefined, max: number | null) =>
    before == null || max === null ? null : { before, max: Math.max(before, max) };
  const memory = grown(
    idle?.memoryBytes,
    most(({ memoryBytes }) => memoryBytes),
  );
  const cpuCores = most(({ cpuCores }) => cpuCores);
  return {
    memoryBytes: memory,
    // How many streams an open loop had at once is not known.
    memoryPerStreamBytes:
      memory === null || rate !== undefined ? null : Math.round((memory.max - memory.before) / concurrency),
    openFiles: grown(
      idle?.openFiles,
      most(({ openFiles }) => openFiles),
    ),
    cpuCores: cpuCores === null ? null : tidy(cpuCores),
    readings: blocks.reduce((sum, { readings }) => sum + readings, 0),
    failed: blocks.reduce((sum, { failed }) => sum + failed, 0),
  };
}

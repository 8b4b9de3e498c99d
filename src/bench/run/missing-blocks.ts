import { cellsOfBlock } from '../../model/cells.ts';
import type { Block } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';

/** How much of one block a run has measured. */
export interface BlockProgress {
  requests: number;
  /** From its first request to the end of its last one, without the pauses between the parts of a run. */
  windowMs: number;
  /** From when its first request was due to when its last one was. */
  dueMs: number;
}

/** Counts the measured requests of each block from a run's records. */
export interface BlockProgressCounter {
  add(record: RequestRecord, cell: number): void;
  of(block: Pick<Block, 'round' | 'cell' | 'phases'>): BlockProgress;
}

/** What one part of a run measured of one cell in one round. */
interface PartWindow {
  requests: number;
  fromMs: number;
  toMs: number;
  firstDueMs: number;
  lastDueMs: number;
}

/** An empty counter. */
export function countProgress(): BlockProgressCounter {
  const cells = new Map<string, Map<number, PartWindow>>();
  const keyOf = (round: number, cell: number) => `${round} ${cell}`;
  return {
    add({ round, part = 0, turn, marks: { scheduled, started, end = started } }, cell) {
      const key = keyOf(round, cell);
      const parts = cells.get(key) ?? new Map<number, PartWindow>();
      cells.set(key, parts);
      // A session counts once; one that was cut is not repeated.
      const requests = (turn?.turn ?? 1) === 1 ? 1 : 0;
      const one = { requests, fromMs: started, toMs: end, firstDueMs: scheduled, lastDueMs: scheduled };
      const window = parts.get(part);
      parts.set(part, window === undefined ? one : joined([window, one]));
    },
    of(block) {
      const parts = new Map<number, PartWindow[]>();
      for (const index of cellsOfBlock(block)) {
        for (const [part, window] of cells.get(keyOf(block.round, index)) ?? [])
          parts.set(part, [...(parts.get(part) ?? []), window]);
      }
      const windows = [...parts.values()].map(joined);
      return {
        requests: windows.reduce((sum, { requests }) => sum + requests, 0),
        windowMs: windows.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0),
        dueMs: windows.reduce((sum, { firstDueMs, lastDueMs }) => sum + lastDueMs - firstDueMs, 0),
      };
    },
  };
}

function joined(windows: readonly PartWindow[]): PartWindow {
  return {
    requests: windows.reduce((sum, { requests }) => sum + requests, 0),
    fromMs: Math.min(...windows.map(({ fromMs }) => fromMs)),
    toMs: Math.max(...windows.map(({ toMs }) => toMs)),
    firstDueMs: Math.min(...windows.map(({ firstDueMs }) => firstDueMs)),
    lastDueMs: Math.max(...windows.map(({ lastDueMs }) => lastDueMs)),
  };
}

/**
 * The blocks that a run still has to measure, in the order of the plan. A block with a number of requests is missing those without
 * a record. A block with a duration is complete where a later block was started; the last started one is missing the rest of its
 * time. Measured requests are not repeated: arrivals continue after them. A load with stages continues where its last measured
 * request was due, without the streams that were open then. The first missing block of each cell gets the warm-up of
 * the cell, because its connections are new.
 */
export function missingBlocks(
  blocks: readonly Block[],
  progressOf: (block: Block) => BlockProgress,
): Block[] {
  const lastBegun = blocks.findLastIndex((block) => progressOf(block).requests > 0);
  const warmup = new Map<number, number>();
  for (const block of blocks) warmup.set(block.cell, Math.max(block.warmup, warmup.get(block.cell) ?? 0));
  const drawn = new Map<number, number>();
  for (const block of blocks) {
    drawn.set(block.cell, (drawn.get(block.cell) ?? 0) + progressOf(block).requests);
  }
  return blocks.flatMap((block, index) => {
    const missing = restOf(block, progressOf(block), index < lastBegun);
    if (missing === undefined) return [];
    const rest = {
      ...block,
      ...missing,
      drawn: drawn.get(block.cell) || undefined,
      warmup: warmup.get(block.cell) ?? 0,
    };
    warmup.set(block.cell, 0);
    return [rest];
  });
}

type Rest = Pick<Block, 'requests' | 'durationMs' | 'phases' | 'startMs' | 'measured'>;

function restOf(block: Block, done: BlockProgress, isPast: boolean): Rest | undefined {
  const { requests, durationMs, phases } = block;
  const measured = done.requests > 0 ? done.requests : undefined;
  if (hasStages(block)) return isPast ? undefined : restOfStages(block, done);
  const left = requests === undefined ? undefined : requests - done.requests;
  if (left !== undefined && left <= 0) return undefined;
  if (durationMs === undefined) return { requests: left, measured };
  if (isPast || done.windowMs >= durationMs) return undefined;
  const rest: Rest = { durationMs: durationMs - done.windowMs, measured };
  if (left !== undefined) rest.requests = left;
  // The load rises again before the rest of the window.
  if (phases)
    rest.phases = phases.map((phase) =>
      phase.cell === undefined ? phase : { ...phase, durationMs: rest.durationMs },
    );
  return rest;
}

function hasStages({ phases = [] }: Block): boolean {
  return phases.some(({ stage }) => stage !== undefined);
}

// Due times are stored rounded, so that the next request is due after this.
const AFTER_DUE_MS = 1;

function restOfStages({ phases = [], durationMs = 0 }: Block, done: BlockProgress): Rest | undefined {
  if (done.requests === 0) return {};
  const firstMeasured = phases.findIndex(({ cell }) => cell !== undefined);
  const before = phases.slice(0, firstMeasured).reduce((sum, phase) => sum + (phase.durationMs ?? 0), 0);
  const startMs = before + done.dueMs + AFTER_DUE_MS;
  return startMs < durationMs ? { startMs } : undefined;
}

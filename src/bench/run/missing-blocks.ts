import type { Block } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';

/** What a run has measured of one block. */
export interface BlockProgress {
  requests: number;
  /** From its first request to the end of its last one, the pauses between the parts of a run left out. */
  windowMs: number;
}

/** Counts what a run's records hold of each block. */
export interface ProgressCount {
  add(record: RequestRecord, cell: number): void;
  of(block: Pick<Block, 'round' | 'cell'>): BlockProgress;
}

/** An empty count. */
export function countProgress(): ProgressCount {
  const blocks = new Map<string, { requests: number; parts: Map<number, { from: number; to: number }> }>();
  const keyOf = (round: number, cell: number) => `${round} ${cell}`;
  return {
    add({ round, part = 0, marks: { started, end = started } }, cell) {
      const key = keyOf(round, cell);
      let block = blocks.get(key);
      if (block === undefined) {
        block = { requests: 0, parts: new Map() };
        blocks.set(key, block);
      }
      block.requests += 1;
      const window = block.parts.get(part);
      if (window === undefined) block.parts.set(part, { from: started, to: end });
      else {
        window.from = Math.min(window.from, started);
        window.to = Math.max(window.to, end);
      }
    },
    of({ round, cell }) {
      const block = blocks.get(keyOf(round, cell));
      const windows = [...(block?.parts.values() ?? [])];
      return {
        requests: block?.requests ?? 0,
        windowMs: windows.reduce((sum, { from, to }) => sum + to - from, 0),
      };
    },
  };
}

/**
 * The blocks that a run has not measured yet, in the order of the plan. A block of a number of requests lacks what it has
 * no record of. A block of a time that has a later block behind it is done; the last one that was begun lacks the rest of
 * its time. A request that was measured is not sent again: arrivals go on behind it. The first missing block of each cell is warmed up as the cell was: its connections are new.
 */
export function missingBlocks(
  blocks: readonly Block[],
  progressOf: (block: Block) => BlockProgress,
): Block[] {
  const lastBegun = blocks.findLastIndex((block) => progressOf(block).requests > 0);
  const warmup = new Map<number, number>();
  for (const block of blocks) warmup.set(block.cell, Math.max(block.warmup, warmup.get(block.cell) ?? 0));
  return blocks.flatMap((block, index) => {
    const missing = restOf(block, progressOf(block), index < lastBegun);
    if (missing === undefined) return [];
    const { requests: measured } = progressOf(block);
    const rest = {
      ...block,
      ...missing,
      ...(measured > 0 && { measured }),
      warmup: warmup.get(block.cell) ?? 0,
    };
    warmup.set(block.cell, 0);
    return [rest];
  });
}

function restOf(
  { requests, durationMs }: Block,
  done: BlockProgress,
  isPast: boolean,
): Pick<Block, 'requests' | 'durationMs'> | undefined {
  const left = requests === undefined ? undefined : requests - done.requests;
  if (left !== undefined && left <= 0) return undefined;
  if (durationMs === undefined) return { requests: left };
  if (isPast || done.windowMs >= durationMs) return undefined;
  const rest = { durationMs: durationMs - done.windowMs };
  return left === undefined ? rest : { ...rest, requests: left };
}

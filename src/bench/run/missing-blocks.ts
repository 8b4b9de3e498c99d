import type { Block } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';

/** How much of one block a run has measured. */
export interface BlockProgress {
  requests: number;
  /** From its first request to the end of its last one, without the pauses between the parts of a run. */
  windowMs: number;
}

/** Counts the measured requests of each block from a run's records. */
export interface BlockProgressCounter {
  add(record: RequestRecord, cell: number): void;
  of(block: Pick<Block, 'round' | 'cell'>): BlockProgress;
}

/** An empty counter. */
export function countProgress(): BlockProgressCounter {
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
 * The blocks that a run still has to measure, in the order of the plan. A block with a number of requests is missing those without
 * a record. A block with a duration is complete where a later block was started; the last started one is missing the rest of its
 * time. Measured requests are not repeated: arrivals continue after them. The first missing block of each cell gets the warm-up of
 * the cell, because its connections are new.
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
      measured: measured > 0 ? measured : undefined,
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

import type { RequestRecord } from '../../model/record.ts';
import type { BlockOverlap } from '../../model/shard-report.ts';

interface Window {
  fromMs: number;
  toMs: number;
}

/** How far the shards of a run measured each block at the same time. */
export interface Overlaps {
  /** `cell`: the index of the record's cell in the plan. The record's marks count from the start of the merged run. */
  add(record: RequestRecord, shard: number, cell: number): void;
  /** The block with the least overlap; null without a record. */
  least(): BlockOverlap | null;
}

/** For a run of this many shards. */
export function createOverlaps(shards: number): Overlaps {
  const blocks = new Map<string, { round: number; cell: number; windows: Map<number, Window> }>();
  return {
    add({ round, marks: { started, end = started } }, shard, cell) {
      const key = `${round} ${cell}`;
      let block = blocks.get(key);
      if (block === undefined) {
        block = { round, cell, windows: new Map() };
        blocks.set(key, block);
      }
      const window = block.windows.get(shard);
      if (window === undefined) block.windows.set(shard, { fromMs: started, toMs: end });
      else {
        window.fromMs = Math.min(window.fromMs, started);
        window.toMs = Math.max(window.toMs, end);
      }
    },
    least() {
      let least: BlockOverlap | null = null;
      for (const { round, cell, windows } of blocks.values()) {
        const share = windows.size < shards ? 0 : shareOf([...windows.values()]);
        if (least === null || share < least.share) least = { round, cell, share };
      }
      return least;
    },
  };
}

/** The time that is in all windows, over the time from the first to the last. */
function shareOf(windows: readonly Window[]): number {
  const last = (of: (window: Window) => number) => Math.max(...windows.map(of));
  const first = (of: (window: Window) => number) => Math.min(...windows.map(of));
  const inAll = first(({ toMs }) => toMs) - last(({ fromMs }) => fromMs);
  const inAny = last(({ toMs }) => toMs) - first(({ fromMs }) => fromMs);
  return inAny <= 0 ? 1 : Math.round((Math.max(0, inAll) / inAny) * 1000) / 1000;
}

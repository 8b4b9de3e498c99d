import { createDistribution } from '../../metrics/distribution.ts';
import { isPlannedCancel } from '../../model/behaviour.ts';
import type { CancelNotice } from '../../model/behaviour-report.ts';
import { cellKey } from '../../model/cells.ts';
import type { Cell } from '../../model/plan.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { TruthEntry } from '../../simulator/truth.ts';

/** Collects planned cancels, to look up in the embedded simulator's log when it noticed them. */
export interface CancelNotices {
  add(record: RequestRecord): void;
  /** By cell; empty if no stream of the simulator was cancelled. `originAt`: the origin of the marks. */
  result(log: () => Promise<readonly TruthEntry[]>, originAt: number): Promise<CancelNotice[]>;
}

/** An empty collection for these cells of a plan. */
export function collectCancels(cells: readonly Cell[]): CancelNotices {
  const indexes = new Map(cells.map((cell, index) => [cellKey(cell), index]));
  const cancels: { cell: number; id: string; atMs: number }[] = [];
  return {
    add(record) {
      const id = record.headers?.['x-request-id'];
      const cell = indexes.get(cellKey(record));
      const { end } = record.marks;
      if (id === undefined || cell === undefined || end === undefined || !isPlannedCancel(record)) return;
      cancels.push({ cell, id, atMs: end });
    },
    async result(log, originAt) {
      if (cancels.length === 0) return [];
      const entries = new Map((await log()).map((entry) => [entry.requestId, entry]));
      const found = new Map<number, { delays: ReturnType<typeof createDistribution>; missed: number }>();
      for (const { cell, id, atMs } of cancels) {
        const entry = entries.get(id);
        if (entry === undefined) continue;
        const ofCell = found.get(cell) ?? { delays: createDistribution('ms'), missed: 0 };
        found.set(cell, ofCell);
        if (entry.outcome === 'client_gone') ofCell.delays.add(Math.max(0, entry.endAtMs - originAt - atMs));
        else ofCell.missed += 1;
      }
      return [...found].map(([cell, { delays, missed }]) => {
        const summary = delays.summary();
        return { cell, n: summary?.n ?? 0, p50Ms: summary?.p50 ?? null, maxMs: summary?.max ?? null, missed };
      });
    },
  };
}

import type { BlockLoad } from '../model/load.ts';
import { levelOf } from '../model/load-level.ts';
import type { Block, Cell, RunPlan } from '../model/plan.ts';
import type { Observation, RequestRecord } from '../model/record.ts';
import type { BlockRunner } from './block.ts';

/** Told of what happens, as it happens. Must return at once: it may run on the loop that measures. */
export interface EngineObserver {
  blockStarted?(block: Block, cell: Cell): void;
  /** The last request of the block has ended. */
  blockEnded?(block: Block, cell: Cell): void;
  /** A measured request has ended. */
  recorded(record: RequestRecord, cell: Cell): void;
  /** An unmeasured request has ended. */
  warmedUp?(observation: Observation, cell: Cell): void;
}

/** How a plan was carried out. */
export interface RunOutcome {
  /** False when it was stopped before its end. */
  completed: boolean;
  /** The client's own load, block by block. */
  loads: BlockLoad[];
}

/** Executes a plan, block by block. Resolves when all is done, or stopped by `drain` and what was in flight has ended. */
export async function runPlan(
  plan: RunPlan,
  { runner, observer, drain }: { runner: BlockRunner; observer: EngineObserver; drain: AbortSignal },
): Promise<RunOutcome> {
  const loads: BlockLoad[] = [];
  let seq = 0;
  for (const block of plan.blocks) {
    if (drain.aborted) break;
    const cell = plan.cells[block.cell]!;
    const { target, prompt } = cell;
    observer.blockStarted?.(block, cell);
    const threads = await runner.run(block, cell, {
      warmedUp: (observation) => observer.warmedUp?.(observation, cell),
      recorded(observation) {
        const identity = { seq: seq++, round: block.round, target, prompt, ...levelOf(cell) };
        observer.recorded({ schema: 'streambench/record@1', ...identity, ...observation }, cell);
      },
    });
    loads.push({ round: block.round, cell: block.cell, threads });
    observer.blockEnded?.(block, cell);
  }
  return { completed: !drain.aborted, loads };
}

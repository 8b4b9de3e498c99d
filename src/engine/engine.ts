import { levelOf } from '../model/cells.ts';
import type { BlockLoad } from '../model/load-report.ts';
import type { Block, Cell, RunPlan } from '../model/plan.ts';
import type { Observation, RequestRecord } from '../model/record.ts';
import { type BlockRunner, ThreadLost } from './block.ts';

/** Told of what happens, as it happens. Must return at once: it may run on the loop that measures. */
export interface EngineObserver {
  blockStarted?(block: Block, cell: Cell): void;
  /** The last request of the block has ended. No stream is open: the next block begins when what this returns resolves. */
  blockEnded?(block: Block, cell: Cell): void | Promise<void>;
  /** A measured request has ended. Where a tokenizer is to count, it has not yet, and the texts are in the record. */
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
  /** Why it could not go on; absent where it was done or was asked to stop. */
  failure?: string;
}

/**
 * Executes a plan, block by block. Resolves when all is done, or stopped by `drain` or by the loss of a measuring thread
 * and what was in flight has ended.
 */
export async function runPlan(
  plan: RunPlan,
  { runner, observer, drain }: { runner: BlockRunner; observer: EngineObserver; drain: AbortSignal },
): Promise<RunOutcome> {
  const loads: BlockLoad[] = [];
  let seq = 0;
  for (const block of plan.blocks) {
    if (drain.aborted) break;
    const cell = plan.cells[block.cell]!;
    const { target, prompt, length } = cell;
    observer.blockStarted?.(block, cell);
    const running = runner.run(block, cell, {
      warmedUp: (observation) => observer.warmedUp?.(observation, cell),
      recorded(observation) {
        const identity = {
          seq: seq++,
          round: block.round,
          target,
          prompt,
          ...levelOf(cell),
          ...(length && { length }),
        };
        observer.recorded({ schema: 'streambench/record@1', ...identity, ...observation }, cell);
      },
    });
    const threads = await running.catch(lost);
    if (threads instanceof ThreadLost) return { completed: false, loads, failure: threads.message };
    loads.push({ round: block.round, cell: block.cell, threads });
    await observer.blockEnded?.(block, cell);
  }
  return { completed: !drain.aborted, loads };
}

function lost(error: unknown): ThreadLost {
  if (error instanceof ThreadLost) return error;
  throw error;
}

import { isFinal } from '../model/behaviour.ts';
import { levelOf } from '../model/cells.ts';
import type { BlockUtilization, LoopUtilization } from '../model/load-report.ts';
import type { Block, Cell, RunPlan } from '../model/plan.ts';
import type { Observation, RequestRecord } from '../model/record.ts';
import { type BlockRunner, type OpenWindow, ThreadLost } from './block.ts';

/** Receives the events of a run. Must return at once: it may run on the measuring event loop. */
export interface EngineObserver {
  blockStarted?(block: Block, cell: Cell): void;
  /** Connections are open and the warm-up is done: the block's measured window opens. */
  windowOpened?(window: OpenWindow, block: Block, cell: Cell): void;
  /** The last request of the block has ended, and no stream is open. The next block starts when the result resolves. */
  blockEnded?(block: Block, cell: Cell): void | Promise<void>;
  /** A measured request has ended. If a tokenizer counts its tokens, it has not done so yet, and the record has the texts. */
  recorded(record: RequestRecord, cell: Cell): void;
  /** An unmeasured request has ended. */
  warmedUp?(observation: Observation, cell: Cell): void;
}

/** The result of executing a plan. */
export interface RunOutcome {
  /** False if the run was stopped early, other than by `isEnough`. */
  completed: boolean;
  /** The client's own load, block by block. */
  loads: BlockUtilization[];
  /** Why the run could not continue; absent if it completed or was stopped on request. */
  failure?: string;
}

/** What executes a plan. */
export interface RunPlanDeps {
  runner: BlockRunner;
  observer: EngineObserver;
  /** Aborted: start no more. */
  drain: AbortSignal;
  /** Called after each round but the last one, while no stream is open, with the number of rounds done. True ends the run. */
  isEnough?(rounds: number): boolean;
  /** Called after the blocks of the plan, and after each block that it returned: the next one, or undefined to end the run. */
  next?(loads: readonly BlockUtilization[]): PlannedBlock | undefined;
}

/** A block with its cell. */
export interface PlannedBlock {
  block: Block;
  cell: Cell;
}

/**
 * Executes a plan, block by block. Resolves when all blocks are done, or when the run was stopped by `drain` or by the loss of
 * a measuring thread and no request is in flight.
 */
export async function runPlan(
  plan: RunPlan,
  { runner, observer, drain, isEnough, next }: RunPlanDeps,
): Promise<RunOutcome> {
  const loads: BlockUtilization[] = [];
  const issued = new Map<number, number>();
  let seq = 0;
  for (let index = 0; !drain.aborted; index++) {
    const planned = blockAt(plan, index) ?? next?.(loads);
    if (planned === undefined) break;
    const { block, cell } = planned;
    const stages = stagesOf(block, plan);
    observer.blockStarted?.(block, cell);
    const drawn = issued.get(block.cell) ?? block.drawn ?? 0;
    let started = 0;
    const running = runner.run({ ...block, drawn }, cell, {
      opened: (window) => observer.windowOpened?.(window, block, cell),
      warmedUp: (observation) => observer.warmedUp?.(observation, cell),
      recorded(observation) {
        // A session is drawn as a whole.
        if (isFinal(observation) && (observation.turn?.turn ?? 1) === 1) started += 1;
        const { stage } = observation;
        const own = stage === undefined ? cell : (stages.get(stage)?.cell ?? cell);
        const { target, prompt, length } = own;
        const identity = {
          seq: seq++,
          round: block.round,
          target,
          prompt,
          ...levelOf(own),
          ...(length && { length }),
        };
        observer.recorded({ schema: 'streambench/record@1', ...identity, ...observation }, own);
      },
    });
    const threads = await running.catch(lost);
    issued.set(block.cell, drawn + started);
    if (threads instanceof ThreadLost) return { completed: false, loads, failure: threads.message };
    loads.push(...loadsOf(block, threads, stages));
    await observer.blockEnded?.(block, cell);
    const following = plan.blocks[index + 1];
    const isRoundEnd = following !== undefined && following.round !== block.round;
    if (isRoundEnd && !drain.aborted && isEnough?.(block.round + 1)) break;
  }
  return { completed: !drain.aborted, loads };
}

function blockAt({ blocks, cells }: RunPlan, index: number): PlannedBlock | undefined {
  const block = blocks[index];
  if (block === undefined) return undefined;
  const cell = cells[block.cell];
  if (cell === undefined) throw new Error(`the plan has no cell ${block.cell}`);
  return { block, cell };
}

/** A stage of a block: its cell, and the cell's index in the plan. */
interface StageCell {
  index: number;
  cell: Cell;
}

/** The stages of a block by name; empty for a load without stages. */
function stagesOf({ phases = [] }: Block, { cells }: RunPlan): ReadonlyMap<string, StageCell> {
  const stages = new Map<string, StageCell>();
  for (const { stage, cell: index } of phases) {
    const cell = index === undefined ? undefined : cells[index];
    if (stage !== undefined && index !== undefined && cell !== undefined) stages.set(stage, { index, cell });
  }
  return stages;
}

/** The load of each stage belongs to its own cell. */
function loadsOf(
  { round, cell }: Block,
  threads: LoopUtilization[],
  stages: ReadonlyMap<string, StageCell>,
): BlockUtilization[] {
  if (stages.size === 0) return [{ round, cell, threads }];
  return [...stages].map(([name, { index }]) => ({
    round,
    cell: index,
    threads: threads.filter(({ stage }) => stage === name),
  }));
}

function lost(error: unknown): ThreadLost {
  if (error instanceof ThreadLost) return error;
  throw error;
}

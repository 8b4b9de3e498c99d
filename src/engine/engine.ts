import { setMaxListeners } from 'node:events';
import type { Clock } from '../model/clock.ts';
import type { Block, Cell, RunPlan } from '../model/plan.ts';
import type { Observation, RequestRecord } from '../model/record.ts';
import { type LoopDeps, runLoop } from './loop.ts';
import { closedLoop } from './pacer.ts';

/** One request as the engine asks for it. */
export interface Job {
  cell: Cell;
  /** When it was due, on the engine's clock. */
  scheduledAt: number;
  /** What the marks count from: the start of the run. */
  originAt: number;
  /** Aborted: end it now. */
  signal: AbortSignal;
}

/** Sends requests for the engine. */
export interface Executor {
  /** Never rejects: a failure is in the observation. */
  send(job: Job): Promise<Observation>;
  /** Opens connections to a target ahead of need; resolves also when that fails, for the requests will tell. */
  warm(target: string, connections: number): Promise<void>;
}

/** Told of what happens, as it happens. Must return at once: it runs on the loop that measures. */
export interface EngineObserver {
  blockStarted?(block: Block, cell: Cell): void;
  /** The last request of the block has ended. */
  blockEnded?(block: Block, cell: Cell): void;
  /** A measured request has ended. */
  recorded(record: RequestRecord, cell: Cell): void;
  /** An unmeasured request has ended. */
  warmedUp?(observation: Observation, cell: Cell): void;
}

/** How to end a run before it is done. */
export interface StopSignals {
  /** Issue no more; wait for what is in flight. */
  drain: AbortSignal;
  /** End what is in flight as well. */
  kill: AbortSignal;
}

/** What the engine needs from outside. */
export interface EngineDeps {
  clock: Clock;
  sleep: LoopDeps['sleep'];
  executor: Executor;
  observer: EngineObserver;
  signals: StopSignals;
  /** The start of the run on the clock; marks count from it. */
  originAt: number;
}

/**
 * Executes a plan, block by block. Resolves when all is done or stopped; `completed` is false when the plan was not
 * carried out to its end.
 */
export async function runPlan(plan: RunPlan, deps: EngineDeps): Promise<{ completed: boolean }> {
  const { clock, sleep, executor, observer, signals, originAt } = deps;
  const loop: LoopDeps = { clock, sleep, stop: signals.drain };
  let seq = 0;
  // Every request in flight listens to it.
  setMaxListeners(0, signals.kill);
  for (const block of plan.blocks) {
    if (signals.drain.aborted) return { completed: false };
    const cell = plan.cells[block.cell]!;
    const { concurrency } = cell;
    observer.blockStarted?.(block, cell);
    const send = (scheduledAt: number) =>
      executor.send({ cell, scheduledAt, originAt, signal: signals.kill });

    await executor.warm(cell.target, concurrency);
    await runLoop(
      closedLoop({ concurrency, requests: block.warmup }),
      async (_index, scheduledAt) => observer.warmedUp?.(await send(scheduledAt), cell),
      loop,
    );
    await runLoop(
      closedLoop({ concurrency, requests: block.requests, durationMs: block.durationMs }),
      async (_index, scheduledAt) => {
        const number = seq++;
        const observation = await send(scheduledAt);
        observer.recorded(
          {
            schema: 'streambench/record@1',
            seq: number,
            round: block.round,
            target: cell.target,
            prompt: cell.prompt,
            concurrency,
            ...observation,
          },
          cell,
        );
      },
      loop,
    );
    observer.blockEnded?.(block, cell);
  }
  return { completed: !signals.drain.aborted };
}

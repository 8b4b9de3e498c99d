import { setMaxListeners } from 'node:events';
import { WindowOver } from '../client/outcome/evidence.ts';
import type { LoopUtilization } from '../model/load-report.ts';
import type { Course } from './course.ts';
import type { LoadMonitor } from './load-monitor.ts';
import type { LoopDeps } from './loop.ts';

/** Parts of a block's window: its end, and the client's load in it. */

/** Ends the requests of a window that are still in flight when its grace is over. */
export interface Cutting {
  /** For the requests of the window. Also aborted by the run's `kill`. */
  signal: AbortSignal;
  /** True once the grace is over: requests were cut. */
  readonly isOver: boolean;
  /** No request is in flight any more. */
  stop(): void;
}

/** Cuts what is in flight `graceMs` after `endsAt`. Without a grace or an end nothing is cut. */
export function cutAfter(
  { graceMs, endsAt }: { graceMs: number | undefined; endsAt: number },
  { clock, sleep }: Pick<LoopDeps, 'clock' | 'sleep'>,
  kill: AbortSignal,
): Cutting {
  if (graceMs === undefined || !Number.isFinite(endsAt)) return { signal: kill, isOver: false, stop() {} };
  const over = new AbortController();
  const signal = AbortSignal.any([kill, over.signal]);
  setMaxListeners(0, signal);
  let isStopped = false;
  let wake = () => {};
  const stopped = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const wait = async () => {
    for (let leftMs = endsAt + graceMs - clock.now(); leftMs > 0; leftMs = endsAt + graceMs - clock.now()) {
      await sleep(leftMs, stopped);
      if (isStopped) return;
    }
    over.abort(new WindowOver(graceMs));
  };
  void wait();
  return {
    signal,
    get isOver() {
      return over.signal.aborted;
    },
    stop() {
      isStopped = true;
      wake();
    },
  };
}

/** The load of this thread, by stage. */
export interface StageLoads {
  /** A request of this phase is due. */
  enter(phase: number): void;
  /** Stops measuring. Empty if no counted request was due: the utilization of an empty window is meaningless. */
  stop(): LoopUtilization[];
}

/**
 * Measures the load of this thread from the first counted request on, each stage by itself. Phases that are not counted belong
 * to the one before: its streams may still be open.
 */
export function loadByStage({ phases }: Course, watch: () => LoadMonitor): StageLoads {
  const loads: LoopUtilization[] = [];
  let current: { phase: number; stage?: string; monitor: LoadMonitor } | undefined;
  const stop = () => {
    if (current === undefined) return;
    const { stage, monitor } = current;
    const load = monitor.stop();
    loads.push(stage === undefined ? load : { stage, ...load });
    current = undefined;
  };
  return {
    enter(phase) {
      if (phase === current?.phase) return;
      const { cell, stage } = phases[phase] ?? {};
      if (cell === undefined) return;
      stop();
      current = { phase, stage, monitor: watch() };
    },
    stop() {
      stop();
      return loads;
    },
  };
}

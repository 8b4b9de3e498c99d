import {
  type EventLoopUtilization,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import type { Clock } from '../model/clock.ts';
import type { LoopUtilization } from '../model/load-report.ts';
import { createSlices } from './load-slices.ts';

/** Measures the utilization of this thread, from its start to `stop`. */
export interface LoadMonitor {
  /** Stops measuring and returns the load since the start. */
  stop(): LoopUtilization;
}

// The delay monitor is a timer itself: it reports each delay longer by its resolution.
const RESOLUTION_MS = 10;

// Short enough to resolve a burst of a few tens of milliseconds.
const SLICE_MS = 20;

// A timer of whole milliseconds fires this late on an idle loop.
const TIMER_JITTER_MS = 1.5;

/**
 * Starts measuring this thread's event loop and garbage collection, and the CPU time of the process. Costs a timer every 10 ms
 * and one every 20 ms. `originAt`: the start of the run on the clock.
 */
export function watchLoad(clock: Clock, originAt: number): LoadMonitor {
  const loopBefore = performance.eventLoopUtilization();
  const cpuBefore = process.cpuUsage();
  const startedAt = clock.now();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let gcMs = 0;
  const collect = (entries: readonly { duration: number }[]) => {
    for (const { duration } of entries) gcMs += duration;
  };
  const collector = new PerformanceObserver((list) => collect(list.getEntries()));
  collector.observe({ entryTypes: ['gc'] });

  const slices = createSlices();
  let last = { at: startedAt, loop: loopBefore, turns: turnsOfLoop() };
  const cut = (timed: boolean) => {
    const now = { at: clock.now(), loop: performance.eventLoopUtilization(), turns: turnsOfLoop() };
    const { active, utilization } = performance.eventLoopUtilization(now.loop, last.loop);
    const lengthMs = now.at - last.at;
    // Data read in a turn of the loop arrived since the turn before: a stamp is late by about the length of a turn. One long
    // turn among short ones shows in the timer that it delayed.
    const turnMs = active / Math.max(1, now.turns - last.turns);
    const timerMs = timed ? lengthMs - SLICE_MS - TIMER_JITTER_MS : 0;
    slices.add([lengthMs, utilization * 100, Math.min(lengthMs, Math.max(turnMs, timerMs))]);
    last = now;
  };
  const timer = setInterval(cut, SLICE_MS, true);
  timer.unref();
  return {
    stop() {
      clearInterval(timer);
      cut(false);
      const loop = performance.eventLoopUtilization(loopBefore);
      const cpu = process.cpuUsage(cpuBefore);
      delay.disable();
      collect(collector.takeRecords());
      collector.disconnect();
      return {
        windowMs: loop.active + loop.idle,
        utilization: loop.utilization,
        delayP99Ms: beyondResolution(delay.percentile(99)),
        delayMaxMs: beyondResolution(delay.max),
        gcMs,
        cpuMs: (cpu.user + cpu.system) / 1_000,
        fromMs: Math.round((startedAt - originAt) * 10) / 10,
        slices: slices.all(),
      };
    },
  };
}

function turnsOfLoop(): number {
  // In a worker thread, these are the turns of its own loop.
  return performance.nodeTiming.uvMetricsInfo.loopCount;
}

function beyondResolution(nanoseconds: number): number {
  // In a window shorter than the resolution there is no sample: the percentile is 0.
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}

/**
 * Returns a function with the utilization of an event loop since the previous call, 0 to 1. `read` returns the loop's counters;
 * default: those of this thread.
 */
export function loopUsage(
  read: () => EventLoopUtilization = () => performance.eventLoopUtilization(),
): () => number {
  let last = read();
  return () => {
    const now = read();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return utilization;
  };
}

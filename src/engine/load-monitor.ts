import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import type { Clock } from '../model/clock.ts';
import type { LoopLoad } from '../model/load-report.ts';
import { createSlices } from './load-slices.ts';

/** Watches how busy this thread is, from its start to `stop`. */
export interface LoadMonitor {
  /** The load since the start. Ends the watch. */
  stop(): LoopLoad;
}

// The delay monitor is a timer of its own: it sees each delay as that much longer than it was.
const RESOLUTION_MS = 10;

// Short enough that a burst of some tens of milliseconds is a slice of its own.
const SLICE_MS = 20;

// A timer of whole milliseconds fires this late on an idle loop.
const TIMER_JITTER_MS = 1.5;

/**
 * Starts to watch this thread's event loop, garbage collection and, for the whole process, CPU time. Costs a timer every
 * 10 ms and one every 20 ms. `originAt`: the start of the run on the clock.
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
    // What is read in a turn of the loop arrived since the turn before: a stamp is late by about the length of a turn. One
    // long turn among short ones shows in the timer that it delayed.
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
  // Of a thread that has a loop of its own, these are the turns of that loop.
  return performance.nodeTiming.uvMetricsInfo.loopCount;
}

function beyondResolution(nanoseconds: number): number {
  // Without a single sample its answers are 0 and a huge minimum: a window shorter than the resolution.
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}

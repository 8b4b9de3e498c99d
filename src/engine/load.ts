import { monitorEventLoopDelay, PerformanceObserver, performance } from 'node:perf_hooks';
import type { LoopLoad } from '../model/load.ts';

/** Watches how busy this thread is, from its start to `stop`. */
export interface LoadMonitor {
  /** The load since the start. Ends the watch. */
  stop(): LoopLoad;
}

// The delay monitor is a timer of its own: it sees each delay as that much longer than it was.
const RESOLUTION_MS = 10;

/**
 * Starts to watch this thread's event loop, garbage collection and, for the whole process, CPU time. Costs a timer every
 * 10 ms.
 */
export function watchLoad(): LoadMonitor {
  const loopBefore = performance.eventLoopUtilization();
  const cpuBefore = process.cpuUsage();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let gcMs = 0;
  const collect = (entries: readonly { duration: number }[]) => {
    for (const { duration } of entries) gcMs += duration;
  };
  const collector = new PerformanceObserver((list) => collect(list.getEntries()));
  collector.observe({ entryTypes: ['gc'] });
  return {
    stop() {
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
      };
    },
  };
}

function beyondResolution(nanoseconds: number): number {
  // Without a single sample its answers are 0 and a huge minimum: a window shorter than the resolution.
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}

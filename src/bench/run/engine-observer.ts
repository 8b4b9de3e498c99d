import type { EngineObserver } from '../../engine/engine.ts';
import type { Cell } from '../../model/plan.ts';
import type { Observation } from '../../model/record.ts';
import type { ServersWatch } from '../server-metrics/server-watch.ts';
import type { CancelNotices } from './cancel-notices.ts';
import type { FirstFailures } from './first-failures.ts';
import type { RunRecorder } from './recorder.ts';

/** Passes the engine's events to the parts of the run, and stops the run where a target never succeeds. */
export function engineObserver(parts: {
  servers: ServersWatch;
  recorder: RunRecorder;
  observer: Partial<EngineObserver>;
  cancels: CancelNotices;
  watch: FirstFailures | undefined;
  giveUp: AbortController;
}): EngineObserver {
  const { servers, recorder, observer, cancels, watch, giveUp } = parts;
  const check = (observation: Observation, cell: Cell) => {
    const reason = watch?.add(cell.target, observation);
    if (reason !== undefined) giveUp.abort(reason);
  };
  return {
    blockStarted(block, cell) {
      observer.blockStarted?.(block, cell);
    },
    windowOpened(window, block, cell) {
      servers.begin(block, cell.target);
      observer.windowOpened?.(window, block, cell);
    },
    async blockEnded(block, cell) {
      servers.rest();
      await recorder.blockEnded();
      observer.blockEnded?.(block, cell);
    },
    warmedUp(observation, cell) {
      check(observation, cell);
      observer.warmedUp?.(observation, cell);
    },
    recorded(record, cell) {
      check(record, cell);
      cancels.add(record);
      // A statement of its own: as an argument of the optional call it would be skipped without an observer.
      const kept = recorder.add(record);
      observer.recorded?.(kept, cell);
    },
  };
}

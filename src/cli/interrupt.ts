import type { StopSignals } from '../engine/block.ts';
import { EXIT, type ExitCode } from '../model/errors.ts';
import { formatTimeLimit } from '../model/format.ts';

/** Time for requests in flight to finish after the first signal, in ms. */
const DRAIN_MS = 10_000;

const EXIT_OF = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: EXIT.hungUp,
} as const;
type Stopping = keyof typeof EXIT_OF;
const STOPPING = Object.keys(EXIT_OF) as Stopping[];

/** Maps process signals to abort signals of the run. */
export interface Interrupt {
  signals: StopSignals;
  /** The exit code of the received signal; undefined without a signal. */
  exitCode(): ExitCode | undefined;
  /** Removes the signal handlers. */
  dispose(): void;
}

/**
 * Handles SIGINT, SIGTERM and SIGHUP (terminal closed). The first signal stops new requests and gives those in flight up
 * to 10 s, the second aborts them. Partial results are written in both cases. `say` prints what happens.
 */
export function onInterrupt(say: (message: string) => void): Interrupt {
  const drain = new AbortController();
  const kill = new AbortController();
  let code: ExitCode | undefined;
  let timer: NodeJS.Timeout | undefined;
  const handle = (signal: NodeJS.Signals) => {
    if (code !== undefined) {
      say('stopping now');
      kill.abort('interrupted');
      return;
    }
    code = EXIT_OF[signal as Stopping];
    say(
      `${signal}: waiting up to ${formatTimeLimit(DRAIN_MS)} for requests in flight; send it again to stop now`,
    );
    drain.abort();
    timer = setTimeout(() => kill.abort('interrupted'), DRAIN_MS);
    timer.unref();
  };
  for (const signal of STOPPING) process.on(signal, handle);
  return {
    signals: { drain: drain.signal, kill: kill.signal },
    exitCode: () => code,
    dispose() {
      clearTimeout(timer);
      for (const signal of STOPPING) process.off(signal, handle);
    },
  };
}

/** Resolves when the process is asked to stop. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

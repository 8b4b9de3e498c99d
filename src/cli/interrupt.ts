import type { StopSignals } from '../engine/block.ts';
import { EXIT, type ExitCode } from '../model/errors.ts';
import { formatTimeLimit } from '../model/format.ts';

/** How long requests in flight may take to end after the first signal, in ms. */
export const DRAIN_MS = 10_000;

const EXIT_OF = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: EXIT.hungUp,
} as const;
type Stopping = keyof typeof EXIT_OF;
const STOPPING = Object.keys(EXIT_OF) as Stopping[];

/** Turns the process's signals into the run's. */
export interface Interrupt {
  signals: StopSignals;
  /** The exit code that the signal asks for; undefined when there was none. */
  exitCode(): ExitCode | undefined;
  /** Stops listening. */
  dispose(): void;
}

/**
 * The first SIGINT, SIGTERM or SIGHUP (the terminal was closed) stops issuing and gives what is in flight up to 10 s; the
 * second ends it now. Partial results are written in both cases. `say` is told what is going on.
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
    say(`${signal}: finishing what is in flight (up to ${formatTimeLimit(DRAIN_MS)}); once more to stop now`);
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

import type { Clock } from '../model/clock.ts';
import type { Observation } from '../model/record.ts';
import type { LoopDeps } from './loop.ts';

/** A session of several requests. It holds its slot from its first turn to its last. */
export interface Session {
  /** Sends the next turn. Never rejects. The observation says how many turns are left. */
  send(due: { scheduledAt: number; originAt: number; signal: AbortSignal }): Promise<Observation>;
  /** Time to wait after the end of the last answer. */
  readonly thinkMs: number;
}

/** When and how a session's turns are sent. */
export interface SessionDeps extends LoopDeps {
  clock: Clock;
  originAt: number;
  signal: AbortSignal;
  /** No turn is sent from then on, on the clock. */
  endsAt: number;
}

/**
 * Sends the turns of a session, one after the other, and passes on their observations. A turn that fails ends the session, and so
 * do a stopped run and the end of the window.
 */
export async function runSession(
  session: Session,
  dueAt: number,
  { clock, sleep, stop, originAt, signal, endsAt }: SessionDeps,
  observe: (observation: Observation) => void,
): Promise<void> {
  let scheduledAt = dueAt;
  let endedAt: number | undefined;
  for (;;) {
    const thinkMs = endedAt === undefined ? undefined : clock.now() - endedAt;
    const observation = await session.send({ scheduledAt, originAt, signal });
    endedAt = clock.now();
    const { turn } = observation;
    if (turn !== undefined && thinkMs !== undefined) turn.thinkMs = thinkMs;
    observe(observation);
    if (observation.outcome.kind !== 'ok' || turn === undefined || turn.left === 0) return;
    scheduledAt = endedAt + session.thinkMs;
    if (scheduledAt >= endsAt || !(await reaches(scheduledAt, { clock, sleep, stop }))) return;
  }
}

/** Waits until a time on the clock; false if the run is stopped before. */
async function reaches(at: number, { clock, sleep, stop }: LoopDeps): Promise<boolean> {
  let wake = () => {};
  const stopped = new Promise<void>((resolve) => {
    wake = resolve;
  });
  stop.addEventListener('abort', wake, { once: true });
  try {
    for (let left = at - clock.now(); left > 0 && !stop.aborted; left = at - clock.now()) {
      await sleep(left, stopped);
    }
    return !stop.aborted;
  } finally {
    stop.removeEventListener('abort', wake);
  }
}

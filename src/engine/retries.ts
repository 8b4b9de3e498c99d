import type { Attempt, RetryCause, RetryPolicy } from '../model/behaviour.ts';
import type { Clock } from '../model/clock.ts';
import type { Observation } from '../model/record.ts';
import { createRandom } from '../model/seeded-random.ts';
import type { LoopDeps } from './loop.ts';

/** Sends one attempt of a request; resolves when it has ended. */
export type SendAttempt = () => Promise<Observation>;

/** Dependencies of `sendWithRetries`. */
export interface RetryDeps {
  /** Uniform over [0, 1): the jitter of a wait. */
  random(): number;
  /** Waits; resolves with false where the run was stopped meanwhile. */
  wait(ms: number): Promise<boolean>;
  /** The wall-clock time, for a Retry-After that is a date. */
  wallTime(): Date;
  /** Receives each attempt that was retried, just before the next one is sent. */
  retried(observation: Observation): void;
}

/**
 * Sends a request until an attempt succeeds, fails for another reason, or the retries are used up. Resolves with the last
 * attempt, which has the outcome of the request. A run that is stopped during a wait makes the attempt before it the last one.
 */
async function sendWithRetries(
  send: SendAttempt,
  policy: RetryPolicy,
  { random, wait, wallTime, retried }: RetryDeps,
): Promise<Observation> {
  let attempt: Attempt = { number: 1 };
  for (;;) {
    const observation: Observation = { ...(await send()), attempt };
    if (attempt.number > policy.max || !isRetryable(observation, policy.on)) return observation;
    const asked = retryAfterMs(observation.headers ?? {}, wallTime());
    if (asked !== undefined && asked > policy.maxWaitMs) return observation;
    const waitedMs = asked ?? backoffMs(policy, attempt.number, random());
    if (!(await wait(waitedMs))) return observation;
    retried({ ...observation, attempt: { ...attempt, retried: true } });
    const { scheduled, started, sent } = observation.marks;
    attempt = {
      number: attempt.number + 1,
      first: attempt.first ?? { scheduled, started, sent },
      waitedMs,
      retryAfter: asked === undefined ? undefined : true,
    };
  }
}

/**
 * The wait before the next attempt: `backoffMs`, doubled with each attempt, up to `maxWaitMs`, of which a random half is left
 * out, so that clients that failed together do not come back together. `random`: from 0 to 1.
 */
export function backoffMs(
  { backoffMs: firstMs, maxWaitMs }: RetryPolicy,
  attempt: number,
  random: number,
): number {
  return Math.min(maxWaitMs, firstMs * 2 ** (attempt - 1)) * (0.5 + random / 2);
}

/** True if an attempt failed in one of these ways. An answer that has begun is never requested again. */
function isRetryable(observation: Observation, causes: readonly RetryCause[]): boolean {
  const { outcome, marks, contentEvents } = observation;
  if (outcome.kind === 'ok' || contentEvents > 0) return false;
  return causes.some((cause) => {
    switch (cause) {
      case 'connect':
        return (
          marks.sent === undefined &&
          (outcome.kind === 'network' || (outcome.kind === 'timeout' && outcome.phase === 'connect'))
        );
      case 'reset':
        return outcome.kind === 'network' && marks.sent !== undefined && marks.headers === undefined;
      default:
        return outcome.status === cause || (cause === 429 && outcome.kind === 'rate_limited');
    }
  });
}

/**
 * The wait that a server asks for, in ms; undefined if it does not, or not in a valid form. `retry-after` is a number of
 * seconds or a date, which counts from the response's own `date`, because the clocks may differ; `retry-after-ms` is more
 * precise where it is sent.
 */
export function retryAfterMs(headers: Readonly<Record<string, string>>, now: Date): number | undefined {
  const { 'retry-after': after = '', 'retry-after-ms': ms = '', date } = headers;
  if (/^\d+(\.\d+)?$/.test(ms.trim())) return Number(ms);
  const text = after.trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const until = httpDate(text);
  if (Number.isNaN(until)) return undefined;
  const sentAt = Date.parse(date ?? '');
  return Math.max(0, until - (Number.isNaN(sentAt) ? now.getTime() : sentAt));
}

// Seeds of the waits are far from the seeds of other draws.
const WAIT_SEEDS = 7_368_787;

/** The time of an HTTP date in one of its three forms (RFC 9110); NaN for other texts, of which Date.parse accepts many. */
function httpDate(text: string): number {
  if (/^[A-Z][a-z]{2,8}, .*GMT$/.test(text)) return Date.parse(text);
  // The form of C's asctime has no time zone.
  return /^[A-Z][a-z]{2} [A-Z][a-z]{2} .*\d{4}$/.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
}

/** Sends requests, each with its retries. The waits of a request depend on the seed and on its number only. */
export function retrying(
  policy: RetryPolicy | undefined,
  { seed, clock, wait, stop }: { seed: number; clock: Clock; wait: LoopDeps['sleep']; stop: AbortSignal },
) {
  return async (
    { number = 0, scheduledAt }: { number?: number; scheduledAt: number },
    send: (scheduledAt: number) => Promise<Observation>,
    retried: (attempt: Observation) => void,
  ): Promise<Observation> => {
    if (policy === undefined) return send(scheduledAt);
    const random = createRandom(seed * WAIT_SEEDS + number);
    let dueAt: number | undefined = scheduledAt;
    return sendWithRetries(
      () => {
        const at = dueAt ?? clock.now();
        dueAt = undefined;
        return send(at);
      },
      policy,
      {
        random: () => random.next(),
        wallTime: () => clock.wallTime(),
        retried,
        async wait(ms) {
          if (stop.aborted) return false;
          let onStop = () => {};
          const stopped = new Promise<void>((resolve) => {
            onStop = resolve;
          });
          stop.addEventListener('abort', onStop, { once: true });
          await wait(ms, stopped);
          stop.removeEventListener('abort', onStop);
          return !stop.aborted;
        },
      },
    );
  };
}

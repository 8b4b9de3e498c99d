import * as z from 'zod';
import { ARRIVALS, type LoadLevel } from '../../model/plan.ts';
import { ALWAYS, choice, distinct, duration, list, mapping, positive, whole } from './fields.ts';
import { sweepSchema, sweepSettings } from './sweep.ts';

/** How many requests are sent, and when. */

const DEFAULT_REQUESTS = 20;
const DEFAULT_ROUNDS = 5;
/** A load that one event loop measures without being late. */
const DEFAULT_MAX_CONCURRENCY = 200;

/** The keys of a scenario's `load`, as written. */
export const loadFields = mapping({
  concurrency: z
    .union([whole(1), list(whole(1), 'a list of whole numbers of at least 1').superRefine(distinct)], {
      error: 'a whole number of at least 1, or a list of them such as [1, 4, 16]',
    })
    .transform((value) => (typeof value === 'number' ? [value] : value))
    .optional()
    .describe('Concurrent streams: a number, or a list of load levels. Default: 1.'),
  rate: z
    .union([positive(), list(positive(), 'a list of numbers above 0').superRefine(distinct)], {
      error: 'a number above 0, or a list of them such as [5, 20]',
    })
    .transform((value) => (typeof value === 'number' ? [value] : value))
    .optional()
    .describe(
      'Instead of concurrency: requests per second, or a list of load levels. Requests are sent when due, whether or not earlier ones have finished (open loop).',
    ),
  arrivals: choice(ARRIVALS)
    .optional()
    .describe(
      'With rate: random intervals (poisson), as from independent users, or constant ones. Default: poisson.',
    ),
  maxConcurrency: whole(1)
    .optional()
    .describe(
      `With rate: maximum number of concurrent streams. A request beyond it is not sent and counts as dropped. Default: ${DEFAULT_MAX_CONCURRENCY}.`,
    ),
  requests: whole(1)
    .optional()
    .describe(
      `Measured requests per cell, over all rounds; each round needs at least as many as there are concurrent streams. Default: ${DEFAULT_REQUESTS}, or more if the rounds need more; no limit if duration is set.`,
    ),
  duration: duration()
    .optional()
    .describe('Time limit per cell, over all rounds, such as 30s. After it no more requests are sent.'),
  rounds: whole(1)
    .optional()
    .describe(
      `Number of rounds. Each round measures every cell, so that drift affects all cells alike. Default: ${DEFAULT_ROUNDS}, or fewer if a round had too few requests for the highest concurrency.`,
    ),
  sweep: sweepSchema
    .optional()
    .describe(
      'Instead of load levels: the objectives of a sweep, which searches the largest load that meets them. See docs/sweep.md.',
    ),
  warmup: whole(0).default(1).describe('Unmeasured requests before the first round of each cell.'),
});

/** The parser of a scenario's `load`. */
export const loadSchema = loadFields
  .superRefine((value: unknown, context) => {
    if (typeof value !== 'object' || value === null) return;
    if ('rate' in value && 'concurrency' in value) {
      context.addIssue({
        code: 'custom',
        message: 'the load has concurrency and rate, but only one is allowed',
        params: { hint: 'with rate, use maxConcurrency to limit the concurrent streams' },
      });
    }
    const isByRate = 'rate' in value || (value as { sweep?: { by?: unknown } }).sweep?.by === 'rate';
    for (const key of ['arrivals', 'maxConcurrency']) {
      if (!(key in value) || isByRate) continue;
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `${key} needs rate, which the load does not have`,
        params: { hint: 'with concurrency, a request is sent when an earlier one has finished' },
      });
    }
    if (!('sweep' in value)) return;
    for (const key of ['concurrency', 'rate', 'requests', 'duration', 'rounds']) {
      if (!(key in value)) continue;
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `the load has a sweep, which chooses the load levels, and ${key}`,
        params: { hint: `remove ${key}; load.sweep has start, max, requests and duration of its own` },
      });
    }
  }, ALWAYS)
  .transform(({ duration: durationMs, rounds, warmup, arrivals = 'poisson', ...rest }, context) => {
    const { maxConcurrency = DEFAULT_MAX_CONCURRENCY } = rest;
    const sweep = rest.sweep && sweepSettings(rest.sweep, { maxConcurrency, arrivals });
    const { rate = sweep?.by === 'rate' ? [sweep.start] : undefined, concurrency = [sweep?.start ?? 1] } =
      rest;
    const levels: LoadLevel[] = rate
      ? rate.map((one) => ({ concurrency: maxConcurrency, rate: one }))
      : concurrency.map((one) => ({ concurrency: one }));
    // A round of 4 requests cannot keep 8 streams open, so the cell would not reach its load level.
    const least = rate ? 1 : Math.max(...concurrency);
    const enough = Math.max(DEFAULT_REQUESTS, least * (rounds ?? 1));
    const requests = rest.requests ?? (durationMs === undefined ? enough : undefined);
    const fitting = requests === undefined ? Number.POSITIVE_INFINITY : Math.floor(requests / least);
    // With one stream, the plan reduces the rounds to the number of requests.
    if (requests !== undefined && least > 1 && fitting < (rounds ?? 1))
      context.addIssue(tooFew(requests, least, rounds ?? 1));
    return {
      levels,
      arrivals,
      requests,
      durationMs,
      rounds: rounds ?? Math.max(1, Math.min(DEFAULT_ROUNDS, fitting)),
      warmup,
      sweep,
    };
  });

function tooFew(requests: number, streams: number, rounds: number) {
  const share = Math.floor(requests / rounds);
  const round = rounds === 1 ? 'the round' : `a round of ${rounds}`;
  const fewerRounds = Math.floor(requests / streams);
  const ways = [
    `requests: ${streams * rounds}${rounds === 1 ? '' : ` (${streams} in each of ${rounds} rounds)`}`,
    ...(fewerRounds > 0 ? [`rounds: ${fewerRounds}`] : []),
    ...(share > 0 ? [`a concurrency of at most ${share}`] : []),
  ];
  return {
    code: 'custom' as const,
    path: ['requests'],
    message: `${requests} ${requests === 1 ? 'request is' : 'requests are'} too few for ${streams} concurrent streams: ${round} has ${share} per cell`,
    params: { hint: `use ${ways.join(', or ')}` },
  };
}

import * as z from 'zod';
import { ARRIVALS, BURSTINESS, DEFAULT_GRACE_MS, type LoadLevel } from '../../model/plan.ts';
import {
  ALWAYS,
  choice,
  distinct,
  duration,
  type IssueSink,
  list,
  mapping,
  number,
  positive,
  whole,
} from './fields.ts';
import { stageLevels, stageList, stagesOf } from './stages.ts';
import { sweepSchema, sweepSettings } from './sweep.ts';
import { traceSchema } from './trace.ts';

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
      'With a rate: random intervals (poisson), as from independent users, constant ones, or random ones of a given burstiness (gamma). Default: poisson, or gamma if burstiness is set.',
    ),
  burstiness: number(BURSTINESS.min, BURSTINESS.max)
    .optional()
    .describe(
      'For arrivals: gamma: the shape of the distribution of intervals, as in vLLM bench. 1 is poisson; smaller is burstier, larger more regular.',
    ),
  maxConcurrency: whole(1)
    .optional()
    .describe(
      `With a rate: maximum number of concurrent streams. A request beyond it is not sent and counts as dropped. Default: ${DEFAULT_MAX_CONCURRENCY}.`,
    ),
  requests: whole(1)
    .optional()
    .describe(
      `Measured requests per cell, over all rounds; each round needs at least as many as there are concurrent streams. Default: ${DEFAULT_REQUESTS}, or more if the rounds need more; no limit if duration is set.`,
    ),
  duration: duration()
    .optional()
    .describe(
      'Time limit per cell, over all rounds, such as 30s. After it no more requests are sent, and those in flight get the grace.',
    ),
  grace: duration({ zero: true })
    .optional()
    .describe(
      `With duration or stages: how long the requests in flight may continue when the time of a round is over. Then they are cut, which is neither a success nor a failure. Default: ${DEFAULT_GRACE_MS / 1000}s.`,
    ),
  rounds: whole(1)
    .optional()
    .describe(
      `Number of rounds. Each round measures every cell, so that drift affects all cells alike. Default: ${DEFAULT_ROUNDS}, or fewer if a round had too few requests for the highest concurrency; 1 with stages.`,
    ),
  warmup: z
    .union([whole(0), duration().transform((ms) => ({ ms }))], {
      error: 'a number of requests of at least 0, or a duration such as 5s',
    })
    .default(1)
    .describe(
      'Unmeasured requests before the first round of each cell; or a duration, such as 5s, in which the full load is offered before the measured time of each round.',
    ),
  rampUp: duration()
    .optional()
    .describe(
      'Time in which the load rises linearly to its level, before the measured time of each round. Its requests are not counted.',
    ),
  coolDown: duration()
    .optional()
    .describe(
      'With duration: time in which the load continues after the measured time of each round, so that the last measured requests see the full load. Its requests are not counted.',
    ),
  stages: stageList
    .optional()
    .describe(
      'Instead of rate or concurrency: a list of stages, which follow each other without a pause. Each has a rate or a concurrency, constant or as a ramp, and cells of its own.',
    ),
  sweep: sweepSchema
    .optional()
    .describe(
      'Instead of load levels: the objectives of a sweep, which searches the largest load that meets them. See docs/sweep.md.',
    ),
  trace: traceSchema
    .optional()
    .describe(
      'Instead of load levels: the arrivals of a recorded trace, of a public one or of an earlier run. See docs/traces.md.',
    ),
});

/** The parser of a scenario's `load`. */
export const loadSchema = loadFields
  .superRefine((value: unknown, context) => {
    if (typeof value === 'object' && value !== null) contradictions(value, context);
  }, ALWAYS)
  .transform((fields, context) => {
    const { duration: durationMs, warmup, rampUp: rampUpMs, coolDown: coolDownMs, burstiness } = fields;
    const { maxConcurrency = DEFAULT_MAX_CONCURRENCY } = fields;
    const arrivals = fields.arrivals ?? (burstiness === undefined ? 'poisson' : 'gamma');
    const sweep = fields.sweep && sweepSettings(fields.sweep, { maxConcurrency, arrivals, burstiness });
    const { rate = sweep?.by === 'rate' ? [sweep.start] : undefined } = fields;
    const { concurrency = [sweep?.start ?? 1] } = fields;
    const staged = fields.stages && stagesOf(fields.stages, context);
    const levels: LoadLevel[] = staged
      ? stageLevels(staged, maxConcurrency)
      : fields.trace
        ? // Its rate and its number of requests are known when the file was read: see `withTrace`.
          [{ concurrency: maxConcurrency, rate: 1 }]
        : rate
          ? rate.map((one) => ({ concurrency: maxConcurrency, rate: one }))
          : concurrency.map((one) => ({ concurrency: one }));
    // A round of 4 requests cannot keep 8 streams open, so the cell would not reach its load level.
    const least = rate ? 1 : Math.max(...concurrency);
    const enough = Math.max(DEFAULT_REQUESTS, least * (fields.rounds ?? 1));
    const isTimed = durationMs !== undefined || staged !== undefined;
    const requests = fields.trace ? 1 : (fields.requests ?? (isTimed ? undefined : enough));
    const fitting = requests === undefined ? Number.POSITIVE_INFINITY : Math.floor(requests / least);
    // With one stream, the plan reduces the rounds to the number of requests.
    if (requests !== undefined && least > 1 && fitting < (fields.rounds ?? 1))
      context.addIssue(tooFew(requests, least, fields.rounds ?? 1));
    return {
      levels,
      stages: staged?.stages,
      arrivals,
      burstiness,
      requests,
      durationMs,
      // Undefined: the default, which depends on how long streams are read.
      graceMs: fields.grace,
      // Stages are a course of events that is repeated only on request.
      rounds: fields.rounds ?? (staged || fields.trace ? 1 : Math.max(1, Math.min(DEFAULT_ROUNDS, fitting))),
      warmup: typeof warmup === 'number' ? warmup : 0,
      warmupMs: typeof warmup === 'number' ? undefined : warmup.ms,
      rampUpMs,
      coolDownMs,
      sweep,
      trace: fields.trace,
    };
  });

/** Adds an issue for each key that contradicts another one or lacks one. */
function contradictions(value: object, context: IssueSink): void {
  const refuse = (message: string, hint: string, key?: string) =>
    context.addIssue({ code: 'custom', path: key === undefined ? [] : [key], message, params: { hint } });
  const has = (key: string) => key in value;
  const { arrivals, burstiness, stages, sweep, warmup } = value as Record<string, unknown>;
  if (sweep !== undefined) {
    for (const key of SWEEP_CHOOSES) {
      if (!has(key)) continue;
      const message = `the load has a sweep, which chooses the load levels, and ${key}`;
      refuse(message, `remove ${key}; load.sweep has start, max, requests and duration of its own`, key);
    }
    if (isMapping(warmup))
      refuse('a sweep is warmed up by a number of requests', 'use warmup: 4, for example', 'warmup');
  }
  if (stages !== undefined && sweep === undefined) {
    for (const key of ['rate', 'concurrency', 'requests', 'duration', 'rampUp', 'coolDown']) {
      if (!has(key)) continue;
      refuse(
        `${key} cannot be combined with stages`,
        STAGES_INSTEAD[key] ?? 'put the load into the stages',
        key,
      );
    }
  } else if (has('rate') && has('concurrency') && sweep === undefined) {
    refuse(
      'the load has concurrency and rate, but only one is allowed',
      'with rate, use maxConcurrency to limit the concurrent streams',
    );
  }
  if (has('trace')) {
    for (const key of TRACE_SAYS) {
      if (!has(key)) continue;
      refuse(
        `the load has a trace, which says when requests are sent, and ${key}`,
        `remove ${key}; load.trace has speed and limit`,
        key,
      );
    }
    if (isMapping(warmup))
      refuse('a trace is warmed up by a number of requests', 'use warmup: 4, for example', 'warmup');
    return;
  }
  const hasRates =
    has('rate') ||
    (isMapping(sweep) && 'by' in sweep && sweep.by === 'rate') ||
    (Array.isArray(stages) && stages.some((stage) => isMapping(stage) && 'rate' in stage));
  for (const key of ['arrivals', 'burstiness', 'maxConcurrency']) {
    if (!has(key) || hasRates) continue;
    refuse(
      `${key} needs rate, which the load does not have`,
      'with concurrency, a request is sent when an earlier one has finished',
      key,
    );
  }
  if (arrivals === 'gamma' && !has('burstiness'))
    refuse('arrivals: gamma needs burstiness', 'add burstiness: 0.5, for example; 1 is poisson', 'arrivals');
  if (burstiness !== undefined && arrivals !== undefined && arrivals !== 'gamma')
    refuse(`burstiness has no meaning with arrivals: ${arrivals}`, 'use arrivals: gamma', 'burstiness');
  if (has('coolDown') && stages === undefined && (!has('duration') || has('requests')))
    refuse(
      'coolDown needs a measured time of fixed length',
      'use duration, without requests; with requests, the load ends with the last one',
      'coolDown',
    );
  if (has('grace') && stages === undefined && !has('duration'))
    refuse('grace needs duration', 'without a time limit, all requests run to their end', 'grace');
}

/** The keys that a load with a trace does not take. */
const TRACE_SAYS = [
  ...['concurrency', 'rate', 'arrivals', 'burstiness', 'requests'],
  ...['stages', 'sweep', 'rampUp', 'coolDown'],
];

/** The keys that a load with a sweep does not take: the sweep decides on them. */
export const SWEEP_CHOOSES = [
  ...['concurrency', 'rate', 'requests', 'duration', 'rounds'],
  ...['stages', 'rampUp', 'coolDown', 'grace'],
];

const STAGES_INSTEAD: Readonly<Record<string, string>> = {
  requests: 'stages are limited by time: set the duration of each stage',
  duration: 'set the duration of each stage',
  rampUp: 'add a first stage with a ramp and measured: false',
  coolDown: 'add a last stage with measured: false',
};

function isMapping(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

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

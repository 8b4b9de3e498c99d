import * as z from 'zod';
import { SWEEP_AXES, type SweepSettings } from '../../model/sweep.ts';
import { ALWAYS, choice, duration, type IssueSink, list, mapping, positive, text, whole } from './fields.ts';

/** The settings of a sweep in a scenario's `load`. */

const DEFAULTS = {
  /** Streams, or requests per second. */
  max: { concurrency: 256, rate: 1000 },
  start: 1,
  precision: 0.05,
  repeats: 8,
  budgetMs: 30 * 60_000,
} as const;

const A_PRECISION = 'a percentage from 1% to 50%, such as 5%';

/** The parser of `load.sweep`. */
export const sweepSchema = mapping({
  slo: list(text('an objective such as ttft.p95 < 800ms'), 'a list of objectives').describe(
    'The objectives: thresholds such as "ttft.p95 < 800ms" that each measured load level must meet.',
  ),
  by: choice(SWEEP_AXES)
    .default('concurrency')
    .describe(
      'What is raised: concurrency (streams at once) or rate (requests per second). Default: concurrency.',
    ),
  start: positive().default(DEFAULTS.start).describe(`The first load level. Default: ${DEFAULTS.start}.`),
  max: positive()
    .optional()
    .describe(
      `The highest load level. Default: ${DEFAULTS.max.concurrency} streams, or ${DEFAULTS.max.rate} requests per second.`,
    ),
  precision: z
    .string({ error: A_PRECISION })
    .regex(/^\d+(\.\d+)?\s*%$/, { error: A_PRECISION })
    .transform((value) => Number.parseFloat(value) / 100)
    .refine((share) => share >= 0.01 && share <= 0.5, { error: A_PRECISION })
    .optional()
    .describe('How close the levels on both sides of the edge must be. Default: 5%.'),
  repeats: whole(2)
    .default(DEFAULTS.repeats)
    .describe(`Most measurements of one load level. Default: ${DEFAULTS.repeats}.`),
  requests: whole(1)
    .optional()
    .describe('Judged requests per measurement. Default: as many as the objectives need.'),
  duration: duration()
    .optional()
    .describe('Longest time of a measurement; by rate, its length. Default: by the objectives.'),
  budget: duration()
    .optional()
    .describe('Time limit of the whole sweep. After it no measurement is started. Default: 30m.'),
}).superRefine((value: unknown, context) => inOrder(value, context), ALWAYS);

function inOrder(value: unknown, context: IssueSink): void {
  const {
    by,
    start = DEFAULTS.start,
    max,
  } = (value ?? {}) as { by?: unknown; start?: unknown; max?: unknown };
  if (typeof start === 'number' && typeof max === 'number' && max < start)
    context.addIssue({ code: 'custom', path: ['max'], message: 'max is less than start', params: {} });
  if (by === 'rate') return;
  for (const [key, level] of [
    ['start', start],
    ['max', max],
  ] as const) {
    if (typeof level === 'number' && !Number.isInteger(level))
      context.addIssue({
        code: 'custom',
        path: [key],
        message: `${key} is not a whole number of streams`,
        params: { hint: 'use a whole number, or by: rate' },
      });
  }
}

/** The settings of a sweep, with the parts that the rest of the load sets. */
export function sweepSettings(
  sweep: z.output<typeof sweepSchema>,
  { maxConcurrency, arrivals, burstiness }: Pick<SweepSettings, 'maxConcurrency' | 'arrivals' | 'burstiness'>,
): SweepSettings {
  const { by, slo, start, max = Math.max(start, DEFAULTS.max[by]), precision = DEFAULTS.precision } = sweep;
  const { repeats, requests, duration: durationMs, budget: budgetMs = DEFAULTS.budgetMs } = sweep;
  return {
    by,
    slo,
    start,
    max,
    precision,
    repeats,
    requests,
    durationMs,
    budgetMs,
    maxConcurrency,
    arrivals,
    burstiness,
  };
}

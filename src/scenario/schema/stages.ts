import * as z from 'zod';
import type { LoadLevel } from '../../model/plan.ts';
import {
  distinctNames,
  duration,
  flag,
  type IssueSink,
  list,
  mapping,
  number,
  positive,
  text,
  whole,
} from './fields.ts';

/** The stages of a load: they follow each other without a pause, and each has figures of its own. */

const A_RATE = 'a number above 0, or a ramp such as { from: 5, to: 50 }';
const A_CONCURRENCY = 'a whole number of at least 1, or a ramp such as { from: 1, to: 16 }';

const fromRate = () => number(0).describe('Requests per second at the start of the stage.');
const toRate = () => number(0).describe('Requests per second at its end. The rate changes linearly.');
const fromStreams = () => whole(1).describe('Concurrent streams at the start of the stage.');
const toStreams = () => whole(1).describe('Concurrent streams at its end. The number changes linearly.');

const stageSchema = mapping({
  name: text()
    .optional()
    .describe('The name in tables, records and thresholds ({stage=NAME}). Default: its number, from 1.'),
  rate: z
    .union([positive(), mapping({ from: fromRate(), to: toRate() })], { error: A_RATE })
    .optional()
    .describe('Requests per second (open loop): a number, or a linear ramp { from, to }.'),
  concurrency: z
    .union([whole(1), mapping({ from: fromStreams(), to: toStreams() })], { error: A_CONCURRENCY })
    .optional()
    .describe('Instead of rate: concurrent streams (closed loop), a number or a linear ramp { from, to }.'),
  duration: duration().optional().describe('Length of the stage, such as 30s.'),
  until: duration()
    .optional()
    .describe('Instead of duration: when the stage ends, counted from the start of the first one.'),
  measured: flag()
    .default(true)
    .describe('false: the requests of this stage are sent but not counted, as for warm-up and cool-down.'),
});

type StageFields = z.output<typeof stageSchema>;

/** The parser of a load's `stages`, as written. */
export const stageList = list(stageSchema, 'a list of stages such as { rate: 5, duration: 30s }').superRefine(
  distinctNames('stages'),
);

/** One stage of a load. */
export interface Stage {
  name: string;
  durationMs: number;
  /** Requests per second or concurrent streams, at its start and its end. */
  from: number;
  to: number;
  measured: boolean;
}

/** The stages of a load, in order. */
export interface StagedLoad {
  /** True for rates: an open loop. */
  isOpen: boolean;
  stages: readonly Stage[];
}

/** Reads the stages; adds an issue for each one that contradicts itself or the others. */
export function stagesOf(fields: readonly StageFields[], context: IssueSink): StagedLoad {
  const isOpen = fields.some(({ rate }) => rate !== undefined);
  let endMs = 0;
  const stages = fields.map((stage, index): Stage => {
    const { name = String(index + 1), measured } = stage;
    const problem = (message: string, hint: string, key?: string) =>
      context.addIssue({
        code: 'custom',
        path: ['stages', index, ...(key === undefined ? [] : [key])],
        message,
        params: { hint },
      });
    const level = levelIn(stage, isOpen, problem);
    const durationMs = durationIn(stage, endMs, problem);
    endMs += durationMs;
    return { name, durationMs, ...level, measured };
  });
  if (fields.length > 0 && !stages.some(({ measured }) => measured)) {
    context.addIssue({
      code: 'custom',
      path: ['stages'],
      message: 'no stage is measured',
      params: { hint: 'remove measured: false from at least one stage' },
    });
  }
  const names = stages.map(({ name }) => name);
  for (const [index, { name }] of stages.entries()) {
    // Names that are equal as written are reported by the list itself.
    if (names.indexOf(name) === index || fields[index]?.name !== undefined) continue;
    context.addIssue({
      code: 'custom',
      path: ['stages', index],
      message: `two stages have the name ${JSON.stringify(name)}, which is the number of this one`,
      params: { hint: 'give this stage a name' },
    });
  }
  return { isOpen, stages };
}

/** The load levels of the measured stages. */
export function stageLevels({ isOpen, stages }: StagedLoad, maxConcurrency: number): LoadLevel[] {
  return stages
    .filter(({ measured }) => measured)
    .map(({ name, from, to }) => {
      const level: LoadLevel = isOpen
        ? { concurrency: maxConcurrency, rate: to, stage: name }
        : { concurrency: to, stage: name };
      if (from !== to) level.from = from;
      return level;
    });
}

type Report = (message: string, hint: string, key?: string) => void;

function levelIn(
  { rate, concurrency }: StageFields,
  isOpen: boolean,
  problem: Report,
): Pick<Stage, 'from' | 'to'> {
  if (rate !== undefined && concurrency !== undefined)
    problem(
      'the stage has rate and concurrency, but only one is allowed',
      'use rate in all stages, or concurrency in all',
    );
  else if (rate === undefined && concurrency === undefined)
    problem('the stage has no load', 'add rate: 5 (requests per second) or concurrency: 4 (streams)');
  else if (isOpen && rate === undefined)
    problem(
      'the stage has concurrency, but other stages have rate',
      'use rate in all stages, or concurrency in all',
    );
  const level = rate ?? concurrency ?? 1;
  const ramp = typeof level === 'number' ? { from: level, to: level } : level;
  if (ramp.from === 0 && ramp.to === 0)
    problem('the rate is 0 for the whole stage', 'a ramp may start or end at 0, but not both', 'rate');
  return ramp;
}

function durationIn({ duration: durationMs, until }: StageFields, startMs: number, problem: Report): number {
  if (durationMs !== undefined && until !== undefined)
    problem(
      'the stage has duration and until, but only one is allowed',
      'use exactly one of duration and until',
    );
  if (durationMs !== undefined) return durationMs;
  if (until === undefined) {
    problem(
      'the stage has no length',
      'add duration: 30s, or until: 1m30s (from the start of the first stage)',
    );
    return 0;
  }
  if (until > startMs) return until - startMs;
  problem(
    `the stage ends at ${until / 1000}s, but the one before it ends at ${startMs / 1000}s`,
    'stages follow each other: until must be later in each one; use duration for the length of a stage',
    'until',
  );
  return 0;
}

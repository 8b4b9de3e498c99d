import { UserError } from '../../model/errors.ts';
import type { Shard } from '../../model/shard.ts';

/** The variables in which a scheduler numbers its tasks. */
interface Scheduler {
  name: string;
  /** The variable with the task's number. */
  index: string;
  /** The number of the first task, or the variable that has it. */
  first: number | string;
  /** The variable with the step between two tasks. Default: 1. */
  step?: string;
  /** The variable with the number of tasks. */
  count?: string;
  /** The variable that is the same in all tasks of one job, and in no other job. */
  group?: string;
}

/**
 * Each as its documentation has it. Kubernetes does not pass the number of completions, and a Slurm array may start at any
 * number and have a step.
 */
const SCHEDULERS: readonly Scheduler[] = [
  { name: 'Kubernetes Indexed Job', index: 'JOB_COMPLETION_INDEX', first: 0 },
  {
    name: 'Slurm array',
    index: 'SLURM_ARRAY_TASK_ID',
    first: 'SLURM_ARRAY_TASK_MIN',
    step: 'SLURM_ARRAY_TASK_STEP',
    count: 'SLURM_ARRAY_TASK_COUNT',
    group: 'SLURM_ARRAY_JOB_ID',
  },
  {
    name: 'AWS Batch array',
    index: 'AWS_BATCH_JOB_ARRAY_INDEX',
    first: 0,
    count: 'AWS_BATCH_JOB_ARRAY_SIZE',
    group: 'AWS_BATCH_JOB_ID',
  },
  {
    name: 'Cloud Run job',
    index: 'CLOUD_RUN_TASK_INDEX',
    first: 0,
    count: 'CLOUD_RUN_TASK_COUNT',
    group: 'CLOUD_RUN_EXECUTION',
  },
  {
    name: 'GitLab CI parallel job',
    index: 'CI_NODE_INDEX',
    first: 1,
    count: 'CI_NODE_TOTAL',
    group: 'CI_PIPELINE_ID',
  },
  { name: 'CircleCI parallel job', index: 'CIRCLE_NODE_INDEX', first: 0, count: 'CIRCLE_NODE_TOTAL' },
];

/** The number of shards, where neither the flag nor the scheduler has it. */
export const SHARDS_VARIABLE = 'STREAMBENCH_SHARDS';
/** A text that only the shards of one run share, where the scheduler has none. */
export const GROUP_VARIABLE = 'STREAMBENCH_SHARD_GROUP';

/** A shard as the command line and the environment define it. */
export interface ChosenShard extends Shard {
  /** Where its number comes from: `--shard`, or the scheduler's variable. */
  from: string;
  /** The same in all shards of one run; absent if unknown. */
  group?: string;
}

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The shard of `--shard`: `2/4` (from 1), or `auto` and `auto/4` for the number that a scheduler gave this task. Throws a
 * `UserError` (`usage`).
 */
export function chosenShard(text: string, env: Env): ChosenShard {
  const [, number, of] = /^(?:(\d+)|auto)(?:\/(\d+))?$/.exec(text) ?? [];
  const group = present(env[GROUP_VARIABLE]);
  if (number === undefined) return scheduledShard(env, of === undefined ? undefined : Number(of));
  return { ...checked(Number(number), Number(of), `--shard ${text}`), from: '--shard', group };
}

function scheduledShard(env: Env, given: number | undefined): ChosenShard {
  const found = SCHEDULERS.filter(({ index }) => present(env[index]) !== undefined);
  const [scheduler, other] = found;
  if (scheduler === undefined) {
    throw refused(
      '--shard auto: no scheduler has numbered this task',
      `set one of ${SCHEDULERS.map(({ index }) => index).join(', ')}, or use --shard NUMBER/COUNT`,
    );
  }
  if (other !== undefined) {
    throw refused(
      `--shard auto: the environment has numbers of two schedulers, ${found.map(({ index }) => `${index}=${env[index]}`).join(' and ')}`,
      'use --shard NUMBER/COUNT',
    );
  }
  const { index, first, step, count, group } = scheduler;
  const of =
    given ?? wholeOf(env, SHARDS_VARIABLE) ?? (count === undefined ? undefined : wholeOf(env, count));
  if (of === undefined) {
    throw refused(
      `--shard auto: ${index} is set, but the number of shards is not known`,
      `use --shard auto/COUNT, or set ${SHARDS_VARIABLE}${count === undefined ? '' : ` or ${count}`}`,
    );
  }
  const lowest = typeof first === 'number' ? first : (wholeOf(env, first) ?? 0);
  const stride = (step === undefined ? undefined : wholeOf(env, step)) ?? 1;
  const position = ((wholeOf(env, index) ?? 0) - lowest) / stride;
  if (!Number.isInteger(position)) {
    throw refused(
      `--shard auto: the tasks of this ${scheduler.name} are not numbered evenly (${index}=${env[index]})`,
      'use a range without gaps, such as 1-4, or --shard NUMBER/COUNT',
    );
  }
  return {
    ...checked(position + 1, of, `${index}=${env[index]} (counted from ${lowest})`),
    from: index,
    group: present(env[GROUP_VARIABLE]) ?? groupOf(group === undefined ? undefined : env[group]),
  };
}

// AWS appends the child's index to the id of the array job.
function groupOf(value: string | undefined): string | undefined {
  return present(value?.replace(/:\d+$/, ''));
}

function checked(number: number, of: number, from: string): Shard {
  if (of < 1) throw refused(`${from}: the number of shards is 0`, 'use at least 1, such as --shard 1/4');
  if (number < 1 || number > of) {
    const many = of === 1 ? '1 shard' : `${of} shards`;
    throw refused(`${from}: there is no shard ${number} of ${many}`, `shards are numbered from 1 to ${of}`);
  }
  return { number, of };
}

function wholeOf(env: Env, name: string): number | undefined {
  const text = present(env[name]);
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw refused(
    `--shard auto: ${name} is ${JSON.stringify(text)}, not a whole number`,
    'use --shard NUMBER/COUNT',
  );
}

function present(value: string | undefined): string | undefined {
  return value === undefined || value === '' ? undefined : value;
}

function refused(message: string, hint: string): UserError {
  return new UserError('usage', { message, hint });
}

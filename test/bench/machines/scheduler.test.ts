import { describe, expect, test } from 'vitest';
import { chosenShard } from '../../../src/bench/machines/scheduler.ts';
import { UserError } from '../../../src/model/errors.ts';

function refusal(text: string, env: Record<string, string> = {}): string {
  try {
    chosenShard(text, env);
  } catch (error) {
    if (error instanceof UserError)
      return `${error.code}: ${error.problems.map(({ message, hint }) => `${message} (${hint})`)}`;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('--shard', () => {
  test('2/4 counts from 1', () => {
    expect(chosenShard('2/4', {})).toEqual({ number: 2, of: 4, from: '--shard', group: undefined });
  });

  // The numbers of the first and of the last of four tasks, as each scheduler's documentation has them.
  test.each([
    ['Kubernetes', { JOB_COMPLETION_INDEX: '0', STREAMBENCH_SHARDS: '4' }, 1],
    ['Kubernetes', { JOB_COMPLETION_INDEX: '3', STREAMBENCH_SHARDS: '4' }, 4],
    ['AWS Batch', { AWS_BATCH_JOB_ARRAY_INDEX: '0', AWS_BATCH_JOB_ARRAY_SIZE: '4' }, 1],
    ['AWS Batch', { AWS_BATCH_JOB_ARRAY_INDEX: '3', AWS_BATCH_JOB_ARRAY_SIZE: '4' }, 4],
    ['Cloud Run', { CLOUD_RUN_TASK_INDEX: '0', CLOUD_RUN_TASK_COUNT: '4' }, 1],
    ['Cloud Run', { CLOUD_RUN_TASK_INDEX: '3', CLOUD_RUN_TASK_COUNT: '4' }, 4],
    ['GitLab', { CI_NODE_INDEX: '1', CI_NODE_TOTAL: '4' }, 1],
    ['GitLab', { CI_NODE_INDEX: '4', CI_NODE_TOTAL: '4' }, 4],
    ['CircleCI', { CIRCLE_NODE_INDEX: '0', CIRCLE_NODE_TOTAL: '4' }, 1],
    ['CircleCI', { CIRCLE_NODE_INDEX: '3', CIRCLE_NODE_TOTAL: '4' }, 4],
    ['Slurm 1-4', { SLURM_ARRAY_TASK_ID: '4', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '4' }, 4],
    ['Slurm 0-3', { SLURM_ARRAY_TASK_ID: '3', SLURM_ARRAY_TASK_MIN: '0', SLURM_ARRAY_TASK_COUNT: '4' }, 4],
    [
      'Slurm 10-13',
      { SLURM_ARRAY_TASK_ID: '10', SLURM_ARRAY_TASK_MIN: '10', SLURM_ARRAY_TASK_COUNT: '4' },
      1,
    ],
    [
      'Slurm 0-12:4',
      {
        SLURM_ARRAY_TASK_ID: '8',
        SLURM_ARRAY_TASK_MIN: '0',
        SLURM_ARRAY_TASK_STEP: '4',
        SLURM_ARRAY_TASK_COUNT: '4',
      },
      3,
    ],
  ])('auto: %s %j', (_, env, number) => {
    expect(chosenShard('auto', env as Record<string, string>)).toMatchObject({ number, of: 4 });
  });

  test('auto/4 gives the number of shards', () => {
    expect(chosenShard('auto/4', { JOB_COMPLETION_INDEX: '1' })).toMatchObject({ number: 2, of: 4 });
  });

  test('knows what the shards of one job have in common', () => {
    const slurm = { SLURM_ARRAY_TASK_ID: '1', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '2' };
    expect(chosenShard('auto', { ...slurm, SLURM_ARRAY_JOB_ID: '77' }).group).toBe('77');
    const aws = { AWS_BATCH_JOB_ARRAY_INDEX: '1', AWS_BATCH_JOB_ARRAY_SIZE: '2' };
    expect(chosenShard('auto', { ...aws, AWS_BATCH_JOB_ID: 'ab-12:1' }).group).toBe('ab-12');
    expect(chosenShard('1/2', { STREAMBENCH_SHARD_GROUP: 'nightly' }).group).toBe('nightly');
  });

  test.each([
    ['0/4', {}, 'there is no shard 0 of 4 shards'],
    ['5/4', {}, 'numbered from 1 to 4'],
    ['1/0', {}, 'number of shards is 0'],
    ['auto', {}, 'no scheduler has numbered this task'],
    ['auto', { JOB_COMPLETION_INDEX: '1' }, 'the number of shards is not known'],
    ['auto', { JOB_COMPLETION_INDEX: 'x', STREAMBENCH_SHARDS: '2' }, 'not a whole number'],
    ['auto/2', { JOB_COMPLETION_INDEX: '2' }, 'there is no shard 3 of 2'],
    ['auto/2', { JOB_COMPLETION_INDEX: '1', CI_NODE_INDEX: '2' }, 'two schedulers'],
    // A list such as 1,2,9: the third task cannot know that it is the third.
    [
      'auto',
      { SLURM_ARRAY_TASK_ID: '9', SLURM_ARRAY_TASK_MIN: '1', SLURM_ARRAY_TASK_COUNT: '3' },
      'there is no shard 9 of 3',
    ],
  ] as const)('%s with %j is refused', (text, env, words) => {
    expect(refusal(text, env as Record<string, string>)).toContain(words);
  });
});

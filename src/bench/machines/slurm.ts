import { resolve } from 'node:path';
import type { JobScenario } from './job-scenario.ts';

/** The script of a Slurm array job that runs a scenario on several nodes. */

/** Options of a Slurm job. */
export interface SlurmOptions {
  shards: number;
  /** Default: from the scenario's name. */
  name?: string;
  /** A folder that all nodes share. Default: `results`. */
  output: string;
  /** How streambench is started on a node. Default: `streambench`. */
  command?: string;
  /** As `run --start-at`. Default: the first task sets a time that the others read. */
  startAt?: string;
}

// From the start of the first task: the time in which the others have to start, and in which all prepare.
const START_IN_SECONDS = 30;

/** The script for sbatch. */
export function slurmJob({ loaded, variables }: JobScenario, options: SlurmOptions): string {
  const { shards, output, command = 'streambench', startAt } = options;
  const name = options.name ?? jobName(loaded.scenario.name);
  const scenario = quoted(resolve(loaded.file));
  const required = variables.map((variable) => variable.name).join(' ');
  const environment =
    required === ''
      ? ''
      : `# The scenario reads these variables; sbatch passes the environment on: ${required}\n`;
  const start =
    startAt === undefined
      ? `# All tasks start at the time that the first of them sets.
start="$runs.start"
(set -o noclobber; date -d '+${START_IN_SECONDS} seconds' +%s > "$start") 2> /dev/null || true
until [ -s "$start" ]; do sleep 0.2; done
`
      : '';
  const time = startAt === undefined ? '"$(cat "$start")"' : quoted(startAt);
  return `#!/bin/bash
# ${commented(loaded.scenario.name)} in ${shards} tasks. Save this as job.sh, then:
#   sbatch job.sh
# and when all tasks have ended, with the number of the job:
#   streambench merge ${commented(output)}/JOB/* -o merged
${environment}#SBATCH --job-name=${name}
#SBATCH --array=1-${shards}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=2
#SBATCH --output=${name}-%A-%a.log

set -eu
runs=${quoted(resolve(output))}/$SLURM_ARRAY_JOB_ID
mkdir -p "$runs"
${start}
exec ${command} run ${scenario} --shard auto --start-at ${time} -o "$runs"
`;
}

function jobName(scenario: string): string {
  const plain = scenario.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-+|-+$/g, '');
  return plain === '' ? 'streambench' : `streambench-${plain}`;
}

/** One word for the shell, whatever it contains. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

// A line break would end the comment.
function commented(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}

import type { Command } from 'commander';
import { UserError } from '../../model/errors.ts';
import type { AddCommand, CliSession } from '../cli-session.ts';
import { startAtOption } from '../flags/run.ts';
import { wholeOption } from '../flags/values.ts';
import { addExamples } from '../help.ts';

interface JobFlags {
  shards: number;
  name?: string;
  startAt?: string;
}

interface K8sFlags extends JobFlags {
  namespace?: string;
  image?: string;
  pvc?: string;
  secret?: string;
  jobset?: boolean;
}

interface SlurmFlags extends JobFlags {
  output: string;
  command?: string;
}

/** The commands that print the job of a scenario for a scheduler. */
export const jobCommands: AddCommand = (root, open) => {
  const k8s = addJob(root, 'k8s', 'print a Kubernetes job that runs a scenario on several pods')
    .option('--namespace <name>', 'namespace of all objects (default: that of kubectl)')
    .option('--image <image>', 'image with streambench on its PATH (default: a Node image and npx)')
    .option('--pvc <claim>', 'volume claim for the results, which all pods can write to')
    .option('--secret <name>', 'Secret with the variables of the scenario (default: NAME-env)')
    .option('--jobset', 'print a JobSet instead of a Job')
    .action((file: string, flags: K8sFlags) => printK8s(file, flags, open()));
  addExamples(k8s, {
    words: 'k8s scenario.yaml --shards 8 --pvc results > job.yaml',
    does: 'the commands to run it are in its first lines',
  });
  const slurm = addJob(root, 'slurm', 'print a Slurm array job that runs a scenario on several nodes')
    .option('-o, --output <folder>', 'folder for the results, which all nodes share', 'results')
    .option('--command <text>', 'how a node starts streambench (default: streambench)')
    .action((file: string, flags: SlurmFlags) => printSlurm(file, flags, open()));
  addExamples(slurm, {
    words: 'slurm scenario.yaml --shards 8 > job.sh && sbatch job.sh',
    does: 'an array of 8 tasks',
  });
};

function addJob(root: Command, name: string, description: string): Command {
  return root
    .command(name)
    .description(description)
    .argument('<scenario>', 'scenario file (YAML or JSON)')
    .addOption(
      wholeOption('--shards <count>', 'number of machines', { min: 1, max: 10_000 }).makeOptionMandatory(),
    )
    .option('--name <name>', "name of the job (default: from the scenario's name)")
    .addOption(startAtOption());
}

async function printK8s(file: string, flags: K8sFlags, session: CliSession): Promise<void> {
  const { isObjectName, k8sJob } = await import('../../bench/machines/k8s.ts');
  const { packageVersion } = await import('../../bench/environment.ts');
  const { shards, name, namespace, image, pvc: claim, secret, jobset: jobSet, startAt } = flags;
  for (const [flag, value] of Object.entries({ name, namespace, pvc: claim, secret })) {
    if (value === undefined || isObjectName(value)) continue;
    throw new UserError('usage', {
      message: `--${flag}: expected a name for Kubernetes, got ${JSON.stringify(value)}`,
      hint: 'use up to 40 lower-case letters, digits and dashes, beginning with a letter',
    });
  }
  const job = await loadedJob(file, shards, session);
  const options = { shards, name, namespace, image, claim, secret, jobSet, startAt };
  session.print(k8sJob(job, { ...options, version: packageVersion() }));
}

async function printSlurm(file: string, flags: SlurmFlags, session: CliSession): Promise<void> {
  const { slurmJob } = await import('../../bench/machines/slurm.ts');
  const { name } = flags;
  if (name !== undefined && !/^[\w][\w.-]*$/.test(name)) {
    throw new UserError('usage', {
      message: `--name: expected a name for Slurm, got ${JSON.stringify(name)}`,
      hint: 'use letters, digits, dots, dashes and underscores',
    });
  }
  session.print(slurmJob(await loadedJob(file, flags.shards, session), flags));
}

async function loadedJob(file: string, shards: number, session: CliSession) {
  const { loadJobScenario } = await import('../../bench/machines/job-scenario.ts');
  const job = loadJobScenario(file, shards, session.env);
  session.hide(job.loaded.secrets);
  for (const warning of job.warnings) session.warning(warning);
  return job;
}

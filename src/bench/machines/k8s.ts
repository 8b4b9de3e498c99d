import { stringify } from 'yaml';
import { UserError } from '../../model/errors.ts';
import { formatCount } from '../../model/format.ts';
import { type JobFile, type JobScenario, jobFiles } from './job-scenario.ts';
import { GROUP_VARIABLE, SHARDS_VARIABLE } from './scheduler.ts';

/** The objects of a Kubernetes job that runs a scenario on several pods. */

/** Options of a Kubernetes job. */
export interface K8sOptions {
  shards: number;
  /** The name of all objects. Default: from the scenario's name. */
  name?: string;
  /** Default: that of kubectl. */
  namespace?: string;
  /** An image with `streambench` on its PATH. Default: a Node image, in which npx installs this version. */
  image?: string;
  /** The version of streambench for npx. */
  version: string;
  /** A claim that all pods can write to. Default: each pod keeps its results until they are copied. */
  claim?: string;
  /** The Secret with the scenario's variables. Default: NAME-env. */
  secret?: string;
  /** Print a JobSet. Default: a Job. */
  jobSet?: boolean;
  /** As `run --start-at`. */
  startAt?: string;
}

/** The API server's limit for the data of a ConfigMap. */
const CONFIG_MAP_BYTES = 1024 * 1024;
const SCENARIO_FOLDER = '/scenario';
const RESULTS_FOLDER = '/results';
// The time to copy the results of a pod that has no claim.
const KEPT_SECONDS = 3_600;
// A pod's name is NAME-INDEX-SUFFIX, and a JobSet adds NAME-shards-0.
const NAME_MAX = 40;

/**
 * The YAML of the job, with the commands to run it as comments. Throws a `UserError` for files of more than 1 MiB, the limit of
 * a ConfigMap, and where `jobFiles` does.
 */
export function k8sJob(job: JobScenario, options: K8sOptions): string {
  const { namespace } = options;
  const name = options.name ?? objectName(job.loaded.scenario.name);
  const secret = options.secret ?? `${name}-env`;
  const files = jobFiles(job);
  rejectTooLarge(files, job);
  const labels = { 'app.kubernetes.io/name': 'streambench', 'app.kubernetes.io/instance': name };
  const metadata = { name, namespace, labels };
  const keyed = files.map((file, index) => ({ ...file, key: keyOf(file.path, index) }));
  const spec = jobSpec(job, { ...options, name, secret }, keyed, labels);
  const objects = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, ...dataOf(keyed) },
    options.jobSet
      ? {
          apiVersion: 'jobset.x-k8s.io/v1alpha2',
          kind: 'JobSet',
          metadata,
          spec: {
            failurePolicy: { maxRestarts: 0 },
            replicatedJobs: [{ name: 'shards', replicas: 1, template: { spec } }],
          },
        }
      : { apiVersion: 'batch/v1', kind: 'Job', metadata, spec },
  ];
  const text = objects.map((object) => stringify(object, YAML)).join('---\n');
  return `${instructions(job, { ...options, name, secret })}---\n${text}`;
}

// kubectl reads YAML 1.1, in which `on` is a boolean.
const YAML = { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false } as const;

type Named = K8sOptions & { name: string; secret: string };
type KeyedFile = JobFile & { key: string };

/** A name for Kubernetes: lower-case letters, digits and dashes. */
function objectName(scenario: string): string {
  const plain = scenario
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, NAME_MAX - 'streambench-'.length)
    .replaceAll(/^-+|-+$/g, '');
  return plain === '' ? 'streambench' : `streambench-${plain}`;
}

/** True for a name that all objects of a job can have. */
export function isObjectName(name: string): boolean {
  return name.length <= NAME_MAX && /^[a-z]([a-z0-9-]*[a-z0-9])?$/.test(name);
}

// A key has no slashes: the volume maps it to the file's path.
function keyOf(path: string, index: number): string {
  return index === 0 ? 'scenario' : `file-${index}-${path.replaceAll(/[^\w.-]+/g, '_').slice(-100)}`;
}

function dataOf(files: readonly KeyedFile[]) {
  const isText = ({ bytes }: KeyedFile) => bytes.equals(Buffer.from(bytes.toString('utf8')));
  const data = files.filter(isText).map(({ key, bytes }) => [key, bytes.toString('utf8')]);
  const binary = files
    .filter((file) => !isText(file))
    .map(({ key, bytes }) => [key, bytes.toString('base64')]);
  return {
    data: Object.fromEntries(data),
    binaryData: binary.length === 0 ? undefined : Object.fromEntries(binary),
  };
}

function rejectTooLarge(files: readonly JobFile[], { loaded }: JobScenario): void {
  const total = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (total <= CONFIG_MAP_BYTES) return;
  const [largest] = [...files].sort((a, b) => b.bytes.length - a.bytes.length);
  throw new UserError('scenario_invalid', {
    message: `the scenario's files have ${formatCount(total)} bytes, and a ConfigMap holds ${formatCount(CONFIG_MAP_BYTES)} (1 MiB); the largest is ${largest?.path} with ${formatCount(largest?.bytes.length ?? 0)}`,
    place: { file: loaded.file },
    hint: 'use smaller files, or put them into an image of your own (--image) and run the scenario from there',
  });
}

function jobSpec(
  { file, variables }: JobScenario,
  { shards, image, version, claim, secret, startAt }: Named,
  files: readonly KeyedFile[],
  labels: Readonly<Record<string, string>>,
) {
  const program = image === undefined ? ['npx', '--yes', `streambench@${version}`] : ['streambench'];
  const start = startAt === undefined ? [] : ['--start-at', startAt];
  const run = [
    ...program,
    'run',
    `${SCENARIO_FOLDER}/${file}`,
    '--shard',
    'auto',
    '-o',
    RESULTS_FOLDER,
    ...start,
  ];
  return {
    completions: shards,
    parallelism: shards,
    completionMode: 'Indexed',
    // A shard that is started again measures alone.
    backoffLimit: 0,
    template: {
      metadata: { labels },
      spec: {
        restartPolicy: 'Never',
        // One machine for each shard, where there are as many.
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'kubernetes.io/hostname',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: labels },
          },
        ],
        containers: [
          {
            name: 'streambench',
            image: image ?? 'node:22-slim',
            command: claim === undefined ? ['sh', '-c', KEEP, 'sh', ...run] : run,
            workingDir: SCENARIO_FOLDER,
            env: [
              { name: SHARDS_VARIABLE, value: String(shards) },
              {
                name: GROUP_VARIABLE,
                valueFrom: {
                  fieldRef: { fieldPath: "metadata.labels['batch.kubernetes.io/controller-uid']" },
                },
              },
              ...variables.map(({ name, isRequired }) => ({
                name,
                valueFrom: { secretKeyRef: { name: secret, key: name, optional: !isRequired } },
              })),
            ],
            resources: { requests: { cpu: '2', memory: '512Mi' } },
            volumeMounts: [
              { name: 'scenario', mountPath: SCENARIO_FOLDER, readOnly: true },
              { name: 'results', mountPath: RESULTS_FOLDER },
            ],
          },
        ],
        volumes: [
          {
            name: 'scenario',
            configMap: {
              name: labels['app.kubernetes.io/instance'],
              items: files.map(({ key, path }) => ({ key, path })),
            },
          },
          claim === undefined
            ? { name: 'results', emptyDir: {} }
            : { name: 'results', persistentVolumeClaim: { claimName: claim } },
        ],
      },
    },
  };
}

// A container's files can be copied only while it runs.
const KEEP = `"$@"; code=$?; echo "exit $code: results are in ${RESULTS_FOLDER} for ${KEPT_SECONDS} s"; sleep ${KEPT_SECONDS}; exit $code`;

/** The commands for this job. */
function instructions(
  { file, variables }: JobScenario,
  { shards, name, namespace, secret, claim, jobSet = false, startAt }: Named,
): string {
  const kubectl = namespace === undefined ? 'kubectl' : `kubectl -n ${namespace}`;
  const required = variables.filter(({ isRequired }) => isRequired).map(({ name: variable }) => variable);
  const literals = required.map((variable) => `--from-literal=${variable}="$${variable}"`).join(' ');
  const pods = `${kubectl} get pods -l app.kubernetes.io/instance=${name} -o name`;
  const job = jobSet ? `${name}-shards-0` : name;
  const copy =
    claim === undefined
      ? [
          `wait until every pod has said "results are in ${RESULTS_FOLDER}" (${kubectl} logs -l app.kubernetes.io/instance=${name} --tail=1), then:`,
          `  for pod in $(${pods}); do ${kubectl} cp "\${pod#pod/}:${RESULTS_FOLDER}" shards; done`,
          `  ${kubectl} delete ${jobSet ? 'jobset' : 'job'} ${name}`,
        ]
      : [
          `${kubectl} wait --for=condition=complete --timeout=1h job/${job}, then copy the runs from the claim ${claim} to shards/`,
        ];
  const lines = [
    `${file} on ${shards} pods. Save this as job.yaml, then:`,
    ...(required.length === 0 ? [] : [`  ${kubectl} create secret generic ${secret} ${literals}`]),
    ...(startAt === undefined
      ? ['  (with --start-at TIME, at which all pods are running, they start together)']
      : []),
    `  ${kubectl} apply -f job.yaml`,
    ...copy,
    '  streambench merge shards/* -o merged',
  ];
  // A line break in a name would end the comment.
  return lines.map((line) => `# ${line.replaceAll(/[\r\n]+/g, ' ')}\n`).join('');
}

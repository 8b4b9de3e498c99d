import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';
import { loadJobScenario } from '../../../src/bench/machines/job-scenario.ts';
import { isObjectName, type K8sOptions, k8sJob } from '../../../src/bench/machines/k8s.ts';
import { slurmJob } from '../../../src/bench/machines/slurm.ts';
import { UserError } from '../../../src/model/errors.ts';

const root = mkdtempSync(join(tmpdir(), 'streambench-jobs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SECRET = 'sk-very-secret-123456';

let folders = 0;
function scenario(text: string, files: Readonly<Record<string, string | Buffer>> = {}): string {
  const folder = join(root, `s${folders++}`);
  for (const [path, content] of Object.entries({ 'load.yaml': text, ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  return join(folder, 'load.yaml');
}

const plain = (more = '', target = 'url: "https://chat.example/v1", dialect: openai-chat') => `version: 1
name: Nachts um drei!
targets: [{ name: t, ${target}, model: m }]
prompts: [{ name: p, text: hi }]
load: { concurrency: 16, duration: 10s, rounds: 1 }
${more}`;

type Objects = Record<string, unknown>[];

function print(file: string, options: Partial<K8sOptions> = {}, env: Record<string, string> = {}) {
  const job = loadJobScenario(file, options.shards ?? 4, env);
  const text = k8sJob(job, { shards: 4, version: '1.2.3', ...options });
  // As kubectl reads it.
  const documents = parseAllDocuments(text, { version: '1.1' });
  const objects = documents.map((document) => document.toJS() as unknown).filter(Boolean) as Objects;
  return { text, objects };
}

const schema = (name: string) =>
  z.fromJSONSchema(
    JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8')) as boolean,
  );
const SCHEMAS = {
  ConfigMap: schema('configmap-v1'),
  Job: schema('job-batch-v1'),
  JobSet: schema('jobset-v1alpha2'),
};

function problemsOf(objects: Objects): unknown[] {
  return objects.flatMap((object) => {
    const { success, error } = SCHEMAS[object.kind as keyof typeof SCHEMAS].safeParse(object);
    return success ? [] : error.issues;
  });
}

function problem(work: () => unknown) {
  try {
    work();
  } catch (error) {
    if (error instanceof UserError) return error.problems[0]!;
    throw error;
  }
  throw new Error('it was accepted');
}

const FILES = plain().replace('text: hi', 'file: prompts/long text.txt');

describe('k8s', () => {
  test.each([
    ['a job', {}],
    ['with a claim', { claim: 'results', namespace: 'load', image: 'registry.example/streambench:1' }],
    ['a job set', { jobSet: true }],
    ['with a start', { startAt: '2026-11-21T14:00:00Z', name: 'n', secret: 's' }],
  ] as const)('%s is valid by the official schemas', (_, options) => {
    const file = scenario(FILES.replace('model: m', 'model: m, apiKey: "${env:MY_KEY}"'), {
      'prompts/long text.txt': 'Erzähl mir etwas.',
    });
    const { objects } = print(file, options);
    expect(objects.map(({ kind }) => kind)).toEqual(['ConfigMap', 'jobSet' in options ? 'JobSet' : 'Job']);
    expect(problemsOf(objects)).toEqual([]);
  });

  test('the schemas find a wrong field, a wrong type and a missing one', () => {
    const { objects } = print(scenario(plain()));
    const change = (by: (job: Record<string, never>) => void) => {
      const copy = structuredClone(objects);
      by(copy[1] as Record<string, never>);
      return problemsOf(copy).length;
    };
    const pod = (job: Record<string, never>) =>
      (job as unknown as { spec: { template: { spec: Record<string, unknown> } } }).spec.template.spec;
    expect(change((job) => Object.assign(pod(job), { restartpolicy: 'Never' }))).toBeGreaterThan(0);
    expect(change((job) => Object.assign(job.spec!, { completions: 'four' }))).toBeGreaterThan(0);
    expect(change((job) => Object.assign(pod(job), { containers: [{ image: 'x' }] }))).toBeGreaterThan(0);
    expect(change(() => {})).toBe(0);
  });

  test('each pod has its index, the number of pods and what they have in common', () => {
    const { text } = print(scenario(plain()), { shards: 8 });
    for (const words of [
      'completions: 8',
      'parallelism: 8',
      'completionMode: Indexed',
      '- name: STREAMBENCH_SHARDS\n              value: "8"',
      "metadata.labels['batch.kubernetes.io/controller-uid']",
      '- --shard\n            - auto',
      'backoffLimit: 0',
    ])
      expect(text).toContain(words);
  });

  test('the ConfigMap has the files as they are, in the folders that the scenario names', () => {
    const body = plain('', 'url: "https://chat.example/v1", dialect: openai-chat, ca: certs/ca.pem');
    const pem = readFileSync(join(import.meta.dirname, '../../support/tls/ca.pem'));
    const file = scenario(`# on: yes\n${body.replace('text: hi', 'file: a/b.txt')}`, {
      'a/b.txt': 'off\n  indented: "x"\n',
      'certs/ca.pem': pem,
      'unused.txt': 'x',
    });
    const { objects } = print(file);
    const [map, job] = objects as [
      { data: Record<string, string> },
      {
        spec: {
          template: { spec: { volumes: { configMap?: { items: { key: string; path: string }[] } }[] } };
        };
      },
    ];
    const items = job.spec.template.spec.volumes[0]!.configMap!.items;
    expect(items.map(({ path }) => path)).toEqual(['load.yaml', 'a/b.txt', 'certs/ca.pem']);
    for (const { key, path } of items) {
      expect(key).toMatch(/^[-._a-zA-Z0-9]+$/);
      expect(map.data[key]).toBe(readFileSync(join(dirname(file), path), 'utf8'));
    }
  });

  test('values of variables are never in it, only their names', () => {
    const target =
      'url: "${env:URL_OF_IT:-https://chat.example/v1}", dialect: openai-chat, apiKey: "${env:MY_KEY}"';
    const { text, objects } = print(scenario(plain('', target)), {}, { MY_KEY: SECRET, OTHER: 'x' });
    expect(text).not.toContain(SECRET);
    expect(text).not.toContain('OTHER');
    expect(text).toContain('--from-literal=MY_KEY="$MY_KEY"');
    const env = JSON.stringify(objects[1]);
    expect(env).toContain(
      '"secretKeyRef":{"name":"streambench-nachts-um-drei-env","key":"MY_KEY","optional":false}',
    );
    // It has a default.
    expect(env).toContain('"key":"URL_OF_IT","optional":true');
  });

  test('the key variable of a provider is one of them', () => {
    const file = scenario(plain('', 'provider: zhipu'));
    for (const env of [{}, { ZHIPU_API_KEY: SECRET }]) {
      const { text } = print(file, {}, env as Record<string, string>);
      expect(text).toContain('key: ZHIPU_API_KEY\n                  optional: false');
      expect(text).not.toContain(SECRET);
      expect(text).not.toContain('set-where-the-job-runs');
    }
  });

  test.each([
    ['a key', `url: "https://chat.example/v1", dialect: openai-chat, apiKey: ${SECRET}`],
    [
      'a header',
      `url: "https://chat.example/v1", dialect: openai-chat, headers: { authorization: "Bearer ${SECRET}" }`,
    ],
    ['a URL', `url: "https://me:${SECRET}@chat.example/v1", dialect: openai-chat`],
  ])('a literal secret is refused with its place: %s', (_, target) => {
    const { message, place, hint } = problem(() => print(scenario(plain('', target))));
    expect(message).toContain('literal secret');
    expect(`${message} ${hint}`).not.toContain(SECRET);
    expect(place).toMatchObject({ line: 3 });
    expect(hint).toContain('${env:NAME}');
  });

  test('files of more than 1 MiB are refused, and the largest is named', () => {
    const files = { 'prompts/long text.txt': 'x'.repeat(1024 * 1024) };
    const { message, hint } = problem(() => print(scenario(FILES, files)));
    expect(message).toContain('1 MiB');
    expect(message).toContain('prompts/long text.txt');
    expect(hint).toContain('--image');
    const least = { 'prompts/long text.txt': 'x'.repeat(1024 * 1024 - 1_000) };
    expect(problemsOf(print(scenario(FILES, least)).objects)).toEqual([]);
  });

  test('a load that has fewer streams than pods is refused', () => {
    expect(problem(() => print(scenario(plain()), { shards: 17 })).message).toContain('17 shards');
  });

  test('a simulator in each pod is pointed out', () => {
    const file = scenario(plain('', 'provider: simulator'));
    expect(loadJobScenario(file, 4, {}).warnings.join()).toContain('do not share a server');
  });

  test('names are those of Kubernetes', () => {
    for (const name of ['a', 'load-8', 'a'.repeat(40)]) expect(isObjectName(name)).toBe(true);
    for (const name of ['', 'A', '8a', 'a_b', 'a-', 'a'.repeat(41), 'a\nb', 'ü'])
      expect(isObjectName(name)).toBe(false);
  });
});

describe('slurm', () => {
  test('prints an array job whose tasks agree on a start', () => {
    const file = scenario(
      plain('', 'url: "https://chat.example/v1", dialect: openai-chat, apiKey: "${env:MY_KEY}"'),
    );
    const script = slurmJob(loadJobScenario(file, 8, { MY_KEY: SECRET }), { shards: 8, output: 'out' });
    expect(script).toMatch(/^#!\/bin\/bash\n/);
    expect(script).toContain('#SBATCH --array=1-8\n');
    expect(script).toContain(`run '${file}' --shard auto --start-at`);
    expect(script).toContain('MY_KEY');
    expect(script).not.toContain(SECRET);
  });

  test('is a script whose tasks start at the same time', () => {
    const folder = join(root, "out of it's");
    const job = loadJobScenario(scenario(plain()), 2, {});
    // In place of streambench, a command that prints its arguments.
    const script = join(root, 'job.sh');
    writeFileSync(script, slurmJob(job, { shards: 2, output: folder, command: "printf '%s\\n'" }));
    const env = { PATH: process.env.PATH, SLURM_ARRAY_JOB_ID: '7' };
    const run = () => execFileSync('bash', [script], { env, encoding: 'utf8' }).split('\n');
    const began = Date.now() / 1000;
    const [first, second] = [run(), run()];
    expect(second).toEqual(first);
    expect(first[0]).toBe('run');
    expect(first.slice(2, 5)).toEqual(['--shard', 'auto', '--start-at']);
    expect(first.slice(6, 8)).toEqual(['-o', `${folder}/7`]);
    expect(Number(first[5])).toBeGreaterThan(began + 25);
    expect(Number(first[5])).toBeLessThan(began + 60);
    // Only runs are in the folder that is merged.
    expect(readdirSync(`${folder}/7`)).toEqual([]);
  });

  test('names and paths cannot end a comment or a word', () => {
    const file = scenario(plain().replace('Nachts um drei!', '"a\\nrm -rf /"'));
    const script = slurmJob(loadJobScenario(file, 2, {}), {
      shards: 2,
      output: "it's\nhere",
      startAt: '1795270000',
    });
    expect(script).not.toMatch(/^rm/m);
    expect(script).toContain("it'\\''s");
    expect(script).toContain("--start-at '1795270000'");
  });
});

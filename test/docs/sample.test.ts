import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Manifest } from '../../src/model/report.ts';
import type { ProbeReport } from '../../src/report/probe-report.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import { ROOT, scratch, streambench } from '../support/program.ts';

// README and docs/ show parts of results/sample. Its times are those of one run; its structure must be that of a run of today.

const folder = scratch();
afterAll(() => folder.dispose());

const SCENARIO = join(ROOT, 'scenarios/is-it-streaming.yaml');

function json<T>(...path: string[]): T {
  return JSON.parse(readFileSync(join(...path), 'utf8')) as T;
}

function recordsOf(run: string): RequestRecord[] {
  const text = readFileSync(join(run, 'records.ndjson'), 'utf8');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RequestRecord]));
}

/** The paths of a value's fields, without those of lists and of what differs from request to request. */
function fields(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([name, item]) => [
    `${path}${name}`,
    ...(typeof item === 'object' && item !== null && !Array.isArray(item)
      ? fields(item, `${path}${name}.`)
      : []),
  ]);
}

/** All fields that any of these records has. A new connection has more marks than one that is reused. */
function fieldsOf(records: readonly RequestRecord[]): string[] {
  const known = records
    .filter(({ connection }) => connection?.reused === true)
    .flatMap((record) => fields(record));
  return [...new Set(known)].sort();
}

describe('results/sample', () => {
  const sample = join(ROOT, 'results/sample');

  test('is a run of the scenario as it is now', () => {
    const { hash } = loadScenario(SCENARIO, { env: {} });
    expect(json<Manifest>(sample, 'manifest.json').scenario.hash).toBe(hash);
    expect(json<ProbeReport>(sample, 'probe.json').requests.length).toBeGreaterThan(0);
  });

  test('has the fields of a run of today: else run npm run docs:sample', async () => {
    const load = ['-n', '8', '--rounds', '1', '--warmup', '0', '--set', 'prompts.0.maxTokens=5'];
    const { stderr } = await streambench(['run', SCENARIO, ...load, '--workers', '1', '-o', folder.path]);
    const [name] = readdirSync(folder.path);
    if (name === undefined) throw new Error(stderr);
    const run = join(folder.path, name);
    for (const mode of ['streaming', 'non-streaming'] as const) {
      const [then, now] = [sample, run].map((path) =>
        fieldsOf(recordsOf(path).filter((one) => one.mode === mode)),
      );
      expect(then).toEqual(now);
    }
    const manifests = [sample, run].map((path) => json<Manifest>(path, 'manifest.json'));
    const [then, now] = manifests.map((manifest) => Object.keys(manifest).sort());
    expect(then).toEqual(now);
  });
});

test('every script of package.json that is a file of this repository is committed', () => {
  const { scripts } = json<{ scripts: Record<string, string> }>(ROOT, 'package.json');
  const named = Object.values(scripts)
    .flatMap((script) => script.match(/(?<=node (?:--\S+ )*)[\w./-]+\.m?js/g) ?? [])
    .filter((file) => !/(^|\/)dist\/|node_modules/.test(file));
  expect(named).toContain('scripts/make-sample.mjs');
  const ignored = readFileSync(join(ROOT, '.gitignore'), 'utf8').includes('/results/*');
  for (const file of named) {
    expect(readFileSync(join(ROOT, file), 'utf8').length, file).toBeGreaterThan(0);
    expect(ignored && file.startsWith('results/'), `${file} is not committed`).toBe(false);
  }
});

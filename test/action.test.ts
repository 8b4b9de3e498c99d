import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseXml } from './report/xml.ts';
import { ROOT, scratch } from './support/program.ts';

interface Step {
  id?: string;
  uses?: string;
  run?: string;
  env?: Record<string, string>;
}

interface Action {
  inputs: Record<string, { description: string; default?: string }>;
  runs: { using: string; steps: Step[] };
}

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const action = parse(read('action.yml')) as Action;
const scripts = action.runs.steps.filter(({ run }) => run !== undefined);

const folder = scratch();
afterAll(() => folder.dispose());

describe('the action', () => {
  test('is made of scripts and of actions by GitHub', () => {
    expect(action.runs.using).toBe('composite');
    const uses = action.runs.steps.flatMap((step) => (step.uses === undefined ? [] : [step.uses]));
    for (const one of uses) expect(one).toMatch(/^actions\/(setup-node|upload-artifact)@v\d+$/);
  });

  test('pastes nothing into a script, uses every input, and each has a description', () => {
    for (const { run } of scripts) expect(run).not.toContain('${{');
    for (const [name, { description }] of Object.entries(action.inputs)) {
      expect(read('action.yml')).toContain(`inputs.${name}`);
      expect(description.trim()).not.toBe('');
    }
  });
});

test('the workflow calls the action with inputs that it has', () => {
  const { jobs } = parse(read('.github/workflows/ci.yml')) as {
    jobs: Record<string, { steps: { uses?: string; with?: Record<string, unknown> }[] }>;
  };
  const own = Object.values(jobs).flatMap(({ steps }) => steps.filter(({ uses }) => uses === './'));
  expect(own.length).toBeGreaterThan(0);
  for (const { with: given = {} } of own)
    for (const name of Object.keys(given)) expect(action.inputs).toHaveProperty([name]);
});

describe.skipIf(process.platform === 'win32')('the scripts', () => {
  let count = 0;

  /** Runs the action's scripts one after another, as GitHub does, with this build in the place of npx. */
  function act(inputs: Record<string, string>) {
    const at = join(folder.path, `job${count++}`);
    mkdirSync(join(at, 'bin'), { recursive: true });
    const npx = join(at, 'bin/npx');
    const program = `exec '${process.execPath}' '${join(ROOT, 'bin/streambench.js')}' "$@"`;
    writeFileSync(npx, `#!/bin/bash\nwhile [ "$1" != -- ]; do shift; done\nshift 2\n${program}\n`);
    chmodSync(npx, 0o755);
    const files = { GITHUB_STEP_SUMMARY: join(at, 'summary.md'), GITHUB_OUTPUT: join(at, 'output') };
    for (const file of Object.values(files)) writeFileSync(file, '');
    const values: Record<string, string> = { output: join(folder.path, 'results'), ...inputs };
    const { PATH = '', HOME = '' } = process.env;
    let [stdout, stderr, status] = ['', '', 0];
    for (const { run, env = {} } of scripts) {
      const outputs = readFileSync(files.GITHUB_OUTPUT, 'utf8');
      const given = Object.entries(env).map(([name, text]) => {
        const [, input] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(text) ?? [];
        const output = /^exit-code=(.*)$/m.exec(outputs)?.[1] ?? '';
        return [name, input === undefined ? output : (values[input] ?? action.inputs[input]!.default ?? '')];
      });
      const result = spawnSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', run!], {
        cwd: ROOT,
        encoding: 'utf8',
        env: { HOME, ...files, ...Object.fromEntries(given), PATH: `${join(at, 'bin')}:${PATH}` },
      });
      stdout += result.stdout;
      stderr += result.stderr;
      status = result.status ?? -1;
      if (status !== 0) break;
    }
    const [, runs = ''] =
      /^runs<<END_OF_RUNS\n(.*?)END_OF_RUNS$/ms.exec(readFileSync(files.GITHUB_OUTPUT, 'utf8')) ?? [];
    return {
      status,
      stdout,
      stderr,
      summary: readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8'),
      runs: runs.split('\n').filter((line) => line !== ''),
    };
  }

  const demo = { scenario: 'scenarios/demo.yaml', args: '-c 1 -n 2 --rounds 1 --mode streaming -q' };

  test('leave a summary, JUnit XML and the folder of the run; the next one is compared with it', () => {
    const first = act({ ...demo, 'save-baseline': 'main' });
    expect(first.status, first.stderr).toBe(0);
    expect(first.runs).toHaveLength(1);
    expect(first.summary).toMatch(/^## demo\n/);
    expect(first.stdout).toContain('::notice title=demo%3A result::6 requests in 3 cells, none failed');
    expect(readdirSync(join(folder.path, 'results/baselines/main'))).toHaveLength(1);

    const second = act({ ...demo, baseline: 'main', 'save-baseline': 'main' });
    expect(second.status, second.stderr).toBe(0);
    expect(second.runs).toHaveLength(1);
    expect(second.summary).toMatch(
      /^## demo\n\n.*\n.*\n\| \*\*regression\*\* \| .* against main: inconclusive/,
    );
    expect(second.summary).toContain('### Regression check against baseline main\n\ninconclusive: ');
    expect(second.stdout).toContain(
      '::warning title=demo%3A regression check inconclusive::regression check against baseline main: ',
    );
    const junit = parseXml(readFileSync(join(second.runs[0]!, 'junit.xml'), 'utf8'));
    const counts = { tests: '10', failures: '0', errors: '0', skipped: '7' };
    expect(junit.children[0]!.attributes).toMatchObject(counts);
  });

  test('compare two builds that they start; a slower one fails the job', () => {
    const server = (delay: number) =>
      `'${process.execPath}' '${join(ROOT, 'test/support/ab-server.mjs')}' --port {port} --delay ${delay}`;
    const args = `--base-command "${server(0)}" --new-command "${server(100)}" --ready /health -n 40 -c 4 -q`;
    const result = act({ command: 'ab', args });
    expect(result.status, result.stderr).toBe(4);
    expect(result.stdout).toMatch(/^::error title=base or new%3A regression of B against A%3A ttft\.p50::/m);
    expect(result.summary).toContain('### B against A');
    const junit = readFileSync(join(result.runs[0] ?? '', 'junit.xml'), 'utf8');
    expect(junit).toContain('ttft.p50 of B against A');
    const wrong = act({ command: 'ab', scenario: 'scenarios/demo.yaml' });
    expect([wrong.status, wrong.stdout]).toEqual([2, expect.stringContaining('ab takes no scenario')]);
    expect(act({ command: 'serve' }).status).toBe(2);
  });

  test('fail with the exit code of the run, unless they are never to fail', () => {
    const args = `${demo.args} --threshold "ttft.p95 < 1ms"`;
    const failed = act({ ...demo, args });
    expect(failed.status, failed.stderr).toBe(3);
    expect(failed.stdout).toMatch(/^::error title=demo%3A threshold failed%3A ttft\.p95 < 1ms::/m);
    expect(failed.summary).toMatch(/\| \*\*thresholds\*\* \| .*\*\*1 of 1 threshold failed: /);
    expect(act({ ...demo, args, 'fail-on': 'never' }).status).toBe(0);
  });

  test('a mistake is never passed over, and nothing in the inputs is run', () => {
    const marker = join(folder.path, 'marker');
    const wrong = act({
      scenario: 'nope.yaml',
      args: `"$(touch ${marker})" \`touch ${marker}\``,
      'fail-on': 'never',
    });
    expect(wrong.status).toBe(2);
    expect(wrong.runs).toEqual([]);
    expect(existsSync(marker)).toBe(false);
    expect(act({ ...demo, 'fail-on': 'always' })).toMatchObject({ status: 2 });
    expect(act({ ...demo, args: '--threshold "ttft' }).status).not.toBe(0);
    const missing = act({ ...demo, baseline: 'none' });
    expect(missing.status).toBe(2);
    expect(missing.stderr).toContain('no baseline "none"');
  });
});

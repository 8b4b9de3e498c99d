import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openBaseline } from '../../src/bench/run/baseline.ts';
import type { RunComparisonReport } from '../../src/bench/run/compare-runs.ts';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { createSimulator } from '../../src/simulator/simulator.ts';
import { constant } from '../simulator/start.ts';
import { scratch, streambench } from '../support/program.ts';

const folder = scratch();
afterAll(() => folder.dispose());
const output = join(folder.path, 'results');

/** The time to the first token is in a variable, so the scenario's hash does not depend on it. */
const scenario = join(folder.path, 'gate.yaml');
writeFileSync(
  scenario,
  `version: 1
name: gate
targets: [{ name: t, provider: simulator, profile: m }]
prompts: [{ name: p, text: hello }]
load: { concurrency: 8, requests: 40, rounds: 5 }
simulator: { profiles: { m: { ttft: { mean: "\${env:TTFT}", sd: 2ms }, gap: 1ms, tokens: 5 } } }
`,
);
const edit = (file: string, change: (text: string) => string) =>
  writeFileSync(file, change(readFileSync(file, 'utf8')));
const run = (ttft: string, ...more: string[]) =>
  streambench(['run', scenario, '-o', output, ...more], { env: { TTFT: ttft } });

const entries = (name: string) =>
  readdirSync(join(output, 'baselines', name)).filter((file) => file.endsWith('.json'));
const folderOf = (stderr: string) => /^results: (.+)$/m.exec(stderr)![1]!;
/** Much longer than 20 ms: a busy machine, which delays the baseline too, changes nothing. */
const SLOW = '300ms';
/** The folder of a slow run. */
let slow = '';
const lastLine = (stderr: string) => stderr.trim().split('\n').at(-1);

describe('a baseline', () => {
  test('gains the runs that are accepted; a slower service exits 4 and is not accepted', async () => {
    const saved = await run('20ms', '--save-baseline', 'main');
    expect(saved.code, saved.stderr).toBe(0);
    expect(saved.stderr).toMatch(/baseline main: .*baselines\/main\/.*\.json/);
    expect(entries('main')).toHaveLength(1);
    // The first run whole, as an older version stored it and as a run folder can be compared.
    cpSync(folderOf(saved.stderr), join(folder.path, 'first'), { recursive: true });

    const slower = await run(SLOW, '--baseline', 'main', '--save-baseline', 'main');
    expect(slower.code, slower.stdout).toBe(4);
    expect(slower.stdout).toMatch(
      /\nregression: ttft\.p50 \+\d+ % \(\+\d+ to \+\d+\), \d+ ms instead of \d+ ms\n/,
    );
    expect(lastLine(slower.stderr)).toBe('exit 4: regression against the baseline or side A');
    expect(slower.stderr).toMatch(
      /not added to baseline "main", which is kept as it was: regression: [^\n]*baseline accept main/,
    );
    expect(entries('main')).toHaveLength(1);

    // Every format has it, and a rebuilt report is the same to the byte.
    slow = folderOf(slower.stderr);
    const again = async (format: string) => (await streambench(['report', slow, '-f', format])).stdout;
    const formats = ['json', 'terminal', 'junit', 'annotations', 'markdown'];
    const [json = '', terminal, junit, annotations, markdown] = await Promise.all(formats.map(again));
    expect(json).toBe(readFileSync(join(slow, 'report.json'), 'utf8'));
    expect(JSON.parse(json).baseline).toMatchObject({ name: 'main', strict: false, verdict: 'regression' });
    expect(terminal).toBe(slower.stdout);
    expect(junit).toMatch(/<testcase name="ttft\.p50 regression check[^>]*>\n<failure /);
    expect(annotations).toMatch(/^::error title=gate%3A regression check%3A ttft\.p50/m);
    expect(markdown).toMatch(
      /### Regression check against baseline main\n[\s\S]*\| regression \|[\s\S]*### Streaming/,
    );

    const compared = await streambench(['compare', 'main', slow, '-o', output, '--json']);
    expect(compared.code).toBe(4);
    const comparison = JSON.parse(compared.stdout) as RunComparisonReport;
    expect(comparison).toMatchObject({
      schema: 'streambench/comparison@2',
      verdict: 'regression',
      base: 'main',
    });

    const accepted = await streambench(['baseline', 'accept', 'main', slow, '-o', output]);
    expect(accepted.code, accepted.stderr).toBe(0);
    const after = await streambench(['compare', 'main', slow, '-o', output]);
    expect(after.stderr + after.stdout).toMatch(/regression/);
    const store = JSON.parse(
      (await streambench(['baseline', 'show', 'main', '-o', output, '--json'])).stdout,
    );
    expect(store.runs).toHaveLength(2);
    expect(store.runs[1]).toMatchObject({ newLevel: true });
    const dropped = await streambench(['baseline', 'drop', 'main', store.runs[1].id, '-o', output]);
    expect(dropped.code, dropped.stderr).toBe(0);
    expect(entries('main')).toHaveLength(1);
  }, 120_000);

  test('is not extended by a run that failed a threshold, unless --accept is given', async () => {
    const args = ['-n', '40', '--threshold', 'ttft.p50 < 1ms', '--save-baseline', 'limits'];
    const failed = await run('2ms', ...args);
    expect(failed.code).toBe(3);
    expect(failed.stderr).toMatch(/not added to baseline "limits"[^\n]*threshold ttft\.p50 < 1ms failed/);
    expect(existsSync(join(output, 'baselines/limits'))).toBe(false);
    const accepted = await run('2ms', ...args, '--accept');
    expect(accepted.code).toBe(3);
    expect(entries('limits')).toHaveLength(1);
  }, 120_000);

  test('a run of another load is not comparable, and not added', async () => {
    const before = entries('main');
    const flags = ['--baseline', 'main', '--save-baseline', 'main', '-n', '16', '--rounds', '1'];
    const other = await run('20ms', ...flags);
    expect(other.code).toBe(5);
    expect(other.stdout).toContain('not comparable');
    expect(other.stderr).toMatch(
      /warning: this run will not be comparable with baseline "main": scenario "gate" has changed/,
    );
    expect(other.stderr).toMatch(/not added to baseline "main", which is kept as it was: not comparable/);
    expect(entries('main')).toEqual(before);
    expect(lastLine(other.stderr)).toBe('exit 5: inconclusive or not comparable');
  });

  test('pins are made, listed and removed', async () => {
    const baseline = (...words: string[]) => streambench(['baseline', ...words, '-o', output]);
    expect((await baseline('pin', 'main', 'v1')).stderr).toMatch(/pin v1 of baseline main: 1 run up to /);
    expect((await baseline('list')).stdout).toMatch(/main +1 +2\d{3}-.*v1/);
    const slower = await streambench(['compare', 'main', slow, '-o', output, '--json']);
    expect(slower.code).toBe(4);
    const { summaries } = JSON.parse(slower.stdout) as RunComparisonReport;
    expect(summaries.find(({ pin, figure }) => pin === 'v1' && figure === 'ttft.p50')).toMatchObject({
      verdict: 'regression',
    });
    expect((await baseline('unpin', 'main', 'v1')).code).toBe(0);
    const missing = await baseline('unpin', 'main', 'v1');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/no pin "v1"/);
  }, 120_000);

  test('the checks are the choice of the user', async () => {
    const chosen = await run(SLOW, '--baseline', 'main', '--regression', 'total.mean: 9900%', '--json');
    expect(chosen.code, chosen.stderr).toBe(0);
    const { baseline } = JSON.parse(chosen.stdout) as Report;
    expect(baseline!.summaries.map(({ figure, tolerance }) => [figure, tolerance])).toEqual([
      ['total.mean', 99],
    ]);
    const wrong = await run(
      SLOW,
      '--baseline',
      'main',
      '--regression',
      'tftt.p50',
      '--regression',
      'goodput',
    );
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(/unknown figure "tftt\.p50"[\s\S]*"goodput" needs objectives/);
  }, 120_000);

  test('a dry run says what can be detected', async () => {
    const { code, stdout } = await run('20ms', '--baseline', 'main', '--dry-run');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /Against baseline main \(1 accepted run\) a run detects, in 4 of 5 cases: ttft\.p50 \+\d+ %, .*assumed to be 5\.0 %/,
    );
    const wider = await run('20ms', '--baseline', 'main', '--dry-run', '--assumed-spread', '10%');
    expect(wider.stdout).toMatch(/assumed to be 10 %/);
  });

  test.each<[string, (at: string) => void, RegExp]>([
    [
      'with a truncated last line',
      (at) => edit(join(at, 'records.ndjson'), (text) => text.slice(0, -40)),
      /records\.ndjson[^\n]*(cut off|holds 39 of the 40 records)[\s\S]*truncated/,
    ],
    [
      'without its last records',
      (at) =>
        edit(join(at, 'records.ndjson'), (text) => text.split('\n').slice(0, 10).join('\n').concat('\n')),
      /records\.ndjson holds 10 of the 40 records that its run wrote/,
    ],
    ['without records', (at) => writeFileSync(join(at, 'records.ndjson'), ''), /holds 0 of the 40 records/],
    [
      'with a truncated manifest',
      (at) => edit(join(at, 'manifest.json'), (text) => text.slice(0, text.length / 2)),
      /manifest\.json: is not JSON/,
    ],
    [
      'with another schema version',
      (at) => edit(join(at, 'manifest.json'), (text) => text.replace('manifest@1', 'manifest@2')),
      /written with "streambench\/manifest@2", but this streambench reads/,
    ],
    [
      'with records of another schema version',
      (at) => edit(join(at, 'records.ndjson'), (text) => text.replaceAll('record@1', 'record@2')),
      /records\.ndjson:1: written with "streambench\/record@2"/,
    ],
    [
      'without a successful request',
      (at) =>
        edit(join(at, 'records.ndjson'), (text) => text.replaceAll('{"kind":"ok"}', '{"kind":"empty"}')),
      /baseline "bad" has no successful request among its 40/,
    ],
    [
      'of an aborted run',
      (at) =>
        edit(join(at, 'manifest.json'), (text) =>
          text.replace('"aborted": false', '"aborted": true, "abortReason": "killed"'),
        ),
      /baseline "bad" is incomplete: killed/,
    ],
  ])('that an older version saved, %s, is refused', async (_name, spoil, message) => {
    const bad = join(output, 'baselines/bad');
    cpSync(join(folder.path, 'first'), bad, { recursive: true, force: true });
    spoil(bad);
    const refused = openBaseline({ name: 'bad', output, strict: false });
    await expect(refused).rejects.toThrow(message);
  });

  test('that cannot be used is refused before anything is sent', async () => {
    const bad = join(output, 'baselines/bad');
    cpSync(join(folder.path, 'first'), bad, { recursive: true, force: true });
    writeFileSync(join(bad, 'records.ndjson'), '');
    const { code, stdout, stderr } = await run('1ms', '--baseline', 'bad');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/holds 0 of the 40 records/);
    expect(stderr).not.toContain('results: ');
  });

  test('that an older version saved is one accepted run', async () => {
    cpSync(join(folder.path, 'first'), join(output, 'baselines/older'), { recursive: true, force: true });
    const slower = await streambench(['compare', 'older', slow, '-o', output]);
    expect(slower.code, slower.stderr).toBe(4);
    const next = await run('20ms', '--save-baseline', 'older', '-q');
    expect(next.code, next.stderr).toBe(0);
    const compared = await streambench([
      'compare',
      'older',
      join(folder.path, 'first'),
      '-o',
      output,
      '--json',
    ]);
    // Of the two accepted runs one is the compared run itself.
    expect((JSON.parse(compared.stdout) as RunComparisonReport).history.runs).toHaveLength(1);
  }, 120_000);

  test('that an older version saved, damaged: left out with a warning, other runs are used', async () => {
    const at = join(output, 'baselines/half');
    cpSync(join(output, 'baselines/main'), at, { recursive: true });
    cpSync(join(folder.path, 'first'), at, { recursive: true });
    writeFileSync(join(at, 'manifest.json'), '{');
    const compared = await streambench(['compare', 'half', slow, '-o', output]);
    expect(compared.code).toBe(4);
    expect(compared.stderr).toMatch(/warning: .*half\/manifest\.json: is not JSON.*; its run is left out/);
    const history = await streambench(['history', 'half', '-o', output]);
    expect(history.code, history.stderr).toBe(0);
    expect(history.stdout).toMatch(/1 run of gate/);
    expect(history.stderr).toMatch(/warning: .*half\/manifest\.json: is not JSON/);
  });

  test('without an entry that can be used is refused, with one it is used', async () => {
    const at = join(output, 'baselines/damaged');
    cpSync(join(output, 'baselines/main'), at, { recursive: true });
    writeFileSync(join(at, '2026-01-01T00-00-00-gate-0000.json'), '{"schema":"streambench/baseline@3"}');
    const used = await streambench(['compare', 'damaged', slow, '-o', output]);
    expect(used.code).toBe(4);
    expect(used.stderr).toMatch(/warning: .*0000\.json was written with "streambench\/baseline@3"/);
    for (const file of entries('damaged')) writeFileSync(join(at, file), '{');
    const refused = await run(SLOW, '--baseline', 'damaged');
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(
      /is not JSON[\s\S]*baseline "damaged" has no accepted run that can be used/,
    );
  }, 120_000);

  test('or any other run that lost records is not compared', async () => {
    const short = join(folder.path, 'short');
    cpSync(join(folder.path, 'first'), short, { recursive: true });
    edit(join(short, 'records.ndjson'), (text) => text.slice(0, text.indexOf('\n', text.length / 2) + 1));
    const { code, stdout, stderr } = await streambench(['compare', 'main', short, '-o', output]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/holds \d+ of the 40 records/);
  });

  test('of another scenario is inconclusive, not a pass', async () => {
    const text = readFileSync(scenario, 'utf8').replace('name: gate', 'name: other').replace('hello', 'bye');
    const file = join(folder.path, 'other.yaml');
    writeFileSync(file, text);
    const args = ['run', file, '-o', output, '-n', '8', '--rounds', '1', '--baseline', 'main', '-q'];
    const { code, stdout } = await streambench(args, { env: { TTFT: '1ms' } });
    expect(code).toBe(5);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain('the runs are of different scenarios: "gate", "other"');
  });

  test('is not saved if no request succeeded', async () => {
    const args = ['--set', 'simulator.profiles.m.error={rate: 1, kind: http_500}', '--save-baseline', 'none'];
    const { code, stderr } = await run('1ms', '-n', '4', '-c', '4', '--rounds', '1', ...args, '--accept');
    expect(code).toBe(7);
    expect(stderr).toMatch(/not added to baseline "none", [^\n]*no request succeeded/);
    expect(existsSync(join(output, 'baselines/none'))).toBe(false);
  });

  test.each<[string, () => string[], RegExp]>([
    [
      'that is missing',
      () => ['run', scenario, '--baseline', 'nope'],
      /no baseline "nope"[\s\S]*--save-baseline nope/,
    ],
    ['with a bad name', () => ['run', scenario, '--save-baseline', '../x'], /invalid baseline name/],
    ['that is not a run', () => ['compare', folder.path, folder.path], /manifest\.json|no run/],
    [
      'with another schema',
      () => {
        const old = join(folder.path, 'old');
        mkdirSync(old, { recursive: true });
        writeFileSync(join(old, 'manifest.json'), '{"schema":"streambench/manifest@9"}');
        writeFileSync(join(old, 'records.ndjson'), '');
        return ['compare', old, old];
      },
      /manifest@9/,
    ],
  ])('%s is an error, never a pass', async (_name, args, message) => {
    const { code, stdout, stderr } = await streambench(args(), { env: { TTFT: '1ms' } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('thresholds', () => {
  test('decide the exit code, and are printed with the measured value', async () => {
    const { code, stdout } = await run(
      '20ms',
      '-n',
      '8',
      '--rounds',
      '1',
      '--threshold',
      'ttft.p50 < 1ms',
      '--threshold',
      'errors.rate < 1%',
    );
    expect(code).toBe(3);
    expect(stdout).toMatch(/fail +ttft\.p50 < 1ms: \d+ ms/);
    expect(stdout).toMatch(/pass +errors\.rate < 1%: 0 %/);
  });

  test('that are invalid are all refused together, before any request is sent', async () => {
    const invalid: [string, RegExp][] = [
      ['tftt.p95 < 1s', /unknown metric "tftt"[\s\S]*did you mean "ttft"/],
      ['ttft.p9x < 1s', /"ttft" has no figure "p9x"[\s\S]*known: p50, p90, p95/],
      ['ttft.p95 < 1parsec', /unknown unit "parsec"[\s\S]*us, ms, s, m, h/],
      ['ttft.p95{model=t} < 1s', /unknown label "model"[\s\S]*(known: target|did you mean "mode")/],
      ['ttft.p95{target=x} < 1s', /no target "x" in this run[\s\S]*did you mean "t"\?/],
      ['ttft.p95 < 100', /unit/],
      ['goodput.rate > 95%', /this run states none[\s\S]*--objective "ttft < 500ms"/],
    ];
    const { code, stdout, stderr } = await run('20ms', ...invalid.flatMap(([text]) => ['--threshold', text]));
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/7 problems/);
    for (const [, message] of invalid) expect(stderr).toMatch(message);
    expect(lastLine(stderr)).toMatch(/^exit 2: .*nothing was sent$/);
  });

  test('without a value fail with "no data"; a cell without an answer is never a pass', async () => {
    const none = await run('1ms', '-n', '4', '-c', '4', '--rounds', '1', '--threshold', 'tls.p50 < 1s');
    expect(none.code).toBe(3);
    expect(none.stdout).toMatch(/no-data +tls\.p50 < 1s: no data/);
    const fail = 'simulator.profiles.m.error={rate: 1, kind: http_500}';
    const failed = await run(
      '1ms',
      '-n',
      '4',
      '-c',
      '4',
      '--rounds',
      '1',
      '--set',
      fail,
      '--threshold',
      'ttft.p50 < 1h',
    );
    expect(failed.code).toBe(7);
    expect(failed.stdout).toMatch(/no-data +ttft\.p50 < 1h: no data/);
  });

  test('on goodput use the stated objectives, and the figure is rebuilt from the records', async () => {
    const objectives = ['--objective', 'ttft < 10s', '--objective', 'longest_gap < 10s'];
    const gates = ['--threshold', 'goodput > 1/s', '--threshold', 'goodput.rate > 95%'];
    const good = await run('20ms', '-n', '8', '--rounds', '1', ...objectives, ...gates, '--json');
    expect(good.code, good.stderr).toBe(0);
    const report = JSON.parse(good.stdout) as Report;
    expect(report.cells[0]!.goodput).toMatchObject({ share: 1, met: 8, requests: 8 });
    const again = await streambench(['report', join(output, report.run.id), '-f', 'json']);
    expect(again.stdout).toBe(good.stdout);
    const bad = await run('20ms', '-n', '8', '--rounds', '1', '--objective', 'ttft < 1ms', ...gates);
    expect(bad.code).toBe(3);
    expect(bad.stdout).toMatch(/fail +goodput\.rate > 95%: 0 %/);
    const wrong = await run('20ms', '--objective', 'ttft.p95 < 1s', '--objective', 'tftt < 1s');
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toMatch(
      /2 problems[\s\S]*--objective ttft\.p95 < 1s: [\s\S]*no percentile[\s\S]*"ttft"/,
    );
  }, 120_000);
});

test('a service that generates the whole answer first is detected', async () => {
  const file = join(folder.path, 'verdict.yaml');
  writeFileSync(
    file,
    `version: 1
name: verdict
targets:
  - { name: real, provider: simulator, profile: real }
  - { name: fake, provider: simulator, profile: fake }
prompts: [{ name: p, text: hello }]
load: { concurrency: 3, requests: 6, rounds: 1 }
thresholds: [streaming.verdict == streaming]
simulator:
  profiles:
    real: { ttft: 60ms, gap: { mean: 12ms, sd: 4ms }, tokens: 30 }
    fake: { ttft: 60ms, gap: { mean: 12ms, sd: 4ms }, tokens: 30, mode: burst }
`,
  );
  const { code, stdout } = await streambench(['run', file, '-o', output, '--json']);
  expect(code).toBe(3);
  const report = JSON.parse(stdout) as Report;
  expect(report.cells.map(({ target, streaming }) => [target, streaming?.verdict])).toEqual([
    ['real', 'streaming'],
    ['fake', 'buffered'],
  ]);
  expect(report.cells[1]!.streaming!.evidence).toMatch(/30 chunks in .* after a wait of /);
  expect(report.gates[0]).toMatchObject({ verdict: 'fail', actual: 'buffered' });
});

test('ab says in a sentence which side is faster', async () => {
  const { code, stdout } = await streambench([
    'ab',
    'simulator/glm-4-flash',
    'simulator/glm-4.6',
    ...['-n', '40', '-c', '20', '--rounds', '1', '--set', 'prompts.0.maxTokens=4'],
    '-o',
    output,
  ]);
  expect(code).toBe(0);
  expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/first token \d\.\d+x faster with glm-4-flash \(\d/);
}, 120_000);

test('several threads measure the same as one, and each request has one record', async () => {
  const simulator = createSimulator({
    profiles: { m: { ttft: constant(40), gap: constant(1), tokens: constant(5) } },
  });
  const { url } = await simulator.listen();
  try {
    for (const workers of [1, 3]) {
      const { code, stdout, stderr } = await streambench([
        ...['run', '--target', `${url}/v1`, '--provider', 'openai', '--model', 'm', '-o', output, '--json'],
        ...['-c', '7', '-n', '70', '--rounds', '2', '--workers', String(workers)],
      ]);
      expect(code, stderr).toBe(0);
      const { run, cells } = JSON.parse(stdout) as Report;
      expect(cells[0]!.outcomes).toEqual({ ok: 70 });
      expect(cells[0]!.client!.threads).toBe(workers);
      // Each record belongs to another request in the simulator's log, which knows when it sent the first token.
      const truth = new Map(simulator.log.map((entry) => [entry.requestId, entry]));
      const lines = readFileSync(join(output, run.id, 'records.ndjson'), 'utf8')
        .trim()
        .split('\n');
      const errorsMs = lines.map((line) => {
        const { headers, marks } = JSON.parse(line) as RequestRecord;
        const id = headers!['x-request-id']!;
        const { chunks, receivedAtMs } = truth.get(id)!;
        truth.delete(id);
        const { sentAtMs } = chunks.find(({ contentEvents }) => contentEvents > 0)!;
        return Math.abs(marks.firstToken! - marks.sent! - (sentAtMs - receivedAtMs));
      });
      expect(errorsMs).toHaveLength(70);
      errorsMs.sort((a, b) => a - b);
      // Other work on this machine delays some requests on either side; what the client adds by itself, it adds to all.
      expect(errorsMs[Math.floor(errorsMs.length / 10)]).toBeLessThan(10);
    }
  } finally {
    await simulator.close();
  }
}, 120_000);

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import type { RequestRecord } from '../../src/model/record.ts';
import type { Report } from '../../src/model/report.ts';
import { type ArrivalServer, arrivalServer } from '../support/arrival-log.ts';
import { scratch, streambench } from '../support/program.ts';

// The shapes of load, as a server in a process of its own saw them.

const folder = scratch();
afterAll(() => folder.dispose());

const servers: ArrivalServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

let runs = 0;

async function run(kind: 'short' | 'endless', rest: string, flags: readonly string[] = []) {
  const server = await arrivalServer(kind);
  servers.push(server);
  const number = runs++;
  const output = join(folder.path, `out${number}`);
  const file = join(folder.path, `s${number}.yaml`);
  writeFileSync(
    file,
    `version: 1
name: shapes
targets: [{ name: local, url: ${server.url}, dialect: openai-chat, model: m }]
prompts: [{ name: short, text: hello }]
${rest}`,
  );
  const finished = await streambench(['run', file, '-o', output, ...flags]);
  const path = join(output, readdirSync(output).sort().at(-1)!);
  const read = (name: string) => readFileSync(join(path, name), 'utf8');
  const records = read('records.ndjson')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as RequestRecord);
  return {
    ...finished,
    ...(await server.log()),
    path,
    records,
    report: JSON.parse(read('report.json')) as Report,
  };
}

test('stages: the server sees the load of each one, and the report has its figures', async () => {
  const { code, stderr, stdout, arrivals, records, report, path } = await run(
    'short',
    `load:
  arrivals: constant
  warmup: 0
  stages:
    - { rate: { from: 0, to: 40 }, duration: 250ms, measured: false }
    - { name: base, rate: 40, duration: 250ms }
    - { name: ramp, rate: { from: 40, to: 160 }, duration: 500ms }
    - { name: spike, rate: 160, until: 1250ms }
thresholds: ["errors.rate{stage=spike} == 0%"]
`,
  );
  expect(code, stderr).toBe(0);
  const expected = { base: 10, ramp: 50, spike: 40 };
  expect(Object.fromEntries(report.cells.map(({ stage, outcomes }) => [stage, outcomes.ok]))).toEqual(
    expected,
  );
  expect(arrivals).toHaveLength(5 + 10 + 50 + 40);
  // How late a request was sent depends on the machine, and is in its record. That the record is right, the server knows.
  const started = records.map(({ marks }) => marks.started).sort((a, b) => a - b);
  const travelMs = arrivals
    .slice(5)
    .map((at, i) => at - started[i]!)
    .sort((a, b) => a - b);
  expect(travelMs[Math.floor(travelMs.length / 2)]! - travelMs[0]!).toBeLessThan(250);
  expect(stdout).toMatch(/ramp 40-160\/s/);
  expect(stdout).toContain('pass     errors.rate{stage=spike} == 0%');
  const again = await streambench(['report', path]);
  expect(again.stdout).toBe(stdout);
});

test('the load of a closed loop rises before its window, and those requests are not counted', async () => {
  const { code, stderr, arrivals, records } = await run(
    'short',
    'load: { concurrency: 4, requests: 40, rounds: 1, rampUp: 200ms, warmup: 100ms }\n',
  );
  expect(code, stderr).toBe(0);
  expect(records).toHaveLength(40);
  expect(arrivals.length).toBeGreaterThan(40);
  expect(records[0]!.stage).toBeUndefined();
});

test('-d ends a run against streams that never end: they are cut, and are neither successes nor failures', async () => {
  const { code, stdout, records, report, open, most } = await run('endless', '', [
    ...['-d', '600ms', '--grace', '300ms', '-c', '3', '--rounds', '1', '--warmup', '0'],
  ]);
  // No stream has succeeded, and no data is never a pass.
  expect(code).toBe(7);
  expect(report.run.aborted).toBe(false);
  expect(records.map(({ outcome }) => outcome.kind)).toEqual(Array(3).fill('cut'));
  expect(records.some(({ contentEvents }) => contentEvents > 1)).toBe(true);
  expect(report.cells[0]!.outcomes).toEqual({ cut: 3 });
  expect(report.cells[0]!.failures).toEqual([]);
  expect(stdout).toContain('say with --for how long to read endless streams');
  expect({ open, most }).toEqual({ open: 0, most: 3 });
});

test('--for reads endless streams for a time: they are ok, and their figures are rates, gaps and stalls', async () => {
  const { code, stderr, stdout, records, report, open } = await run('endless', 'stall: 10s\n', [
    ...['--for', '800ms', '-n', '2', '-c', '2', '--rounds', '1', '--warmup', '0'],
    ...['--threshold', 'stalls.max == 0', '--threshold', 'chunk_rate.p50 > 1'],
  ]);
  expect(code, stderr + stdout).toBe(0);
  expect(records.map(({ outcome, cut }) => [outcome.kind, cut])).toEqual(Array(2).fill(['ok', true]));
  const [cell] = report.cells;
  expect(cell).toMatchObject({ outcomes: { ok: 2 }, cutStreams: 2 });
  expect(cell!.metrics.total).toBeNull();
  expect(cell!.metrics.gap!.n).toBeGreaterThan(4);
  expect(['streaming', 'coarse', 'inconclusive']).toContain(cell!.streaming!.verdict);
  expect(stdout).toContain('Cut as planned (for): ');
  expect(stdout).not.toContain('truncated');
  expect(open).toBe(0);
});

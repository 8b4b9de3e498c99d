import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { mergeRuns } from '../../../src/bench/machines/merge.ts';
import { reportRun } from '../../../src/bench/run/report-builder.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import type { Manifest } from '../../../src/model/report.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import { roundRecord } from '../../../src/results/round-record.ts';
import { manifest as plainManifest, record } from '../../metrics/records.ts';

const root = mkdtempSync(join(tmpdir(), 'streambench-merge-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const STARTED = Date.parse('2026-11-21T10:00:00.000Z');
const CELLS = [
  { target: 'flash', prompt: 'short', concurrency: 4, mode: 'streaming' },
  { target: 'flash', prompt: 'long', concurrency: 4, mode: 'streaming' },
] as const;

/** 600 requests of four streams, in the order of their ends. */
function wholeRun(): RequestRecord[] {
  const random = createRandom(3);
  const free = [0, 0, 0, 0];
  const records = Array.from({ length: 600 }, (_, index) => {
    const stream = free.indexOf(Math.min(...free));
    const started = free[stream]! + 1;
    const ttft = 50 + 200 * random.next();
    const gaps = Array.from({ length: 4 }, () => 5 + 20 * random.next());
    const lastToken = started + ttft + gaps.reduce((sum, gap) => sum + gap);
    free[stream] = lastToken + 1;
    const marks = {
      ...{ scheduled: started, started, sent: started, headers: started + 20, firstByte: started + 21 },
      ...{ firstEvent: started + 22, firstToken: started + ttft, firstAnswer: started + ttft },
      ...{ lastToken, end: lastToken + 1 },
    };
    const failed = index % 50 === 49;
    return record({
      ...CELLS[Math.floor(index / 150) % 2]!,
      round: Math.floor(index / 300),
      marks,
      gaps,
      tokens: { output: 5 + random.below(20), source: 'usage' },
      connection: { reused: index >= 4 },
      outcome: failed ? { kind: 'truncated', message: 'the stream ended early' } : { kind: 'ok' },
    });
  });
  records.sort((a, b) => a.marks.end! - b.marks.end!);
  return records.map((one, seq) => roundRecord({ ...one, seq }));
}

const RECORDS = wholeRun();

type Changes = Omit<Partial<Manifest>, 'run'> & { run?: Partial<Manifest['run']> };

function manifestOf({ run, ...changes }: Changes, planned: number): Manifest {
  const base = plainManifest({ cells: CELLS, thresholds: ['ttft.p95 < 10s', 'ttft.p95 < 100ms'] });
  const startedAt = new Date(STARTED).toISOString();
  const ended = { endedAt: new Date(STARTED + 60_000).toISOString(), durationMs: 60_000 };
  return {
    ...base,
    ...changes,
    records: planned,
    run: { ...base.run, startedAt, ...ended, planned, rounds: 2, ...run },
  };
}

let folders = 0;
function store(manifest: Manifest, records: readonly RequestRecord[]): string {
  const folder = join(root, `run${folders++}`);
  mkdirSync(folder);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'records.ndjson'), records.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return folder;
}

/** Shard `number` of the run: every n-th record, its marks from its own start. */
function storeShard(number: number, of: number, changes: Changes = {}, startedMs = 0): string {
  const own = RECORDS.filter((_, index) => index % of === number - 1).map((one, seq) =>
    roundRecord({
      ...one,
      seq,
      marks: Object.fromEntries(
        Object.entries(one.marks).map(([name, at]) => [name, at - startedMs]),
      ) as unknown as RequestRecord['marks'],
    }),
  );
  const run = {
    id: `shard-${number}`,
    startedAt: new Date(STARTED + startedMs).toISOString(),
    ...changes.run,
  };
  const shard = { number, of, host: `host-${number}` };
  return store(manifestOf({ shard, ...changes, run }, own.length), own);
}

const read = (folder: string) =>
  readFileSync(join(folder, 'records.ndjson'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RequestRecord);

let outputs = 0;
const output = () => join(root, `merged${outputs++}`);

describe('four shards merged', () => {
  test('are the one run with the same records: every record, figure and percentile', async () => {
    const one = await reportRun(store(manifestOf({}, RECORDS.length), RECORDS));
    // In any order.
    const shards = [3, 1, 4, 2].map((number) => storeShard(number, 4));
    const { report, folder } = await mergeRuns(shards, { folder: output() });

    expect(report.cells).toEqual(one.report.cells);
    expect(report.gates).toEqual(one.report.gates);
    expect(report.gates.map(({ verdict }) => verdict)).toEqual(['pass', 'fail']);
    expect(report.run).toMatchObject({ planned: 600, aborted: false, rounds: 2 });
    expect(read(folder).map(({ shard: _, ...rest }) => rest)).toEqual(JSON.parse(JSON.stringify(RECORDS)));
    expect(read(folder).map(({ shard }) => shard)).toEqual(RECORDS.map((_, index) => (index % 4) + 1));
  });

  test('are a run as any other: its report can be rebuilt', async () => {
    const shards = [1, 2, 3, 4].map((number) => storeShard(number, 4));
    const { report, folder } = await mergeRuns(shards, { folder: output() });
    const again = await reportRun(folder);
    expect(again.warnings).toEqual([]);
    expect(JSON.parse(JSON.stringify(again.report))).toEqual(JSON.parse(JSON.stringify(report)));
  });

  test('count from the start of the first: marks of a later one are moved, and by how much is said', async () => {
    const shards = [storeShard(1, 2), storeShard(2, 2, {}, -1_500)];
    const { report, folder } = await mergeRuns(shards, { folder: output() });
    expect(report.run.startedAt).toBe(new Date(STARTED - 1_500).toISOString());
    expect(report.machines?.shards.map(({ shiftMs }) => shiftMs)).toEqual([1_500, 0]);
    const spans = (records: RequestRecord[]) => records.map(({ marks }) => marks.end! - marks.started);
    expect(spans(read(folder))).toEqual(spans(RECORDS).map((ms) => expect.closeTo(ms, 3)));
    expect(read(folder)[0]!.marks.started).toBeCloseTo(RECORDS[0]!.marks.started + 1_500, 3);
  });

  test('have the clock of each machine against the server, and its utilization', async () => {
    const date = new Date(STARTED).toUTCString();
    const dated = RECORDS.map((one) => ({ ...one, headers: { date } }));
    const thread = { windowMs: 1_000, delayP99Ms: 3, delayMaxMs: 9, gcMs: 1, cpuMs: 100 };
    const loads = [{ round: 0, cell: 0, threads: [{ ...thread, utilization: 0.25 }] }];
    const shard = { number: 1, of: 1, host: 'a' };
    const folder = store(manifestOf({ shard, loads }, 600), dated);
    const { report } = await mergeRuns([folder], { folder: output() });
    const [machine] = report.machines!.shards;
    expect(machine).toMatchObject({ host: 'a', utilization: 0.25, delayP99Ms: 3, requests: 600 });
    // The first response was read 21 ms after the start, with the time of the start: the server may be behind by that much.
    expect(machine!.clock).toEqual([
      { target: 'flash', least: -21, most: expect.any(Number), responses: 600 },
    ]);
  });

  test('say in which block they overlapped least', async () => {
    const shards = [1, 2].map((number) => storeShard(number, 2));
    const { report } = await mergeRuns(shards, { folder: output() });
    expect(report.machines!.leastOverlap!.share).toBeGreaterThan(0.9);
    const apart = [storeShard(1, 2), storeShard(2, 2, { run: { startedAt: '2026-11-21T12:00:00.000Z' } })];
    const later = await mergeRuns(apart, { folder: output() });
    expect(later.report.machines!.leastOverlap!.share).toBe(0);
  });

  test('are incomplete where one of them is, and say why', async () => {
    const shards = [
      storeShard(1, 2),
      storeShard(2, 2, { run: { aborted: true, abortReason: 'interrupted' } }),
    ];
    const { report } = await mergeRuns(shards, { folder: output() });
    expect(report.run).toMatchObject({ aborted: true, abortReason: 'shard 2 of 2: interrupted' });
  });

  test('are incomplete where records of one are missing', async () => {
    const shards = [storeShard(1, 2), storeShard(2, 2)];
    const path = join(shards[1]!, 'records.ndjson');
    writeFileSync(path, readFileSync(path, 'utf8').split('\n').slice(0, 290).join('\n'));
    const warnings: string[] = [];
    const { report } = await mergeRuns(shards, {
      folder: output(),
      warning: (message) => warnings.push(message),
    });
    expect(report.run.abortReason).toBe('shard 2 of 2: 10 of 300 records are missing');
    expect(warnings.join()).toContain('holds 290 of the 300 records');
  });

  test('are never written over another run', async () => {
    const shards = [storeShard(1, 1)];
    const folder = output();
    await mergeRuns(shards, { folder });
    await expect(mergeRuns(shards, { folder })).rejects.toMatchObject({ code: 'output_unwritable' });
  });
});

describe('runs that are not the shards of one run are refused', () => {
  async function refusal(shards: readonly string[]): Promise<string[]> {
    const folder = output();
    const error: unknown = await mergeRuns(shards, { folder }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof UserError)) throw error ?? new Error('it was accepted');
    expect(error.problems.every(({ hint }) => hint !== undefined)).toBe(true);
    return error.problems.map(({ message, place }) => `${place?.file ?? ''} ${message}`);
  }

  test('a shard is missing', async () => {
    expect(await refusal([storeShard(1, 4), storeShard(3, 4)])).toEqual([' 2 of 4 shards are missing: 2, 4']);
    expect(await refusal([storeShard(1, 2)])).toEqual([' shard 2 of 2 is missing']);
  });

  test('a shard is given twice', async () => {
    const [one, two] = [storeShard(1, 2), storeShard(2, 2)];
    expect(await refusal([one, two, one])).toEqual([`${one}/manifest.json shard 1 of 2 is given twice`]);
    const retried = storeShard(1, 2, { run: { aborted: true } });
    const [problem] = await refusal([retried, one, two]);
    expect(problem).toContain('shard 1 of 2 is given twice: also');
    expect(problem).toContain('incomplete');
  });

  test('all that is wrong is listed at once', async () => {
    const document = { load: { concurrency: 9 } };
    const scenario = { ...plainManifest().scenario, document, hash: 'f'.repeat(64) };
    const found = await refusal([
      storeShard(1, 4),
      storeShard(2, 4, { scenario }),
      storeShard(3, 4, { run: { seed: 8 } }),
      store(manifestOf({}, 0), []),
    ]);
    expect(found).toHaveLength(3);
    expect(found.join('\n')).toMatch(/this run is not a shard/);
    expect(found.join('\n')).toMatch(/the scenario differs: .* they differ in .*load/);
    expect(found.join('\n')).toMatch(/the seed differs: 8 here, 42 in /);
  });

  test.each([
    ['the version of streambench', { environment: { ...plainManifest().environment, streambench: '9.9.9' } }],
    ['the number of rounds', { run: { rounds: 3 } }],
    ['the start time', { shard: { number: 2, of: 2, host: 'b', startAt: '2026-11-21T10:00:00.000Z' } }],
    ['the plan', { stallMs: 5 }],
    ['what the gates check', { thresholds: ['ttft.p95 < 1h'] }],
  ] as const)('%s differs', async (what, changes) => {
    const [problem] = await refusal([storeShard(1, 2), storeShard(2, 2, changes)]);
    expect(problem).toContain(`${what} differs`);
  });

  test('the jobs differ, where both are known', async () => {
    const shardOf = (number: number, group?: string) => ({ shard: { number, of: 2, host: 'h', group } });
    const [problem] = await refusal([storeShard(1, 2, shardOf(1, '17')), storeShard(2, 2, shardOf(2, '18'))]);
    expect(problem).toContain('the job of the scheduler differs: 18 here, 17');
    const known = [storeShard(1, 2, shardOf(1, '17')), storeShard(2, 2, shardOf(2))];
    expect((await mergeRuns(known, { folder: output() })).report.run.aborted).toBe(false);
  });

  test('a merged run', async () => {
    const { folder } = await mergeRuns([storeShard(1, 1)], { folder: output() });
    expect((await refusal([folder]))[0]).toContain('has been merged already');
  });

  test('a folder that is no run, with the others that are not', async () => {
    const found = await refusal([join(root, 'nowhere'), root, storeShard(1, 3)]);
    expect(found).toHaveLength(2);
  });
});

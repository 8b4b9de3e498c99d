import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  appendAcceptedRun,
  baselineNames,
  checkBaselineName,
  dropAcceptedRun,
  dropBaseline,
  findBaseline,
  KEPT_RUNS,
  PINNED_RUNS,
  pinBaseline,
  readBaseline,
  unpinBaseline,
} from '../../src/results/baselines.ts';
import { acceptedRun } from '../analysis/regression/accepted.ts';

const root = mkdtempSync(join(tmpdir(), 'streambench-baselines-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const output = join(root, 'out');
const main = join(output, 'baselines/main');
beforeEach(() => rmSync(output, { recursive: true, force: true }));

/** The nth run of a day. */
const nth = (n: number) =>
  acceptedRun({ id: `2026-11-21T${String(n).padStart(2, '0')}-00-00-demo-0000`, minute: n });
const append = async (count: number) => {
  for (let n = 0; n < count; n++) await appendAcceptedRun(output, 'main', nth(n));
};
const ids = async () => (await readBaseline(main)).runs.map(({ manifest }) => manifest.run.id);

describe('a store of accepted runs', () => {
  test('keeps what was appended, oldest first', async () => {
    await appendAcceptedRun(output, 'main', nth(1));
    const path = await appendAcceptedRun(output, 'main', nth(0));
    expect(path).toBe(join(main, `${nth(0).manifest.run.id}.json`));
    expect((await readBaseline(main)).runs).toEqual([nth(0), nth(1)]);
    expect(await findBaseline(output, 'main')).toEqual({ kind: 'store', folder: main, oldRun: false });
    expect(await findBaseline(output, main)).toEqual({ kind: 'store', folder: main, oldRun: false });
    expect(await baselineNames(output)).toEqual(['main']);
  });

  test('a run that is appended again is there once', async () => {
    await append(1);
    await append(1);
    expect(await ids()).toHaveLength(1);
    // Nothing is left of writing it.
    expect(readdirSync(main)).toHaveLength(1);
  });

  test('keeps the newest runs', async () => {
    await append(KEPT_RUNS + 2);
    const kept = await ids();
    expect(kept).toHaveLength(KEPT_RUNS);
    expect(kept[0]).toBe(nth(2).manifest.run.id);
  });

  test.each<[string, (text: string) => string, RegExp]>([
    ['that was cut off', (text) => text.slice(0, 100), /is not JSON: it is skipped; delete it/],
    [
      'of another version',
      (text) => text.replace('baseline@2', 'baseline@3'),
      /written with "streambench\/baseline@3"/,
    ],
    ['without cells', (text) => text.replace('"cells":[', '"cell":['), /is incomplete: it is skipped/],
    ['with a value that is text', (text) => text.replace(/"value":[\d.]+/, '"value":"1"'), /is incomplete/],
    ['that is a list', () => '[]', /has no schema/],
  ])('an entry %s is skipped with a warning', async (_name, spoil, message) => {
    await append(2);
    const path = join(main, `${nth(1).manifest.run.id}.json`);
    writeFileSync(path, spoil(readFileSync(path, 'utf8')));
    const { runs, warnings } = await readBaseline(main);
    expect(runs).toEqual([nth(0)]);
    expect(warnings).toEqual([expect.stringMatching(message)]);
    expect(warnings[0]).toContain(path);
  });

  test('with the run of an older version in it says so', async () => {
    mkdirSync(main, { recursive: true });
    writeFileSync(join(main, 'manifest.json'), '{}');
    writeFileSync(join(main, 'report.json'), '{}');
    expect(await findBaseline(output, 'main')).toEqual({ kind: 'store', folder: main, oldRun: true });
    await append(1);
    expect((await readBaseline(main)).warnings).toEqual([]);
  });

  test('drops a run, or all', async () => {
    await append(2);
    await dropAcceptedRun(main, nth(0).manifest.run.id);
    expect(await ids()).toEqual([nth(1).manifest.run.id]);
    await expect(dropAcceptedRun(main, 'nope')).rejects.toMatchObject({ code: 'results_not_found' });
    await dropBaseline(main);
    expect(existsSync(main)).toBe(false);
  });

  test('that does not exist is an error with the remedy', async () => {
    await append(1);
    await expect(findBaseline(output, 'mian')).rejects.toMatchObject({
      code: 'results_not_found',
      message: expect.stringMatching(/did you mean "main"[\s\S]*--save-baseline mian/),
    });
  });

  test.each(['', '.', '..', '../x', 'a/b', '-rf', 'a b'])('is not made under the name %j', async (name) => {
    expect(() => checkBaselineName(name)).toThrow(/invalid baseline name/);
    await expect(appendAcceptedRun(output, name, nth(0))).rejects.toThrow(/invalid baseline name/);
  });
});

describe('a pin', () => {
  test('keeps the newest runs as they were, also when the store moves on', async () => {
    await append(PINNED_RUNS + 2);
    await pinBaseline(await readBaseline(main), 'v1.2');
    await append(KEPT_RUNS + 2);
    const { pins, warnings } = await readBaseline(main);
    expect(warnings).toEqual([]);
    expect(pins).toHaveLength(1);
    expect(pins[0]!.name).toBe('v1.2');
    expect(pins[0]!.runs.map(({ manifest }) => manifest.run.id)).toEqual(
      Array.from({ length: PINNED_RUNS }, (_, n) => nth(n + 2).manifest.run.id),
    );
  });

  test('can end at an older run', async () => {
    await append(4);
    const pin = await pinBaseline(await readBaseline(main), 'old', nth(1).manifest.run.id);
    expect(pin.runs).toEqual([nth(0), nth(1)]);
  });

  test('of a run that is not there, or of nothing, is an error', async () => {
    await append(1);
    const store = await readBaseline(main);
    await expect(pinBaseline(store, 'v1', 'nope')).rejects.toMatchObject({ code: 'results_not_found' });
    await expect(pinBaseline({ ...store, runs: [] }, 'v1')).rejects.toThrow(/no accepted run/);
    await expect(pinBaseline(store, '../v1')).rejects.toThrow(/invalid pin/);
    await expect(unpinBaseline(main, 'v1')).rejects.toMatchObject({ code: 'results_not_found' });
  });

  test('is removed; a damaged one is skipped with a warning', async () => {
    await append(1);
    await pinBaseline(await readBaseline(main), 'a');
    await pinBaseline(await readBaseline(main), 'b');
    await unpinBaseline(main, 'a');
    writeFileSync(join(main, 'pins/b.json'), '{"schema":"streambench/pin@1","name":"b","runs":[]}');
    const { pins, warnings } = await readBaseline(main);
    expect(pins).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/pins\/b\.json is incomplete/)]);
  });
});

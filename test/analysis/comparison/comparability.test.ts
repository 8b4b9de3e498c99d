import { describe, expect, test } from 'vitest';
import { comparability } from '../../../src/analysis/comparison/comparability.ts';
import type { Manifest, UniqueInfo } from '../../../src/model/report.ts';
import { manifest } from '../../metrics/records.ts';

function run(unique?: UniqueInfo): Manifest {
  const base = manifest();
  return { ...base, run: { ...base.run, unique } };
}

const UNIQUE: UniqueInfo = { salt: 'a', prefixChars: 10, same: [] };
const ONE: UniqueInfo = {
  ...UNIQUE,
  same: [{ target: 'flash', prompt: 'short', why: 'unique: false', asked: true }],
};

test('runs of unique prompts and runs of repeated prompts are not comparable', () => {
  const obstacles = (base?: UniqueInfo, next?: UniqueInfo) => comparability(run(base), run(next)).obstacles;
  expect(obstacles(UNIQUE, { ...UNIQUE, salt: 'b' })).toEqual([]);
  expect(obstacles(ONE, { ...ONE, salt: 'b' })).toEqual([]);
  expect(obstacles()).toEqual([]);
  expect(obstacles(undefined, UNIQUE)).toEqual([
    'the prompts differ: the same in every request; unique in every request',
  ]);
  expect(obstacles(UNIQUE, ONE)).toEqual([
    'the prompts differ: unique in every request; unique except flash/short',
  ]);
});

describe('an imported run', () => {
  const origin = { tool: 'AIPerf', version: '0.13.0', files: [], definitions: {}, notes: [] };
  const named = (name: string, changes: Partial<Manifest> = {}): Manifest => ({
    ...manifest(changes),
    scenario: { name, hash: name + String(changes.origin?.tool), document: {} },
  });

  test('is compared by its name, also with a run of streambench; another tool is a warning', () => {
    const base = named('nightly');
    const { obstacles, warnings } = comparability(base, {
      ...named('nightly', { origin }),
      run: { ...base.run, planned: 16, rounds: 1 },
    });
    expect(obstacles).toEqual([]);
    expect(warnings).toEqual([
      'the load differs: 80 requests in 5 rounds; 16 requests in 1 round',
      'the tool that measured, and with it the definition of each metric, differs: streambench 0.1.0, AIPerf 0.13.0',
    ]);
  });

  test('of another name is not compared', () => {
    expect(comparability(named('a', { origin }), named('b', { origin })).obstacles).toEqual([
      'the runs have different names: "a", "b"; import runs of the same load with one --name',
    ]);
  });
});

import { expect, test } from 'vitest';
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

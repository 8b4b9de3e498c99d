import { expect, test } from 'vitest';
import { type PastRun, partSalt } from '../../../src/bench/run/resume.ts';

test('each part of a run has a salt of its own, also where one is given', () => {
  const part = (number: number) => ({ part: number }) as PastRun;
  expect(partSalt('s', undefined)).toBe('s');
  expect([partSalt('s', part(1)), partSalt('s', part(2))]).toEqual(['s.1', 's.2']);
  expect(partSalt(undefined, part(1))).toBeUndefined();
});

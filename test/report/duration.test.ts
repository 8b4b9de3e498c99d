import { expect, test } from 'vitest';
import { durationOf, runLine } from '../../src/report/wording/notes.ts';
import { sampleReport } from './sample.ts';

test('a duration is what the monotonic clock says; without it, the wall clock of older runs', () => {
  const { run } = sampleReport();
  const jumped = { ...run, startedAt: '2026-11-21T03:00:00.000Z', endedAt: '2026-11-23T03:00:00.000Z' };
  expect(durationOf({ ...jumped, durationMs: 42_000 })).toBe(42_000);
  expect(runLine({ ...sampleReport(), run: { ...jumped, durationMs: 42_000 } })).toContain('took 42 s');
  expect(durationOf(jumped)).toBe(48 * 3_600_000);
  const { endedAt: _, ...unfinished } = jumped;
  expect(durationOf(unfinished)).toBeUndefined();
});

import { describe, expect, test } from 'vitest';
import { runStart, startTime, waitForStart } from '../../../src/bench/machines/start-at.ts';
import { UserError } from '../../../src/model/errors.ts';

const NOW = new Date('2026-11-21T14:00:00.000Z');

describe('--start-at', () => {
  test.each([
    ['2026-11-21T14:05:00Z', '2026-11-21T14:05:00.000Z'],
    ['2026-11-21T15:05:00+01:00', '2026-11-21T14:05:00.000Z'],
    ['2026-11-21T14:05:00.250Z', '2026-11-21T14:05:00.250Z'],
    ['1795270000', '2026-11-21T14:06:40.000Z'],
    ['1795270000.5', '2026-11-21T14:06:40.500Z'],
    ['1795270000500', '2026-11-21T14:06:40.500Z'],
  ])('%s is %s', (text, time) => {
    expect(startTime(text, NOW).toISOString()).toBe(time);
  });

  test('in the past is refused, but for ten seconds', () => {
    expect(startTime('2026-11-21T13:59:50Z', NOW).toISOString()).toBe('2026-11-21T13:59:50.000Z');
    expect(() => startTime('2026-11-21T13:59:49Z', NOW)).toThrow(UserError);
    expect(() => startTime('2026-11-21T13:59:49Z', NOW)).toThrow(/11 s ago .* at most 10 s are accepted/);
  });

  test('a day ahead is refused: a mistake in the date or the unit', () => {
    expect(() => startTime('2026-11-22T14:00:01Z', NOW)).toThrow(/more than 24 h ahead/);
  });
});

describe('the start of a run', () => {
  const clock = (now: number) => ({ now: () => now, wallTime: () => NOW });

  test('is the given time on both clocks', () => {
    const at = new Date(NOW.getTime() + 2_500);
    expect(runStart(clock(700), at)).toEqual({ startedAt: at, originAt: 3_200 });
    expect(runStart(clock(700))).toEqual({ startedAt: NOW, originAt: 700 });
  });

  test('is not waited for once it has passed, and then how late it is', async () => {
    const start = { startedAt: NOW, originAt: 500 };
    expect(await waitForStart(start, clock(800), new AbortController().signal)).toBe(300);
  });

  test('is no longer waited for when the run is stopped', async () => {
    const stop = new AbortController();
    const waiting = waitForStart({ startedAt: NOW, originAt: 1e9 }, clock(0), stop.signal);
    stop.abort();
    expect(await waiting).toBe(0);
  });
});

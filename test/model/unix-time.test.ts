import { describe, expect, test } from 'vitest';
import { unixTime } from '../../src/model/unix-time.ts';

describe('unixTime', () => {
  test.each([
    ['2026-11-21T15:05:00+01:00', '2026-11-21T14:05:00.000Z'],
    ['1795270000.5', '2026-11-21T14:06:40.500Z'],
    ['1795270000500', '2026-11-21T14:06:40.500Z'],
  ])('reads %s', (text, time) => {
    expect(unixTime(text)).toBe(Date.parse(time));
  });

  // Without a time zone each machine would read its own.
  test.each(['2026-11-21T14:05:00', '14:05', 'soon', '', '2026-11-21', '1e9', '-5'])('rejects %j', (text) => {
    expect(unixTime(text)).toBeUndefined();
  });
});

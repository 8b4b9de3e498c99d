import { expect, test } from 'vitest';
import { LINGER_MS, nextDeadline } from '../../src/client/deadline.ts';

const limits = { connectMs: 10, firstByteMs: 100, idleMs: 50, totalMs: 1_000 };

test.each([
  ['connecting', { startedAt: 5 }, { phase: 'connect', atMs: 15 }],
  ['sent', { startedAt: 5, sentAt: 8 }, { phase: 'first_byte', atMs: 108 }],
  ['reading', { startedAt: 5, sentAt: 8, firstByteAt: 60, lastReadAt: 90 }, { phase: 'idle', atMs: 140 }],
  [
    'near the end',
    { startedAt: 5, sentAt: 8, firstByteAt: 60, lastReadAt: 990 },
    { phase: 'total', atMs: 1_005 },
  ],
  [
    'whole',
    { startedAt: 5, sentAt: 8, firstByteAt: 60, lastReadAt: 90, terminatedAt: 90 },
    { phase: 'linger', atMs: 90 + LINGER_MS },
  ],
  [
    'held back by the consumer',
    { startedAt: 5, sentAt: 8, firstByteAt: 60, lastReadAt: 90, pausedAt: 100, pausedMs: 7 },
    { phase: 'idle', atMs: Number.POSITIVE_INFINITY },
  ],
  [
    'going on after that',
    { startedAt: 5, sentAt: 8, firstByteAt: 60, lastReadAt: 90, pausedMs: 400, resumedAt: 500 },
    { phase: 'idle', atMs: 550 },
  ],
  [
    'near the end, which the time held back does not count to',
    { startedAt: 5, sentAt: 8, firstByteAt: 60, lastReadAt: 1_390, pausedMs: 400, resumedAt: 500 },
    { phase: 'total', atMs: 1_405 },
  ],
])('the next limit when %s', (_name, progress, expected) => {
  expect(nextDeadline(progress, limits)).toEqual(expected);
});

test.each([
  ['connecting', { startedAt: 5 }, { phase: 'connect', atMs: 15 }],
  ['waiting', { startedAt: 5, sentAt: 8 }, { phase: 'cut', atMs: 38 }],
  ['reading', { startedAt: 5, sentAt: 8, firstByteAt: 20, lastReadAt: 30 }, { phase: 'cut', atMs: 38 }],
  [
    'paused for a while',
    { startedAt: 5, sentAt: 8, firstByteAt: 9, pausedMs: 7 },
    { phase: 'cut', atMs: 45 },
  ],
])('a planned cut counts from the request on: %s', (_name, progress, expected) => {
  expect(nextDeadline(progress, { ...limits, cutAfterMs: 30 })).toEqual(expected);
});

test('a total limit below the others comes first', () => {
  expect(nextDeadline({ startedAt: 0 }, { ...limits, totalMs: 3 })).toEqual({ phase: 'total', atMs: 3 });
});

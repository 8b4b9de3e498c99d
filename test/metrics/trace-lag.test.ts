import { expect, test } from 'vitest';
import { createTraceLagFold } from '../../src/metrics/trace-lag.ts';
import { record } from './records.ts';

const sent = (scheduled: number, at: number, round = 0) =>
  record({ round, marks: { scheduled, started: at, sent: at, end: at + 50 } });

test('the lag is from due to sent, and the speed is that of the requests sent', () => {
  const fold = createTraceLagFold(2);
  fold.add(sent(0, 1));
  fold.add(sent(500, 503));
  // The last request was 1 s late, so the replay took twice as long as planned.
  fold.add(sent(1_000, 2_001));
  fold.add(record({ outcome: { kind: 'dropped' } }));
  expect(fold.report()).toEqual({
    lagMs: { n: 3, p50: 3, p99: 1_001, max: 1_001 },
    ...{ dropped: 1, speed: 2, reachedSpeed: 1 },
  });
});

test('rounds are replayed one after another: the pause between them does not count', () => {
  const fold = createTraceLagFold(1);
  for (const [at, round] of [
    [0, 0],
    [100, 0],
    [5_000, 1],
    [5_100, 1],
  ] as const)
    fold.add(sent(at, at, round));
  expect(fold.report()).toMatchObject({ reachedSpeed: 1 });
});

test('without a request there is no lag', () => {
  expect(createTraceLagFold(1).report()).toBeNull();
});

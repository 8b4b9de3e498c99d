import { expect, test } from 'vitest';
import { createSessionFold } from '../../src/metrics/session-groups.ts';
import type { TurnInfo } from '../../src/model/prompt.ts';
import type { OutcomeKind } from '../../src/model/record.ts';
import { record } from './records.ts';

const turn = (
  session: number,
  number: number,
  left: number,
  more: Partial<TurnInfo> = {},
  kind: OutcomeKind = 'ok',
) => record({ turn: { session, turn: number, left, ...more }, outcome: { kind } });

test('sessions: completed ones, turns that were not sent or left out, and the figures of each turn', () => {
  const fold = createSessionFold({ stallMs: 1000 });
  expect(fold.report()).toBeUndefined();
  const records = [
    // Complete.
    ...[turn(0, 1, 2), turn(0, 2, 1), turn(0, 3, 0)],
    // The second of four turns failed: two were not sent.
    ...[turn(1, 1, 3), turn(1, 2, 2, {}, 'timeout')],
    // One result was left out after the first turn, then complete.
    ...[turn(2, 1, 1, { skipped: 1 }), turn(2, 2, 0)],
    // The first turn failed.
    turn(3, 1, 2, {}, 'http_error'),
    // One left out after the second turn, which was the last: complete.
    ...[turn(4, 1, 2), turn(4, 2, 0, { skipped: 1 })],
  ];
  for (const one of records) fold.add(one);
  const report = fold.report();
  expect(report).toMatchObject({ started: 5, completed: 3, unsentTurns: 4, skippedTurns: 2 });
  expect(report?.turns.map(({ turn: number, sent, requests }) => [number, sent, requests])).toEqual([
    [1, 5, 4],
    [2, 4, 3],
    [3, 1, 1],
  ]);
  expect(report?.turns[0]?.metrics.ttft?.n).toBe(4);
});

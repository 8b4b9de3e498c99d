import { describe, expect, test } from 'vitest';
import { countProgress, missingBlocks } from '../../../src/bench/run/missing-blocks.ts';
import type { Block } from '../../../src/model/plan.ts';
import { record } from '../../metrics/records.ts';

const at = (started: number, end: number) => ({ scheduled: started, started, end });

describe('what a run lacks', () => {
  const blocks: Block[] = [0, 1].flatMap((round) =>
    [0, 1].map((cell) => ({ round, cell, requests: 3, warmup: round === 0 ? 2 : 0 })),
  );
  const missing = (counts: readonly number[]) =>
    missingBlocks(blocks, (block) => ({
      requests: counts[blocks.indexOf(block)]!,
      windowMs: 0,
      dueMs: 0,
    }));

  test('is what its records do not hold, warmed up once a cell', () => {
    expect(missing([3, 3, 3, 3])).toEqual([]);
    expect(missing([3, 1, 0, 0])).toEqual([
      { round: 0, cell: 1, requests: 2, measured: 1, drawn: 1, warmup: 2 },
      { round: 1, cell: 0, requests: 3, drawn: 3, warmup: 2 },
      { round: 1, cell: 1, requests: 3, drawn: 1, warmup: 0 },
    ]);
    // Lost in the middle.
    expect(missing([2, 3, 3, 3])).toEqual([
      { round: 0, cell: 0, requests: 1, measured: 2, drawn: 5, warmup: 2 },
    ]);
    expect(missing([0, 0, 0, 0])).toEqual(blocks);
  });

  test('by time: the rest of the last block that was begun, and those behind it', () => {
    const timed: Block[] = [0, 1, 2].map((round) => ({ round, cell: 0, durationMs: 1000, warmup: 0 }));
    const progress = [900, 400, 0].map((windowMs) => ({
      requests: windowMs === 0 ? 0 : 5,
      windowMs,
      dueMs: windowMs,
    }));
    expect(missingBlocks(timed, (block) => progress[block.round]!)).toEqual([
      { round: 1, cell: 0, durationMs: 600, measured: 5, drawn: 10, warmup: 0 },
      { round: 2, cell: 0, durationMs: 1000, drawn: 10, warmup: 0 },
    ]);
  });
});

describe('a load that rises before its window', () => {
  const phases = [
    { durationMs: 500, from: 0, to: 10 },
    { cell: 0, durationMs: 1000, from: 10, to: 10 },
  ];

  test('rises again before the rest of the window', () => {
    const block: Block = { round: 0, cell: 0, durationMs: 1000, phases, warmup: 0 };
    expect(missingBlocks([block], () => ({ requests: 4, windowMs: 400, dueMs: 300 }))).toEqual([
      {
        ...{ round: 0, cell: 0, durationMs: 600, measured: 4, drawn: 4, warmup: 0 },
        phases: [phases[0], { ...phases[1], durationMs: 600 }],
      },
    ]);
  });
});

describe('a load with stages', () => {
  const stages = [
    { durationMs: 500, from: 5, to: 5 },
    { cell: 0, stage: 'base', durationMs: 1000, from: 5, to: 5 },
    { cell: 1, stage: 'spike', durationMs: 1000, from: 50, to: 50 },
  ];
  const block: Block = { round: 0, cell: 0, durationMs: 2500, phases: stages, warmup: 0 };

  test('continues where the last request of any stage was due', () => {
    const progress = countProgress();
    progress.add(record({ marks: { scheduled: 100, started: 100, end: 900 } }), 0);
    progress.add(record({ marks: { scheduled: 1300, started: 1350, end: 3000 } }), 1);
    expect(missingBlocks([block], (one) => progress.of(one))).toEqual([
      { ...block, drawn: 2, startMs: 500 + 1200 + 1 },
    ]);
  });

  test('starts at the beginning without a record, and is complete when its time is over or a later block was begun', () => {
    const none = { requests: 0, windowMs: 0, dueMs: 0 };
    expect(missingBlocks([block], () => none)).toEqual([block]);
    const all = { requests: 9, windowMs: 2600, dueMs: 1999 };
    expect(missingBlocks([block], () => all)).toEqual([]);
    const second = { ...block, round: 1 };
    const some = { requests: 9, windowMs: 900, dueMs: 700 };
    expect(missingBlocks([block, second], () => some)).toEqual([{ ...second, drawn: 18, startMs: 1201 }]);
  });
});

test('the pause between two parts of a block is not in its window', () => {
  const progress = countProgress();
  progress.add(record({ round: 1, marks: at(0, 100) }), 0);
  progress.add(record({ round: 1, marks: at(50, 200) }), 0);
  progress.add(record({ round: 1, part: 1, marks: at(5000, 5300) }), 0);
  expect(progress.of({ round: 1, cell: 0 })).toEqual({ requests: 3, windowMs: 500, dueMs: 50 });
  expect(progress.of({ round: 0, cell: 0 })).toEqual({ requests: 0, windowMs: 0, dueMs: 0 });
});

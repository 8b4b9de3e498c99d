import { describe, expect, test } from 'vitest';
import { courseOf, dueTimesOf } from '../../src/engine/course.ts';
import { closedLoop, openLoop, type Pace, type PaceState, sharedStreams } from '../../src/engine/pacer.ts';
import type { LoadPhase } from '../../src/model/plan.ts';

const issue: Pace = { kind: 'issue', phase: 0 };
const take: Pace = { kind: 'take' };
const stop: Pace = { kind: 'stop' };
const wait: Pace = { kind: 'wait' };

/** What this thread has taken, what it has in flight, and what all have. */
type Seen = [elapsedMs: number, taken: number | undefined, own: number, inFlight?: number];
const state = ([elapsedMs, taken, own, inFlight = own]: Seen): PaceState => ({
  elapsedMs,
  taken,
  own,
  inFlight,
});

interface Limits {
  requests?: number;
  durationMs?: number;
}

describe('closed loop', () => {
  const two = ({ requests, durationMs }: Limits) =>
    closedLoop({ course: courseOf({ cell: 0, durationMs }, { concurrency: 2 }), requests });
  test.each<[string, Limits, Seen, Pace]>([
    ['takes a request for the first slot', { requests: 5 }, [0, undefined, 0], take],
    ['takes one for the last slot', { requests: 5 }, [0, undefined, 1], take],
    ['issues what it took', { requests: 5 }, [0, 1, 1], issue],
    [
      'takes none when its slots are full, whatever the other threads have',
      { requests: 5 },
      [10, undefined, 2, 2],
      wait,
    ],
    ['takes one when its own slot is free', { requests: 5 }, [20, undefined, 1, 7], take],
    ['issues the last request', { requests: 5 }, [20, 4, 1], issue],
    ['stops after the last request, whatever is in flight', { requests: 5 }, [99, 5, 1], stop],
    ['stops at once for no requests', { requests: 0 }, [0, 0, 0], stop],
    ['stops when the time is up', { durationMs: 100 }, [100, undefined, 0], stop],
    ['does not issue what it took too late', { durationMs: 100 }, [100, 3, 0], stop],
    [
      'waits no longer than the time that is left',
      { durationMs: 100 },
      [60, undefined, 2],
      { kind: 'wait', ms: 40 },
    ],
    ['stops at whichever limit comes first', { requests: 5, durationMs: 100 }, [50, 5, 1], stop],
  ])('%s', (_name, limits, seen, expected) => {
    expect(two(limits)(state(seen))).toEqual(expected);
  });

  const phases: LoadPhase[] = [
    { durationMs: 300, from: 1, to: 4 },
    { cell: 0, durationMs: 1000, from: 4, to: 4 },
    { durationMs: 200, from: 4, to: 4 },
  ];
  const rising = (index: number, of: number) =>
    closedLoop({
      course: courseOf({ cell: 0, phases }, { concurrency: 4 }),
      shares: [{ index, of }],
    });
  test.each<[string, [number, number], Seen, Pace]>([
    ['a ramp issues without a number, because nothing is counted', [0, 1], [0, undefined, 0], issue],
    ['a ramp waits for its next stream', [0, 1], [40, undefined, 1], { kind: 'wait', ms: 60 }],
    ['a ramp opens its next stream while others are open', [0, 1], [100, undefined, 1], issue],
    ['a thread of two waits for its own next stream', [0, 2], [40, undefined, 1], { kind: 'wait', ms: 160 }],
    ['the other thread waits for its first', [1, 2], [40, undefined, 0], { kind: 'wait', ms: 60 }],
    [
      'the other thread waits for the window when it has its streams',
      [1, 2],
      [310, undefined, 2],
      { kind: 'wait', ms: 990 },
    ],
    ['the window counts', [0, 1], [300, undefined, 3], take],
    ['the window waits with full streams', [0, 1], [800, undefined, 4], { kind: 'wait', ms: 500 }],
    ['the cool-down keeps the streams', [0, 1], [1300, undefined, 3], { kind: 'issue', phase: 2 }],
    ['the course ends after the cool-down', [0, 1], [1500, undefined, 3], stop],
  ])('%s', (_name, [index, of], seen, expected) => {
    const pace = rising(index, of)(state(seen));
    expect(pace).toEqual(
      'ms' in expected ? { ...expected, ms: expect.closeTo(expected.ms ?? 0, 6) } : expected,
    );
  });

  test('a falling load waits for its streams to end', () => {
    const falling = closedLoop({
      course: courseOf(
        { cell: 0, phases: [{ cell: 0, durationMs: 400, from: 4, to: 1 }] },
        { concurrency: 1 },
      ),
    });
    expect(falling(state([200, undefined, 4]))).toEqual({ kind: 'wait', ms: 200 });
    expect(falling(state([200, undefined, 1]))).toEqual(take);
  });

  test('the shares of the threads add up', () => {
    for (const total of [0, 1, 7, 200]) {
      for (const of of [1, 2, 3, 8]) {
        const shares = Array.from({ length: of }, (_, index) => sharedStreams(total, { index, of }));
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total);
        expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('open loop', () => {
  const pacer = ({ requests = 5, durationMs }: Limits) => {
    const course = courseOf({ cell: 0, durationMs }, { concurrency: 2, rate: 10 });
    const dueMs = dueTimesOf(course, { process: 'constant', seed: 1 });
    return openLoop({ course, dueMs, concurrency: 2, requests });
  };
  test.each<[string, Limits, Seen, Pace]>([
    ['takes a request ahead', {}, [0, undefined, 0], take],
    ['takes one while all slots are in use', {}, [110, undefined, 2], take],
    ['issues what is due', {}, [0, 0, 0], { ...issue, dueMs: 0 }],
    ['waits for what is not, whatever has ended', {}, [30, 1, 0], { kind: 'wait', ms: 70 }],
    ['issues while others are open', {}, [100, 1, 1], { ...issue, dueMs: 100 }],
    ['keeps to when it was due, however late it is', {}, [450, 1, 0], { ...issue, dueMs: 100 }],
    ['drops what finds every slot taken', {}, [200, 2, 2], { kind: 'drop', phase: 0, dueMs: 200 }],
    [
      'drops what finds every slot taken by other threads',
      {},
      [200, 2, 0, 2],
      { kind: 'drop', phase: 0, dueMs: 200 },
    ],
    ['stops after the last', {}, [400, 5, 1], stop],
    ['does not wait for what is due after the time is up', { durationMs: 150 }, [101, 2, 1], stop],
    ['issues what was due in time, also late', { durationMs: 150 }, [170, 1, 1], { ...issue, dueMs: 100 }],
  ])('%s', (_name, limits, seen, expected) => {
    expect(pacer(limits)(state(seen))).toEqual(expected);
  });

  const phases: LoadPhase[] = [
    { durationMs: 1000, from: 0, to: 10 },
    { cell: 0, from: 10, to: 10 },
  ];
  const course = courseOf({ cell: 0, phases }, { concurrency: 9, rate: 10 });
  const dueMs = dueTimesOf(course, { process: 'constant', seed: 1 });

  test('counts its requests from the start of the window on', () => {
    const rising = openLoop({ course, dueMs, concurrency: 9, requests: 3 });
    // Five requests during the rise.
    expect(rising(state([950, 4, 0]))).toMatchObject({ kind: 'issue', phase: 0 });
    expect(rising(state([1201, 7, 0]))).toMatchObject({ kind: 'issue', phase: 1, dueMs: 1200 });
    expect(rising(state([1300, 8, 0]))).toEqual(stop);
  });

  test('a block that starts later in its course goes on with the next request of the same schedule', () => {
    const later = openLoop({ course, dueMs, concurrency: 9, startMs: 1101 });
    expect(later(state([1101, 0, 0]))).toEqual({ kind: 'wait', ms: expect.closeTo(99, 6) });
    expect(later(state([1200, 0, 0]))).toMatchObject({ kind: 'issue', dueMs: 1200 });
  });
});

import { describe, expect, test } from 'vitest';
import { closedLoop, openLoop, type Pace, type PaceState } from '../../src/engine/pacer.ts';

const issue: Pace = { kind: 'issue' };
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

describe('closed loop', () => {
  test.each<[string, Parameters<typeof closedLoop>[0], Seen, Pace]>([
    ['takes a request for the first slot', { slots: 2, requests: 5 }, [0, undefined, 0], take],
    ['takes one for the last slot', { slots: 2, requests: 5 }, [0, undefined, 1], take],
    ['issues what it took', { slots: 2, requests: 5 }, [0, 1, 1], issue],
    [
      'takes none when its slots are full, whatever the other threads have',
      { slots: 2, requests: 5 },
      [10, undefined, 2, 2],
      wait,
    ],
    ['takes one when its own slot is free', { slots: 2, requests: 5 }, [20, undefined, 1, 7], take],
    ['issues the last request', { slots: 2, requests: 5 }, [20, 4, 1], issue],
    ['stops after the last request, whatever is in flight', { slots: 2, requests: 5 }, [99, 5, 1], stop],
    ['stops at once for no requests', { slots: 2, requests: 0 }, [0, 0, 0], stop],
    ['stops when the time is up', { slots: 2, durationMs: 100 }, [100, undefined, 0], stop],
    ['does not issue what it took too late', { slots: 2, durationMs: 100 }, [100, 3, 0], stop],
    [
      'waits no longer than the time that is left',
      { slots: 2, durationMs: 100 },
      [60, undefined, 2],
      { kind: 'wait', ms: 40 },
    ],
    ['stops at whichever limit comes first', { slots: 2, requests: 5, durationMs: 100 }, [50, 5, 1], stop],
  ])('%s', (_name, load, seen, expected) => {
    expect(closedLoop(load)(state(seen))).toEqual(expected);
  });
});

describe('open loop', () => {
  const load = { concurrency: 2, requests: 5, dueMs: (index: number) => index * 100 };
  test.each<[string, Partial<Parameters<typeof openLoop>[0]>, Seen, Pace]>([
    ['takes a request ahead', {}, [0, undefined, 0], take],
    ['takes one while all slots are in use', {}, [110, undefined, 2], take],
    ['issues what is due', {}, [0, 0, 0], { kind: 'issue', dueMs: 0 }],
    ['waits for what is not, whatever has ended', {}, [30, 1, 0], { kind: 'wait', ms: 70 }],
    ['issues while others are open', {}, [100, 1, 1], { kind: 'issue', dueMs: 100 }],
    ['keeps to when it was due, however late it is', {}, [450, 1, 0], { kind: 'issue', dueMs: 100 }],
    ['drops what finds every slot taken', {}, [200, 2, 2], { kind: 'drop', dueMs: 200 }],
    ['drops what finds every slot taken by other threads', {}, [200, 2, 0, 2], { kind: 'drop', dueMs: 200 }],
    ['stops after the last', {}, [400, 5, 1], stop],
    ['does not wait for what is due after the time is up', { durationMs: 150 }, [101, 2, 1], stop],
    [
      'issues what was due in time, also late',
      { durationMs: 150 },
      [170, 1, 1],
      { kind: 'issue', dueMs: 100 },
    ],
  ])('%s', (_name, more, seen, expected) => {
    expect(openLoop({ ...load, ...more })(state(seen))).toEqual(expected);
  });
});

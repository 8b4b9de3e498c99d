import { describe, expect, test } from 'vitest';
import { closedLoop, openLoop, type Pace } from '../../src/engine/pacer.ts';

const issue: Pace = { kind: 'issue' };
const stop: Pace = { kind: 'stop' };
const wait: Pace = { kind: 'wait' };

describe('closed loop', () => {
  test.each<[string, Parameters<typeof closedLoop>[0], [number, number, number], Pace]>([
    ['fills the first slot', { concurrency: 2, requests: 5 }, [0, 0, 0], issue],
    ['fills the last slot', { concurrency: 2, requests: 5 }, [0, 1, 1], issue],
    ['waits when all slots are taken', { concurrency: 2, requests: 5 }, [10, 2, 2], wait],
    ['issues when one is free again', { concurrency: 2, requests: 5 }, [20, 2, 1], issue],
    [
      'stops after the last request, whatever is in flight',
      { concurrency: 2, requests: 5 },
      [99, 5, 2],
      stop,
    ],
    ['stops at once for no requests', { concurrency: 2, requests: 0 }, [0, 0, 0], stop],
    ['stops when the time is up', { concurrency: 2, durationMs: 100 }, [100, 7, 0], stop],
    [
      'waits no longer than the time that is left',
      { concurrency: 2, durationMs: 100 },
      [60, 7, 2],
      { kind: 'wait', ms: 40 },
    ],
    [
      'stops at whichever limit comes first',
      { concurrency: 2, requests: 5, durationMs: 100 },
      [50, 5, 1],
      stop,
    ],
  ])('%s', (_name, load, [elapsedMs, issued, inFlight], expected) => {
    expect(closedLoop(load)({ elapsedMs, issued, inFlight })).toEqual(expected);
  });
});

describe('open loop', () => {
  const load = { concurrency: 2, requests: 5, dueMs: (index: number) => index * 100 };
  test.each<[string, Partial<Parameters<typeof openLoop>[0]>, [number, number, number], Pace]>([
    ['issues what is due', {}, [0, 0, 0], { kind: 'issue', dueMs: 0 }],
    ['waits for what is not, whatever has ended', {}, [30, 1, 0], { kind: 'wait', ms: 70 }],
    ['issues while others are open', {}, [100, 1, 1], { kind: 'issue', dueMs: 100 }],
    ['keeps to when it was due, however late it is', {}, [450, 1, 0], { kind: 'issue', dueMs: 100 }],
    ['drops what finds every slot taken', {}, [200, 2, 2], { kind: 'drop', dueMs: 200 }],
    ['stops after the last', {}, [400, 5, 1], stop],
    ['does not wait for what is due after the time is up', { durationMs: 150 }, [101, 2, 1], stop],
    [
      'issues what was due in time, also late',
      { durationMs: 150 },
      [170, 1, 1],
      { kind: 'issue', dueMs: 100 },
    ],
  ])('%s', (_name, more, [elapsedMs, issued, inFlight], expected) => {
    expect(openLoop({ ...load, ...more })({ elapsedMs, issued, inFlight })).toEqual(expected);
  });
});

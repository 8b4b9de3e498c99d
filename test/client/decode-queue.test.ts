import { beforeEach, describe, expect, test } from 'vitest';
import { DecodeQueue, type PendingReads } from '../../src/client/decode-queue.ts';

let turns: (() => void)[];
let timers: { ms: number; work: () => void }[];
let queue: DecodeQueue;

beforeEach(() => {
  turns = [];
  timers = [];
  queue = new DecodeQueue({
    immediate: (work) => turns.push(work),
    after: (ms, work) => timers.push({ ms, work }),
  });
});

/** One turn of the event loop; the most that may be planned for it is one call. */
function turn() {
  expect(turns).toHaveLength(1);
  turns.shift()!();
}

function gathered() {
  for (const { work } of timers.splice(0)) work();
}

class Response implements PendingReads {
  private left: number;
  private readonly name: string;
  private readonly log: string[];

  constructor(name: string, left: number, log: string[]) {
    this.name = name;
    this.left = left;
    this.log = log;
  }

  decode(reads: number): number {
    const done = Math.min(reads, this.left);
    this.left -= done;
    for (let i = 0; i < done; i++) this.log.push(this.name);
    return done;
  }
}

describe('what someone waits for', () => {
  test('is done in the next turn, in order', () => {
    const done: number[] = [];
    for (const n of [1, 2, 3]) queue.afterReads(() => done.push(n));
    expect(done).toEqual([]);
    turn();
    expect(done).toEqual([1, 2, 3]);
    expect(turns).toHaveLength(0);
  });

  test('is spread over turns where it is much, and what comes meanwhile waits its turn', () => {
    const done: number[] = [];
    for (let n = 0; n < 100; n++) queue.afterReads(() => done.push(n));
    turn();
    expect(done.length).toBeGreaterThan(0);
    expect(done.length).toBeLessThan(50);
    queue.afterReads(() => done.push(100));
    while (turns.length > 0) turn();
    expect(done).toEqual(Array.from({ length: 101 }, (_, n) => n));
  });
});

describe('what nobody waits for', () => {
  test('is gathered for a moment, all by one timer', () => {
    const log: string[] = [];
    queue.decodeLater(new Response('a', 2, log));
    queue.decodeLater(new Response('b', 1, log));
    expect(timers).toMatchObject([{ ms: 100 }]);
    expect(turns).toHaveLength(0);
    gathered();
    turn();
    expect(log).toEqual(['a', 'a', 'b']);
    expect(turns).toHaveLength(0);
    queue.decodeLater(new Response('c', 1, log));
    expect(timers).toHaveLength(1);
  });

  test('is decoded in small portions, a long response over several turns', () => {
    const log: string[] = [];
    queue.decodeLater(new Response('a', 50, log));
    for (let i = 0; i < 40; i++) queue.decodeLater(new Response('b', 1, log));
    gathered();
    let count = 0;
    for (; turns.length > 0; count++) {
      const before = log.length;
      turn();
      expect(log.length - before).toBeLessThanOrEqual(16);
    }
    expect(count).toBeGreaterThan(5);
    expect(log.join('')).toBe('a'.repeat(50) + 'b'.repeat(40));
  });

  test('lets go first what someone waits for', () => {
    const log: string[] = [];
    queue.decodeLater(new Response('a', 40, log));
    gathered();
    turn();
    queue.afterReads(() => log.push('now'));
    turn();
    expect(log.indexOf('now')).toBe(16);
  });

  test('comes after what was gathered before it', () => {
    const log: string[] = [];
    queue.decodeLater(new Response('a', 40, log));
    gathered();
    turn();
    queue.decodeLater(new Response('b', 1, log));
    gathered();
    while (turns.length > 0) turn();
    expect(log.join('')).toBe(`${'a'.repeat(40)}b`);
  });
});

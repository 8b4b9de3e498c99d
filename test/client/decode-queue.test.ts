import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { DecodeQueue, type PendingReads, ReadBuffer } from '../../src/client/decode-queue.ts';

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

describe('work that a caller waits for', () => {
  test('is done in the next turn, in order of the calls', () => {
    const done: number[] = [];
    for (const n of [1, 2, 3]) queue.afterReads(() => done.push(n));
    expect(done).toEqual([]);
    turn();
    expect(done).toEqual([1, 2, 3]);
    expect(turns).toHaveLength(0);
  });

  test('is spread over several turns if there is much; later work is queued behind it', () => {
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

describe('work that no caller waits for', () => {
  test('is gathered for 100 ms, with one timer for all responses', () => {
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

  test('runs after work that a caller waits for', () => {
    const log: string[] = [];
    queue.decodeLater(new Response('a', 40, log));
    gathered();
    turn();
    queue.afterReads(() => log.push('now'));
    turn();
    expect(log.indexOf('now')).toBe(16);
  });

  test('runs after work gathered earlier', () => {
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

describe('ReadBuffer', () => {
  test('returns the reads in order of arrival, whenever they are taken', () => {
    const step = fc.oneof(
      fc.record({ add: fc.uint8Array({ minLength: 1, maxLength: 700 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const buffer = new ReadBuffer();
        const added: [number, string][] = [];
        const taken: [number, string][] = [];
        const visit = (atMs: number, chunk: Uint8Array) => void taken.push([atMs, [...chunk].join()]);
        for (const [at, action] of steps.entries()) {
          if ('add' in action) {
            const lent = Uint8Array.from(action.add);
            buffer.add(at, lent, at);
            added.push([at, action.add.join()]);
            // Whoever lent the bytes writes over them.
            lent.fill(0);
          } else {
            const waiting = added.length - taken.length;
            expect(buffer.take(action.take, visit)).toBe(Math.min(action.take, waiting));
          }
          expect(buffer.reads).toBe(added.length - taken.length);
        }
        buffer.take(Number.POSITIVE_INFINITY, visit);
        expect(taken).toEqual(added);
      }),
    );
  });

  test('joins waiting chunks of one read, and returns the number of the read', () => {
    const buffer = new ReadBuffer();
    const seen: [number, string, number][] = [];
    const visit = (atMs: number, chunk: Uint8Array, read: number) =>
      void seen.push([atMs, Buffer.from(chunk).toString(), read]);
    const add = (atMs: number, text: string, read: number) => buffer.add(atMs, Buffer.from(text), read);
    add(5, 'a', 7);
    add(5, 'b', 7);
    // The same stamp is not the same read.
    add(5, 'c', 8);
    expect(buffer.reads).toBe(2);
    buffer.take(2, visit);
    add(5, 'd', 8);
    buffer.take(1, visit);
    expect(seen).toEqual([
      [5, 'ab', 7],
      [5, 'c', 8],
      [5, 'd', 8],
    ]);
  });

  test('has length 0 when it is empty, and is reused from its start', () => {
    const buffer = new ReadBuffer();
    for (let round = 0; round < 3; round++) {
      buffer.add(round, new Uint8Array(1000), 1);
      buffer.add(round, new Uint8Array(500), 2);
      expect(buffer.byteLength).toBe(1500);
      buffer.take(9, () => {});
      expect(buffer.byteLength).toBe(0);
    }
  });

  test('shares the memory of responses without mixing their bytes', () => {
    const step = fc.record({
      response: fc.integer({ min: 0, max: 3 }),
      // More than a shared block holds, too.
      size: fc.integer({ min: 1, max: 1500 }),
      take: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const buffers = Array.from({ length: 4 }, () => new ReadBuffer());
        for (const [at, { response, size, take }] of steps.entries()) {
          buffers[response]?.add(response, new Uint8Array(size).fill(response + 1), at);
          buffers[response]?.take(take, (owner, chunk) => {
            expect(chunk.every((byte) => byte === owner + 1)).toBe(true);
          });
        }
        for (const buffer of buffers)
          buffer.take(Number.POSITIVE_INFINITY, (owner, chunk) => {
            expect(chunk.every((byte) => byte === owner + 1)).toBe(true);
          });
      }),
    );
  });
});

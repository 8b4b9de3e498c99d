import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ReadBuffer } from '../../src/client/read-buffer.ts';

describe('a backlog', () => {
  test('gives back the reads as they came, in order, whatever is taken when', () => {
    const step = fc.oneof(
      fc.record({ add: fc.uint8Array({ minLength: 1, maxLength: 700 }) }),
      fc.record({ take: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const backlog = new ReadBuffer();
        const added: [number, string][] = [];
        const taken: [number, string][] = [];
        const visit = (atMs: number, chunk: Uint8Array) => void taken.push([atMs, [...chunk].join()]);
        for (const [at, action] of steps.entries()) {
          if ('add' in action) {
            const lent = Uint8Array.from(action.add);
            backlog.add(at, lent, at);
            added.push([at, action.add.join()]);
            // Whoever lent the bytes writes over them.
            lent.fill(0);
          } else {
            const waiting = added.length - taken.length;
            expect(backlog.take(action.take, visit)).toBe(Math.min(action.take, waiting));
          }
          expect(backlog.reads).toBe(added.length - taken.length);
        }
        backlog.take(Number.POSITIVE_INFINITY, visit);
        expect(taken).toEqual(added);
      }),
    );
  });

  test('joins the chunks of one read while they wait, and tells the number of the read', () => {
    const backlog = new ReadBuffer();
    const seen: [number, string, number][] = [];
    const visit = (atMs: number, chunk: Uint8Array, read: number) =>
      void seen.push([atMs, Buffer.from(chunk).toString(), read]);
    const add = (atMs: number, text: string, read: number) => backlog.add(atMs, Buffer.from(text), read);
    add(5, 'a', 7);
    add(5, 'b', 7);
    // The same stamp is not the same read.
    add(5, 'c', 8);
    expect(backlog.reads).toBe(2);
    backlog.take(2, visit);
    add(5, 'd', 8);
    backlog.take(1, visit);
    expect(seen).toEqual([
      [5, 'ab', 7],
      [5, 'c', 8],
      [5, 'd', 8],
    ]);
  });

  test('weighs nothing when it is empty, and is used again from its start', () => {
    const backlog = new ReadBuffer();
    for (let round = 0; round < 3; round++) {
      backlog.add(round, new Uint8Array(1000), 1);
      backlog.add(round, new Uint8Array(500), 2);
      expect(backlog.byteLength).toBe(1500);
      backlog.take(9, () => {});
      expect(backlog.byteLength).toBe(0);
    }
  });
});

import { expect, test } from 'vitest';
import { createTraces } from '../../src/engine/traces.ts';

test('trace contexts are valid, unique over the threads, and repeat with the seed and the salt', () => {
  const ids = (seed: number, salt: string, index: number) => {
    const next = createTraces(seed, salt, { index, of: 2 });
    return Array.from({ length: 2000 }, next);
  };
  const all = [ids(1, 's', 0), ids(1, 's', 1), ids(1, 't', 0), ids(2, 's', 0)].flat();
  for (const { traceId, spanId } of all) {
    expect(traceId).toMatch(/^(?!0{32})[0-9a-f]{32}$/);
    expect(spanId).toMatch(/^(?!0{16})[0-9a-f]{16}$/);
  }
  expect(new Set(all.map(({ traceId }) => traceId)).size).toBe(all.length);
  expect(new Set(all.map(({ spanId }) => spanId)).size).toBe(all.length);
  expect(ids(1, 's', 0)).toEqual(ids(1, 's', 0));
});

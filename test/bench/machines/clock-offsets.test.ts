import { describe, expect, test } from 'vitest';
import { clockOffsets } from '../../../src/bench/machines/clock-offsets.ts';
import { createOverlaps } from '../../../src/bench/machines/overlap.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import { record } from '../../metrics/records.ts';

const START = Date.parse('2026-11-21T10:00:00.000Z');

/** Requests over 20 s to a server whose clock is ahead by this much, with up to 4 ms each way. */
function against(aheadMs: number, count = 400) {
  const random = createRandom(2);
  const offsets = clockOffsets(START);
  for (let i = 0; i < count; i++) {
    const sent = 20_000 * random.next();
    const written = sent + 4 * random.next();
    const answered = written + 4 * random.next();
    // As HTTP has it: whole seconds.
    const date = new Date(START + written + aheadMs).toUTCString();
    offsets.add(
      record({ headers: { date }, marks: { scheduled: sent, started: sent, sent, headers: answered } }),
    );
  }
  return offsets.result()[0]!;
}

describe("a machine's clock against the server's", () => {
  test.each([0, 12, -450, 3_000, -86_400_000])('is bounded from both sides: %i ms', (aheadMs) => {
    const { least, most, responses } = against(aheadMs);
    expect(responses).toBe(400);
    expect(least).toBeLessThanOrEqual(aheadMs);
    expect(most).toBeGreaterThanOrEqual(aheadMs);
    // 400 responses fall close to both ends of a second.
    expect(most - least).toBeLessThan(25);
  });

  test('of a single response is known to a second', () => {
    const { least, most } = against(0, 1);
    expect(most - least).toBeGreaterThan(990);
  });

  test('is not known without the header, nor from one that is no date', () => {
    const offsets = clockOffsets(START);
    offsets.add(record());
    offsets.add(record({ headers: { date: 'yesterday' } }));
    expect(offsets.result()).toEqual([]);
  });
});

describe('the overlap of the shards', () => {
  const span = (started: number, end: number) => record({ marks: { scheduled: started, started, end } });

  test('is the time in which all measured a block, over that in which any did', () => {
    const overlaps = createOverlaps(2);
    overlaps.add(span(0, 500), 1, 0);
    overlaps.add(span(500, 1_000), 1, 0);
    overlaps.add(span(250, 900), 2, 0);
    overlaps.add(span(2_000, 3_000), 1, 1);
    overlaps.add(span(2_000, 3_000), 2, 1);
    expect(overlaps.least()).toEqual({ round: 0, cell: 0, share: 0.65 });
  });

  test('is nothing where a shard has no request in a block', () => {
    const overlaps = createOverlaps(2);
    overlaps.add(span(0, 500), 1, 0);
    expect(overlaps.least()).toEqual({ round: 0, cell: 0, share: 0 });
    expect(createOverlaps(2).least()).toBeNull();
  });
});

import { describe, expect, test } from 'vitest';
import { cellAt, evidenceFor, load, measure, request, times } from './sweeps.ts';

const SUBJECT = { target: 'flash', prompt: 'short', mode: 'streaming' } as const;
const CELL = cellAt(4);
const FAILED = { outcome: { kind: 'rate_limited' as const } };

/** The level of one measurement, judged with this load of the client. */
function levelOf(ttfts: readonly number[], changes: Parameters<typeof load>[2] = {}, more = {}) {
  const evidence = evidenceFor();
  measure(evidence, CELL, 0, ttfts, more);
  return evidence.levels(SUBJECT, [CELL], [load(0, 0, changes)])[0]!;
}

describe('what a measurement shows', () => {
  test('the first request of each stream is not judged: all streams start at once', () => {
    const level = levelOf([...times(4, 900), ...times(80, 50)]);
    expect(level).toMatchObject({ requests: 80, state: { level: 4, verdict: 'met', valid: 1, invalid: 0 } });
    expect(levelOf([900, ...times(3, 50), 900, ...times(79, 50)]).judgements[0]).toMatchObject({ n: 80 });
  });

  test('measurements of a level add up', () => {
    const evidence = evidenceFor();
    measure(evidence, CELL, 0, times(44, 50));
    const shown = (rounds: number) =>
      evidence.levels(
        SUBJECT,
        [CELL],
        Array.from({ length: rounds }, (_, round) => load(0, round)),
      )[0]!;
    expect(shown(1)).toMatchObject({ requests: 40, nextRound: 1, state: { verdict: 'unclear', valid: 1 } });
    measure(evidence, CELL, 1, times(44, 50));
    expect(shown(2)).toMatchObject({ requests: 80, nextRound: 2, state: { verdict: 'met', valid: 2 } });
  });

  test('requests of another target, prompt, mode or length test belong to another search', () => {
    const evidence = evidenceFor();
    measure(evidence, cellAt(4, { target: 'big' }), 0, times(44, 50));
    measure(evidence, cellAt(4, { mode: 'non-streaming' }), 0, times(44, 50));
    measure(evidence, CELL, 0, times(44, 50), { length: 16 });
    expect(evidence.levels(SUBJECT, [CELL], [load(0, 0)])).toEqual([]);
  });

  test('failures break the limit of errors; requests that the user cancelled do not', () => {
    expect(levelOf(times(44, 50), {}, FAILED).state).toMatchObject({ verdict: 'broken', leaning: 'broken' });
    const cancelled = levelOf(times(44, 50), {}, { outcome: { kind: 'cancelled' } });
    expect(cancelled.state).toMatchObject({ valid: 0, invalid: 0 });
  });
});

test('a request that was cut without a first token took at least as long as it did until then', () => {
  const evidence = evidenceFor();
  measure(evidence, CELL, 0, times(54, 50));
  for (let index = 0; index < 30; index++) {
    const one = request(CELL, 0, 700 + index, 0, { outcome: { kind: 'cut' } });
    const { firstToken: _, ...marks } = one.marks;
    evidence.add({ ...one, marks: { ...marks, end: one.marks.started + 30_000 } });
  }
  const [level] = evidence.levels(SUBJECT, [CELL], [load(0, 0)]);
  expect(level?.judgements[0]).toMatchObject({ verdict: 'broken', value: 29_999, n: 80 });
});

describe('a client that is not up to the load', () => {
  const good = times(84, 50);

  test.each([
    ['a busy event loop', { utilization: 0.9 }, /utilization was 90 %/],
    ['a late event loop', { delayP99Ms: 80 }, /80 ms late/],
  ])('%s: the measurement is not judged, whatever it shows', (_, changes, reason) => {
    for (const ttft of [50, 500]) {
      const level = levelOf(times(84, ttft), changes);
      expect(level.state).toMatchObject({ valid: 0, invalid: 1 });
      expect(level.invalidReason).toMatch(reason);
      expect(level.requests).toBe(0);
    }
  });

  test('requests that were sent late', () => {
    const evidence = evidenceFor();
    for (const [index, ttft] of good.entries()) {
      const one = request(CELL, 0, 10 * index, ttft);
      evidence.add({ ...one, marks: { ...one.marks, scheduled: one.marks.started - 100 } });
    }
    const [level] = evidence.levels(SUBJECT, [CELL], [load(0, 0)]);
    expect(level?.invalidReason).toMatch(/sent requests 100 ms late/);
  });

  test('streams that were not open', () => {
    expect(levelOf(good, {}, { inFlight: 2 })).toMatchObject({
      state: { valid: 0, invalid: 1 },
      invalidReason: 'only 2.0 of 4 streams were open at a time',
    });
  });

  test('a measurement whose client load is not known does not count', () => {
    const evidence = evidenceFor();
    measure(evidence, CELL, 0, good);
    for (const loads of [[], [{ ...load(0, 0), threads: [] }], [{ ...load(0, 0), part: 1 }]])
      expect(evidence.levels(SUBJECT, [CELL], loads)[0]?.state).toMatchObject({ valid: 0, invalid: 0 });
  });

  test('failures that the server reports count all the same: a late client cannot cause them', () => {
    const level = levelOf(times(84, 50), { utilization: 0.9 }, FAILED);
    expect(level.state).toMatchObject({ verdict: 'broken', valid: 1, invalid: 0 });
    // A connection that was lost may be the client's own fault.
    const lost = levelOf(times(84, 50), { utilization: 0.9 }, { outcome: { kind: 'network' } });
    expect(lost.state).toMatchObject({ valid: 0, invalid: 1 });
  });

  test('a level is broken only if it is with the lateness of the stamps subtracted', () => {
    // Stamps are up to 60 ms late all the time. The limit is 100 ms.
    const late = { fromMs: 0, slices: [[1000, 20, 60] as const] };
    expect(levelOf(times(84, 130), late).state).toMatchObject({ verdict: 'unclear', leaning: 'broken' });
    expect(levelOf(times(84, 190), late).state).toMatchObject({ verdict: 'broken' });
    expect(levelOf(times(84, 90), late).state).toMatchObject({ verdict: 'met' });
  });
});

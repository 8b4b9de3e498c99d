import { describe, expect, test } from 'vitest';
import { streamingVerdict, VERDICT_KINDS, type VerdictKind } from '../../src/analysis/streaming-verdict.ts';
import { createVerdictFold, JUDGED_STREAMS, summarizeVerdicts } from '../../src/analysis/verdict-fold.ts';
import { createRandom } from '../../src/model/random.ts';
import { record, wholeRecord } from '../metrics/records.ts';
import {
  BRIEFLY_REPLAYED,
  BUFFERED,
  COARSE,
  cell,
  REAL,
  REPLAYED,
  received,
  type Sent,
  type Service,
} from './streams.ts';

function stream(at: number[], extra: Partial<Sent> = {}) {
  return received({ at, chars: 5, wholeMs: at[at.length - 1]!, ...extra }, createRandom(1), 0.01);
}

function evenly(from: number, chunks: number, gapMs: number): number[] {
  return Array.from({ length: chunks }, (_, i) => from + i * gapMs);
}

describe('one request', () => {
  test('the service that made its answer in 15.6 s and sent 21 chunks in 0.1 s does not stream', () => {
    const { verdict, evidence } = streamingVerdict(stream(evenly(15_590, 21, 5)));
    expect(verdict).toBe('buffered');
    expect(evidence).toBe(
      '21 chunks in 0.1 s after 15.6 s of silence: the answer was made first and cut up afterwards',
    );
  });

  test('what came in one read may have been held back on the way', () => {
    const { verdict, evidence } = streamingVerdict(stream(evenly(3000, 40, 0)));
    expect(verdict).toBe('buffered');
    expect(evidence).toBe(
      '40 chunks in 0.2 ms after 3 s of silence: the answer was made first, or something on the way held it back',
    );
  });

  test('a first chunk after 93 s, then a dribble, is a replay of an answer that takes 93 s', () => {
    const { verdict, evidence } = streamingVerdict(stream(evenly(93_000, 400, 30)), {
      pairedTotalMs: 93_400,
    });
    expect(verdict).toBe('replayed');
    expect(evidence).toMatch(
      /^400 chunks over 12 s after 93 s; the whole answer takes 93\.4 s without streaming: the/,
    );
  });

  test('the same answer, really streamed', () => {
    const { verdict, evidence } = streamingVerdict(stream(evenly(1990, 400, 230)), { pairedTotalMs: 93_400 });
    expect(verdict).toBe('streaming');
    expect(evidence).toContain('400 chunks over 91.8 s after 2 s');
  });

  test('a model that thinks in silence and says so is not accused', () => {
    expect(streamingVerdict(stream(evenly(30_000, 20, 20), { hiddenReasoning: true })).verdict).toBe(
      'too_short',
    );
    expect(streamingVerdict(stream(evenly(30_000, 200, 20), { hiddenReasoning: true })).verdict).toBe(
      'streaming',
    );
    expect(streamingVerdict(stream(evenly(30_000, 200, 20))).verdict).toBe('too_short');
  });

  test('lumps are coarse', () => {
    const at = Array.from({ length: 120 }, (_, i) => 500 + Math.floor(i / 20) * 400);
    expect(streamingVerdict(stream(at))).toMatchObject({
      verdict: 'coarse',
      evidence: '120 chunks over 2 s after 0.51 s, but in 6 lumps about 0.4 s apart: flushed too seldom',
    });
  });

  test('where nothing can be said, nothing is said', () => {
    expect(streamingVerdict(wholeRecord()).verdict).toBe('too_short');
    expect(streamingVerdict(stream(evenly(500, 3, 20))).verdict).toBe('too_short');
    expect(streamingVerdict(stream(evenly(1, 64, 0.01))).evidence).toMatch(/too fast to tell/);
    const { firstToken: _, ...marks } = record().marks;
    expect(streamingVerdict(record({ marks, contentEvents: 0, gaps: [] }))).toMatchObject({
      verdict: 'too_short',
      evidence: 'no content arrived',
      figures: null,
    });
  });
});

describe('a cell', () => {
  const real = stream(evenly(200, 50, 20));
  const fake = stream(evenly(1200, 50, 0.1));

  test('is what most of its streams are', () => {
    const { verdict, evidence, counts } = summarizeVerdicts(
      [fake, real, real].map((one) => streamingVerdict(one)),
    );
    expect(verdict).toBe('streaming');
    expect(counts).toEqual({ streaming: 2, buffered: 1, replayed: 0, coarse: 0, too_short: 0 });
    expect(evidence).toMatch(/^2 of 3 streams: 50 chunks over 0\.98 s/);
  });

  test('is the graver of two where they are even, and nothing without streams', () => {
    expect(summarizeVerdicts([real, fake].map((one) => streamingVerdict(one))).verdict).toBe('buffered');
    expect(summarizeVerdicts([])).toMatchObject({ verdict: 'too_short', evidence: 'no stream ended well' });
  });

  test('is not known by the few streams that could be judged', () => {
    const short = stream(evenly(3, 30, 0.05));
    expect(streamingVerdict(short).verdict).toBe('too_short');
    const among = (count: number) =>
      summarizeVerdicts(
        [fake, ...Array.from({ length: count }, () => short)].map((one) => streamingVerdict(one)),
      );
    expect(among(3)).toMatchObject({
      verdict: 'buffered',
      evidence: expect.stringMatching(/^1 of 4 streams/),
    });
    expect(among(4)).toMatchObject({
      verdict: 'too_short',
      evidence: expect.stringMatching(/^4 of 5 streams/),
    });
  });

  test('is folded from good streams alone, and in bounded memory', () => {
    const fold = createVerdictFold();
    fold.add(real);
    fold.add({ ...fake, outcome: { kind: 'truncated' } });
    fold.add(wholeRecord());
    expect(fold.result().counts).toMatchObject({ streaming: 1, buffered: 0, too_short: 0 });
    for (let i = 0; i < JUDGED_STREAMS + 10; i++) fold.add(real);
    expect(fold.result().counts.streaming).toBe(JUDGED_STREAMS);
  });
});

describe('over many services', () => {
  const STREAMS = 2000;

  function count(services: Readonly<Record<string, Service>>, paired: boolean, seed: number, perCell = 20) {
    return Object.entries(services).map(([name, service], index) => {
      const random = createRandom(seed * 1000 + index);
      const counts = Object.fromEntries(VERDICT_KINDS.map((kind) => [kind, 0])) as Record<
        VerdictKind,
        number
      >;
      for (let i = 0; i < STREAMS / perCell; i++) {
        const { result } = cell(service, random, perCell, paired);
        for (const kind of VERDICT_KINDS) counts[kind] += result.counts[kind];
      }
      return { name, counts };
    });
  }

  function share(rows: ReturnType<typeof count>, ...kinds: VerdictKind[]): number {
    const sum = rows.reduce(
      (all, { counts }) => all + kinds.reduce((part, kind) => part + counts[kind], 0),
      0,
    );
    return sum / (rows.length * STREAMS);
  }

  const groups = { REAL, BUFFERED, REPLAYED, BRIEFLY_REPLAYED, COARSE };
  const matrices = [true, false].map((paired) => ({
    paired,
    rows: Object.fromEntries(
      Object.entries(groups).map(([group, services], i) => [group, count(services, paired, i + 1)]),
    ) as Record<keyof typeof groups, ReturnType<typeof count>>,
  }));

  /** The confusion matrix, for the reader of a failed test. */
  const shown = matrices
    .flatMap(({ paired, rows }) => [
      `${paired ? 'with' : 'without'} non-streaming answers beside (${STREAMS} streams a row)`,
      `${''.padEnd(36)}${VERDICT_KINDS.map((kind) => kind.padStart(10)).join('')}`,
      ...Object.entries(rows).flatMap(([group, list]) =>
        list.map(
          ({ name, counts }) =>
            `${group.toLowerCase().slice(0, 9).padEnd(10)}${name.padEnd(26)}${VERDICT_KINDS.map((kind) => String(counts[kind]).padStart(10)).join('')}`,
        ),
      ),
    ])
    .join('\n');

  test.each(matrices)('under 1 % of real streams are accused (paired: $paired)', ({ rows }) => {
    expect(share(rows.REAL, 'buffered', 'replayed'), shown).toBeLessThan(0.01);
    expect(share(rows.COARSE, 'buffered', 'replayed'), shown).toBeLessThan(0.01);
    for (const row of rows.REAL) expect(share([row], 'coarse'), row.name).toBeLessThan(0.02);
  });

  test.each(matrices)('at least 99 % of buffered streams are found (paired: $paired)', ({ rows }) => {
    expect(share(rows.BUFFERED, 'buffered'), shown).toBeGreaterThanOrEqual(0.99);
  });

  test('at least 99 % of replays are found beside non-streaming answers', () => {
    expect(share(matrices[0]!.rows.REPLAYED, 'replayed', 'buffered'), shown).toBeGreaterThanOrEqual(0.99);
  });

  test.each(matrices)('lumps are called coarse (paired: $paired)', ({ rows }) => {
    expect(share(rows.COARSE, 'coarse'), shown).toBeGreaterThanOrEqual(0.95);
  });

  test('with five streams a cell no more are accused, and a replay is at least not taken for a stream', () => {
    expect(share(count(REAL, true, 8, 5), 'buffered', 'replayed')).toBeLessThan(0.01);
    const replays = count(REPLAYED, true, 9, 5);
    expect(share(replays, 'replayed')).toBeGreaterThanOrEqual(0.85);
    expect(share(replays, 'streaming')).toBeLessThan(0.03);
  });

  test('a replay that hides in the noise is seldom taken for a stream', () => {
    expect(share(matrices[0]!.rows.BRIEFLY_REPLAYED, 'streaming'), shown).toBeLessThan(0.1);
  });
});

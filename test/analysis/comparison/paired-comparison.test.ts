import { describe, expect, test } from 'vitest';
import { compareModes, compareTargets } from '../../../src/analysis/comparison/paired-comparison.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import { records, request, runOf } from '../runs.ts';

const OPTIONS = { seed: 1, resamples: 1000 };
const ROUNDS = [0, 1, 2, 3, 4];

function luck(seed: number): number[] {
  const random = createRandom(seed);
  return ROUNDS.map(() => Math.exp(0.2 * random.normal()));
}

// A generator of its own for each cell: no test depends on which ran before it.
function randomOf(...names: (string | number)[]) {
  return createRandom([...names.join(' ')].reduce((seed, char) => seed * 31 + char.codePointAt(0)!, 3) % 1e9);
}

describe('target against target', () => {
  const shared = luck(1);
  const cell = (target: string, prompt: string, ttftMs: number, concurrency = 4) =>
    records(
      randomOf(target, prompt, concurrency),
      5,
      40,
      { ttftMs, sigma: 0.15, restMs: 3000 },
      { target, prompt, concurrency },
      shared,
    );
  const run = runOf([
    ...cell('flash', 'short', 100),
    ...cell('flash', 'long', 200),
    ...cell('big', 'short', 180),
    ...cell('big', 'long', 360),
    ...cell('big', 'huge', 9000),
  ]);

  test('is told for each prompt that both have, and for all', () => {
    const { rows, sentences } = compareTargets(run, 'flash', 'big', OPTIONS);
    const ttft = rows.filter(({ metric }) => metric === 'ttft');
    expect(ttft.map(({ prompt, verdict }) => [prompt, verdict])).toEqual([
      [null, 'a_better'],
      ['short', 'a_better'],
      ['long', 'a_better'],
    ]);
    const [all, short, long] = ttft;
    expect(all!.factor!).toBeCloseTo(Math.sqrt(short!.factor! * long!.factor!), 5);
    expect(all!.low!).toBeGreaterThan(1.6);
    expect(all!.high!).toBeLessThan(2);
    expect(sentences).toEqual([
      expect.stringMatching(
        /^first token 1\.8x faster with flash \(1\.\d+x to 1\.\d+x\): 1\d\d ms instead of 2\d\d ms; total equivalent \(\d+ ms with flash, \d+ ms with .*\); token rate equivalent \(.*\)$/,
      ),
    ]);
  });

  test('says the same from the other side', () => {
    const { rows, sentences } = compareTargets(run, 'big', 'flash', OPTIONS);
    expect(rows[0]!.verdict).toBe('b_better');
    expect(sentences[0]).toMatch(
      /^first token 1\.8x faster with flash \(1\.\d+x to 1\.\d+x\): 1\d\d ms instead of 2\d\d ms; total equivalent/,
    );
  });

  test('what varies from round to round alike does not blur it', () => {
    const slower = runOf([...cell('a', 'short', 300), ...cell('b', 'short', 360)]);
    const { rows } = compareTargets(slower, 'a', 'b', {
      ...OPTIONS,
      figures: [{ metric: 'ttft', statistic: 'p50' }],
    });
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({ prompt: null, verdict: 'a_better', drawn: 'rounds', n: 200 });
  });

  test('a rate is better when higher', () => {
    const cells = ['a', 'b'].flatMap((target) =>
      records(randomOf(target), 5, 20, { ttftMs: 100, restMs: target === 'a' ? 500 : 1000 }, { target }),
    );
    const { rows, sentences } = compareTargets(runOf(cells), 'a', 'b', {
      ...OPTIONS,
      figures: [{ metric: 'token_rate', statistic: 'p50' }],
    });
    expect(rows[0]).toMatchObject({ verdict: 'a_better', a: 16, b: 8 });
    expect(rows[0]!.factor).toBeCloseTo(2, 9);
    expect(sentences[0]).toBe('token rate 2.0x higher with a (2.0x to 2.0x): 16/s instead of 8.0/s');
  });

  test('concurrencies are told apart', () => {
    const both = runOf(
      [1, 16].flatMap((c) => [...cell('a', 'short', 100, c), ...cell('b', 'short', 100 * c, c)]),
    );
    const { sentences } = compareTargets(both, 'a', 'b', OPTIONS);
    expect(sentences[0]).toMatch(/^at 1 stream: first token equivalent \(.*\); total/);
    expect(sentences[1]).toMatch(/^at 16 streams: first token 16x faster with a \(/);
  });

  test('too few values decide nothing, and unknown targets are refused', () => {
    const few = runOf(
      ['a', 'b'].flatMap((target, i) =>
        records(randomOf(target), 5, 3, { ttftMs: 100 + 400 * i }, { target }),
      ),
    );
    const { rows, sentences } = compareTargets(few, 'a', 'b', OPTIONS);
    expect(rows[0]!.verdict).toBe('inconclusive');
    expect(sentences[0]).toMatch(/^first token inconclusive: 15 values per side, 20 needed/);
    expect(() => compareTargets(run, 'flsh', 'big', OPTIONS)).toThrow(
      /no target "flsh".*\n.*did you mean "flash"/,
    );
    expect(
      compareTargets(runOf([...cell('a', 'x', 1), ...cell('b', 'y', 1)]), 'a', 'b', OPTIONS).rows,
    ).toEqual([]);
  });

  test('a side that fails is not better', () => {
    const failing = records(randomOf('b'), 5, 40, { ttftMs: 50, failures: 0.8 }, { target: 'b' });
    const { rows, sentences } = compareTargets(
      runOf([...cell('a', 'short', 100), ...failing]),
      'a',
      'b',
      OPTIONS,
    );
    expect(rows[0]).toMatchObject({ verdict: 'a_better', b: null, factor: null });
    expect(sentences[0]).toContain('first token faster with a: most requests of the other side failed');
  });
});

describe('streaming against not', () => {
  const random = createRandom(41);
  const shared = luck(2);
  const streaming = records(random, 5, 40, { ttftMs: 200, sigma: 0.15, restMs: 2400 }, {}, shared);
  const whole = records(
    random,
    5,
    40,
    { ttftMs: 200, sigma: 0.15, restMs: 2300 },
    { mode: 'non-streaming' },
    shared,
  );

  test('the first token is faster, the total equivalent', () => {
    const comparison = compareModes(runOf([...streaming, ...whole]), 'flash', OPTIONS);
    expect(comparison).toMatchObject({ kind: 'streaming', target: 'flash' });
    expect(comparison.sentences).toEqual([
      expect.stringMatching(
        /^first token 1\dx faster with streaming \(1\dx to 1\dx\): \d{3} ms instead of 2\d{3} ms; total equivalent \(\d+ ms with streaming, \d+ ms with non-streaming\)$/,
      ),
    ]);
  });

  test('a run of one mode has nothing to compare', () => {
    expect(compareModes(runOf(streaming), 'flash', OPTIONS).rows).toEqual([]);
  });

  test('a mode without a successful request is not compared', () => {
    const ignored = whole.map((one) => ({ ...one, outcome: { kind: 'not_a_stream' as const } }));
    const comparison = compareModes(runOf([...streaming, ...ignored]), 'flash', OPTIONS);
    expect(comparison.rows).toEqual([]);
    expect(comparison.sentences).toEqual([]);
  });

  test('each target and each load has its own figures', () => {
    const at = (target: string, concurrency: number, ttftMs: number, wholeMs: number) =>
      ROUNDS.flatMap((round) =>
        Array.from({ length: 8 }, () => [
          request(ttftMs, 1000 - ttftMs, { round, target, concurrency }),
          request(0, wholeMs, { round, target, concurrency, mode: 'non-streaming' }),
        ]).flat(),
      );
    const run = runOf([...at('other', 4, 10, 10), ...at('flash', 4, 100, 800), ...at('flash', 8, 400, 500)]);
    const { rows } = compareModes(run, 'flash', OPTIONS);
    expect(rows.map(({ concurrency, metric, a, b }) => [concurrency, metric, a, b])).toEqual([
      [4, 'ttft', 100, 800],
      [4, 'total', 1000, 800],
      [8, 'ttft', 400, 500],
      [8, 'total', 1000, 500],
    ]);
  });

  test('the factors are those of the records', () => {
    const exact = runOf(
      ROUNDS.flatMap((round) =>
        Array.from({ length: 8 }, () => [
          request(100, 900, { round }),
          request(100, 700, { round, mode: 'non-streaming' }),
        ]).flat(),
      ),
    );
    const { rows } = compareModes(exact, 'flash', OPTIONS);
    expect(rows.map(({ metric, a, b, factor, low, high }) => [metric, a, b, factor, low, high])).toEqual([
      ['ttft', 100, 800, 8, 8, 8],
      ['total', 1000, 800, 0.8, 0.8, 0.8],
    ]);
  });
});

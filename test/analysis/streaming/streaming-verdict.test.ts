import { describe, expect, test } from 'vitest';
import {
  type LengthTest,
  lengthTest,
  pooledLengthTest,
} from '../../../src/analysis/streaming/length-test.ts';
import { verdictFigures } from '../../../src/analysis/streaming/stream-figures.ts';
import { mediansOf, type StreamMedians } from '../../../src/analysis/streaming/stream-medians.ts';
import {
  decide,
  nameOfVerdict,
  type VerdictContext,
} from '../../../src/analysis/streaming/streaming-verdict.ts';
import {
  createVerdictCollector,
  JUDGED_STREAMS,
  judgeStreams,
  summarizeVerdicts,
} from '../../../src/analysis/streaming/verdict-collector.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { createRandom } from '../../../src/model/seeded-random.ts';
import { record, wholeRecord } from '../../metrics/records.ts';
import type { Sent } from '../../verdict/generator.ts';
import { received } from '../../verdict/received.ts';
import { figures } from './figures.ts';

function stream(at: number[], extra: Partial<Sent> = {}, reused = true): RequestRecord {
  return received({ at, chars: 5, wholeMs: at.at(-1)!, ...extra }, createRandom(1), 0.01, reused);
}

function evenly(from: number, chunks: number, gapMs: number): number[] {
  return Array.from({ length: chunks }, (_, i) => from + i * gapMs);
}

/** The verdict on several streams alike. */
function verdict(one: RequestRecord, context: VerdictContext = {}, times = 5) {
  const figures = verdictFigures(one);
  return judgeStreams(new Array(times).fill(figures), context)[0]!;
}

const seconds = (s: number) => ({ totalMs: s * 1000, n: 10 });

describe('streams of one shape', () => {
  test('21 chunks in 0.1 s after 15.6 s are not accused by themselves: a fast model after a wait looks the same', () => {
    const { verdict: word, evidence } = verdict(stream(evenly(15_590, 21, 5)));
    expect(word).toBe('inconclusive');
    expect(evidence).toMatch(
      /^21 chunks in 100 ms after a wait of 15\.6 s: .* measure again with --mode both or --lengths 16,256$/,
    );
  });

  test('what came at once, and takes longer to make, was held back', () => {
    const { verdict: word, evidence } = verdict(stream(evenly(3000, 60, 0)));
    expect(word).toBe('buffered');
    expect(evidence).toBe(
      '60 chunks in 0.20 ms after a wait of 3001 ms: the answer was generated first, or buffered in the path',
    );
  });

  test('a stream that was cut as planned is not accused of being held back: it has no whole answer', () => {
    for (const at of [evenly(3000, 60, 0), [...evenly(100, 5, 50), ...evenly(3000, 60, 0)]]) {
      const { verdict: word, evidence } = verdict({ ...stream(at), cut: true });
      expect(word).toBe('inconclusive');
      expect(evidence).toContain('then cut as planned');
    }
    expect(verdict({ ...stream(evenly(100, 60, 50)), cut: true }).verdict).toBe('streaming');
  });

  test('a first chunk after 93 s, then a slow replay, of an answer that takes 93 s', () => {
    const { verdict: word, evidence } = verdict(stream(evenly(93_000, 400, 30)), { whole: seconds(93.4) });
    expect(word).toBe('replayed');
    expect(evidence).toBe(
      '400 chunks over 12.0 s after a wait of 93.0 s; the non-streaming answer takes 93.4 s: the answer is generated before it is sent',
    );
  });

  test('the same answer, really streamed', () => {
    const { verdict: word, evidence } = verdict(stream(evenly(1990, 400, 230)), { whole: seconds(93.4) });
    expect(word).toBe('streaming');
    expect(evidence).toBe(
      '400 chunks over 91.8 s after a wait of 1991 ms; the non-streaming answer takes 93.4 s',
    );
  });

  test('a single request is not enough for a fake verdict', () => {
    for (const [at, context] of [
      [evenly(3000, 60, 0), {}],
      [evenly(93_000, 400, 30), { whole: seconds(93.4) }],
      [[100, 120, 140, ...evenly(3000, 60, 0)], {}],
    ] as const)
      expect(verdict(stream([...at]), context, 1).verdict).toBe('inconclusive');
    expect(verdict(stream(evenly(300, 400, 20)), {}, 1).verdict).toBe('streaming');
  });

  test('started live, then the rest at once', () => {
    const at = [...evenly(200, 30, 20), ...evenly(4000, 170, 0)];
    expect(verdict(stream(at), { whole: seconds(4) })).toMatchObject({
      verdict: 'tail_buffered',
      evidence: expect.stringMatching(
        /^30 chunks over 580 ms after a wait of 201 ms, then 170 at once after a pause of 3220 ms: started live, then buffered$/,
      ),
    });
    // Without the largest flush, records of older versions cannot show it.
    const { flush: _, ...old } = stream(at);
    expect(verdict(old).verdict).not.toBe('tail_buffered');
  });

  test('lumps are coarse where they are shown to be live', () => {
    const at = Array.from({ length: 120 }, (_, i) => 500 + Math.floor(i / 20) * 400);
    expect(verdict(stream(at), { whole: seconds(2.5) })).toMatchObject({
      verdict: 'coarse',
      evidence: expect.stringContaining('in lumps of 20 every 400 ms'),
    });
    expect(verdict(stream(at), { whole: seconds(0.5) }).verdict).toBe('replayed');
    const bursts = Array.from({ length: 120 }, (_, i) => 200 + Math.floor(i / 4) * 60);
    expect(verdict(stream(bursts), { whole: seconds(2) }).verdict).toBe('streaming');
  });

  test('a canned first word is no beginning', () => {
    const at = [50, ...evenly(3000, 200, 10)];
    expect(verdict(stream(at)).verdict).toBe('inconclusive');
    expect(verdict(stream(at), { whole: seconds(3) }).verdict).toBe('replayed');
  });

  test('reasoning that is reported and not sent is no replay', () => {
    const thinks = stream(evenly(30_000, 200, 20), { hiddenReasoning: true });
    expect(verdict(thinks, { whole: seconds(31) }).verdict).not.toBe('replayed');
    expect(verdict(stream(evenly(30_000, 200, 20)), { whole: seconds(30) }).verdict).toBe('replayed');
  });

  test('reasoning of which only a summary was sent is no replay either', () => {
    const at = evenly(30_000, 200, 20);
    const tokens = { output: 1200, source: 'usage', reasoning: 1000 } as const;
    const thinking = (hiddenReasoning: number) => ({
      ...stream(at),
      chars: { answer: 1000, thinking: 200 },
      tokens: { ...tokens, hiddenReasoning },
    });
    // More reasoning before longer answers is no sign that the answer is made before it is sent.
    const lengths = {
      result: 'grows',
      short: { n: 5, tokens: 16, waitMs: 9000 },
      long: { n: 5, tokens: 256, waitMs: 40_000 },
      ratio: 4.4,
    } as const;
    expect(verdict(thinking(1000), { lengths }).verdict).toBe('inconclusive');
    // All of it was sent.
    expect(verdict(thinking(0), { lengths }).verdict).toBe('replayed');
  });

  test('a contradiction of pair and length test is inconclusive', () => {
    const lengths = {
      result: 'grows',
      short: { n: 5, tokens: 16, waitMs: 90 },
      long: { n: 5, tokens: 256, waitMs: 400 },
      ratio: 4.4,
    } as const;
    const { verdict: word, evidence } = verdict(stream(evenly(300, 200, 20)), { whole: seconds(4), lengths });
    expect(word).toBe('inconclusive');
    expect(evidence).toContain('contradictory');
  });

  test('where nothing can be said, nothing is said', () => {
    expect(verdict(stream(evenly(500, 3, 20))).evidence).toMatch(/too little to distinguish/);
    expect(verdict(stream(evenly(1, 64, 0.01))).evidence).toMatch(/too fast to distinguish/);
    const { firstToken: _, ...marks } = record().marks;
    expect(verdict(record({ marks, contentEvents: 0, gaps: [] }))).toMatchObject({
      verdict: 'inconclusive',
      evidence: 'no content arrived',
      figures: null,
    });
  });

  test('a report of an older version says too_short for inconclusive', () => {
    expect(nameOfVerdict('too_short')).toBe('inconclusive');
    expect(nameOfVerdict('tail_buffered')).toBe('tail_buffered');
  });
});

describe('one shape and what is known beside it', () => {
  const LENGTHS = {
    short: { n: 5, tokens: 16, waitMs: 90 },
    long: { n: 5, tokens: 256, waitMs: 400 },
    ratio: 4.4,
  };
  const lengths = (result: LengthTest['result']): LengthTest => ({ ...LENGTHS, result });
  const usual = (changes: Partial<StreamMedians> = {}): StreamMedians => ({
    ...mediansOf([figures(), figures()]),
    ...changes,
  });
  // Begins too late to be early, and alone shows nothing.
  const late = (changes: Partial<StreamMedians> = {}) => usual({ begunMs: 1000, ...changes });

  test('what cannot be read decides nothing', () => {
    expect(decide('spread', undefined, {})).toEqual(['inconclusive', 'no_content']);
    expect(decide('nothing', usual(), {})).toEqual(['inconclusive', 'no_content']);
    expect(decide('held', usual({ unread: true }), {})).toEqual(['inconclusive', 'unread']);
    expect(decide('little', usual(), {})).toEqual(['inconclusive', 'little_content']);
    expect(decide('instant', usual(), {})).toEqual(['inconclusive', 'instant']);
    expect(decide('brief', late(), {})).toEqual(['inconclusive', 'brief']);
    expect(decide('spread', late(), {})).toEqual(['inconclusive', 'open']);
    expect(decide('spread', late(), { lengths: lengths('weak') })).toEqual(['inconclusive', 'weak']);
  });

  test('a single stream is not accused', () => {
    expect(decide('held', usual({ n: 1 }), {})).toEqual(['inconclusive', 'single']);
    expect(decide('held', usual({ n: 2 }), {})).toEqual(['buffered', 'held']);
    expect(decide('tail', usual({ n: 1 }), {})).toEqual(['inconclusive', 'single']);
    expect(decide('tail', usual({ n: 2 }), {})).toEqual(['tail_buffered', 'tail']);
  });

  test('an early beginning is live: within a tenth of the latency, or 40 % where no timer sends', () => {
    const at = (begunMs: number, changes: Partial<StreamMedians> = {}) =>
      decide('spread', usual({ latencyMs: 1000, begunMs, tokens: 200, ...changes }), {});
    expect(at(99, { timed: true })).toEqual(['streaming', 'early']);
    expect(at(100, { timed: true })).toEqual(['inconclusive', 'open']);
    expect(at(399)).toEqual(['streaming', 'early']);
    expect(at(400)).toEqual(['inconclusive', 'open']);
    // 5 ms a token.
    expect(at(399, { tokens: 80 })).toEqual(['streaming', 'early']);
    expect(at(399, { tokens: 79 })).toEqual(['inconclusive', 'open']);
    expect(at(50, { lengthCorrelation: 0.49 })).toEqual(['streaming', 'early']);
    expect(at(50, { lengthCorrelation: 0.5 })).toEqual(['inconclusive', 'open']);
  });

  test('lumps that are live are coarse', () => {
    expect(decide('lumps', usual({ begunMs: 20 }), {})).toEqual(['coarse', 'early']);
    expect(decide('lumps', late(), { lengths: lengths('same') })).toEqual(['coarse', 'same_wait']);
  });

  test('a wait that grows with the length, or a begin with the whole answer, is a replay', () => {
    expect(decide('spread', late(), { lengths: lengths('grows') })).toEqual(['replayed', 'longer_wait']);
    expect(decide('brief', late(), { lengths: lengths('grows') })).toEqual(['buffered', 'longer_wait']);
    const whole = { totalMs: 1000, n: 10 };
    expect(decide('spread', late(), { whole })).toEqual(['replayed', 'after_whole']);
    expect(decide('spread', late({ lengthCorrelation: 0.8 }), {})).toEqual(['replayed', 'correlation']);
    expect(decide('spread', late({ lengthCorrelation: 0.79 }), {})).toEqual(['inconclusive', 'open']);
  });

  test('hidden reasoning makes such a wait too', () => {
    const thinks = late({ hiddenReasoning: true, lengthCorrelation: 0.9 });
    const whole = { totalMs: 1000, n: 10 };
    expect(decide('spread', thinks, { whole, lengths: lengths('grows') })).toEqual(['inconclusive', 'open']);
    expect(decide('held', thinks, {})).toEqual(['buffered', 'held']);
  });

  test('an early beginning does not outweigh an accusation, the other signs contradict it', () => {
    expect(decide('spread', usual({ begunMs: 20 }), { lengths: lengths('grows') })).toEqual([
      ...['replayed', 'longer_wait'],
    ]);
    const whole = { totalMs: 2180, n: 10 };
    expect(decide('spread', usual(), { whole, lengths: lengths('grows') })).toEqual([
      ...['inconclusive', 'contradiction'],
    ]);
    expect(decide('held', usual(), { lengths: lengths('same') })).toEqual(['inconclusive', 'contradiction']);
  });
});

describe('a cell', () => {
  const real = stream(evenly(200, 100, 20));
  const fake = stream(evenly(2200, 100, 0));
  const judged = (records: RequestRecord[], context: VerdictContext = {}) =>
    summarizeVerdicts(judgeStreams(records.map(verdictFigures), context));

  test('is what most of its streams are', () => {
    const { verdict, evidence, counts } = judged([fake, fake, real, real, real]);
    expect(verdict).toBe('streaming');
    expect(counts).toMatchObject({ streaming: 3, buffered: 2, inconclusive: 0 });
    expect(evidence).toMatch(/^3 of 5 streams: 100 chunks over 1980 ms/);
  });

  test('has no accused stream where only one, or one in twenty, has the shape', () => {
    expect(judged([fake, real, real]).counts).toMatchObject({ streaming: 2, buffered: 0, inconclusive: 1 });
    const many = judged([fake, fake, ...new Array(38).fill(real)]);
    expect(many.counts).toMatchObject({ streaming: 38, buffered: 0 });
  });

  test('is the graver of two where they are even, and nothing without streams', () => {
    expect(judged([real, real, fake, fake]).verdict).toBe('buffered');
    expect(judged([])).toMatchObject({ verdict: 'inconclusive', evidence: 'no stream succeeded' });
  });

  test('is judged by its warm streams: a cold first request makes no replay', () => {
    const cold = stream(evenly(9000, 100, 20), {}, false);
    const context = { whole: seconds(2.2) };
    expect(judged([cold, real, real], context)).toMatchObject({ verdict: 'streaming' });
    expect(judged([cold, real, real], context).counts).toMatchObject({ replayed: 0 });
  });

  test('is not known by the few streams that could be judged', () => {
    const short = stream(evenly(3, 30, 0.05));
    expect(judged([real, ...new Array(4).fill(short)])).toMatchObject({ verdict: 'inconclusive' });
  });

  test('is folded from good streams alone, and in bounded memory', () => {
    const fold = createVerdictCollector();
    fold.add(real);
    fold.add({ ...fake, outcome: { kind: 'truncated' } });
    fold.add(wholeRecord());
    expect(fold.result().counts).toMatchObject({ streaming: 1, buffered: 0, inconclusive: 0 });
    for (let i = 0; i < JUDGED_STREAMS + 10; i++) fold.add(real);
    expect(fold.result().counts.streaming).toBe(JUDGED_STREAMS);
  });
});

describe('the length test', () => {
  const waits = (tokens: number, ...ms: number[]) =>
    ms.map((wait) => verdictFigures(stream(evenly(wait, tokens, 5)))!);

  test('finds that longer answers begin later, also with three of each', () => {
    expect(lengthTest(waits(16, 400, 420, 390), waits(256, 2900, 3000, 3100))).toMatchObject({
      result: 'grows',
      short: { n: 3, waitMs: expect.any(Number) },
    });
  });

  test('tells that they do not', () => {
    const test = lengthTest(waits(16, 400, 420, 390), waits(256, 410, 400, 430));
    expect(test).toMatchObject({ result: 'same', ratio: expect.closeTo(1.02, 1) });
  });

  test('says what it cannot tell: too few, too noisy, the same length, a long wait', () => {
    expect(lengthTest(waits(16, 400, 420), waits(256, 400, 400, 400))).toBeUndefined();
    expect(lengthTest(waits(16, 300, 900, 2000), waits(256, 2500, 700, 1500))?.result).toBe('open');
    expect(lengthTest(waits(90, 400, 420, 390), waits(100, 900, 900, 900))?.result).toBe('same_length');
    expect(lengthTest(waits(16, 8000, 8100, 8200), waits(256, 8000, 8100, 8200))?.result).toBe('weak');
  });

  test('over prompts accuses only where the inputs are as long', () => {
    const prompt = (input: number | null, streams: ReturnType<typeof waits>) =>
      streams.map((figures) => ({ ...figures, inputTokens: input }));
    const [short, late] = [waits(16, 400, 420, 390), waits(256, 2900, 3000, 3100)];
    const soon = waits(256, 410, 400, 430);
    const result = (a: number | null, b: number | null, long = late) =>
      pooledLengthTest([prompt(b, long), prompt(a, short)])?.result;
    expect(result(20, 30)).toBe('grows');
    expect(result(20, 4000)).toBe('open');
    expect(result(null, null)).toBeUndefined();
    expect(result(20, 4000, soon)).toBe('same');
    expect(result(4000, 20, soon)).toBe('open');
  });
});

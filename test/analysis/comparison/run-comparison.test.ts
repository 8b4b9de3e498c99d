import { describe, expect, test } from 'vitest';
import {
  compareRuns,
  type RunComparison,
  type RunComparisonOptions,
} from '../../../src/analysis/comparison/run-comparison.ts';
import type { RunSamples } from '../../../src/analysis/comparison/samples.ts';
import { UserError } from '../../../src/model/errors.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { createRandom, type Random } from '../../../src/model/seeded-random.ts';
import { manifest } from '../../metrics/records.ts';
import { type Behaviour, records, request, runOf } from '../runs.ts';

const QUICK: RunComparisonOptions = { seed: 1, resamples: 1000 };
const TTFT_P50: RunComparisonOptions = { ...QUICK, figures: [{ metric: 'ttft', statistic: 'p50' }] };
const TTFT_P95: RunComparisonOptions = { ...QUICK, figures: [{ metric: 'ttft', statistic: 'p95' }] };

function run(random: Random, behaviour: Behaviour, rounds = 5, perRound = 40): RunSamples {
  return runOf(records(random, rounds, perRound, behaviour));
}

function compared(
  base: Behaviour,
  next: Behaviour,
  options = TTFT_P50,
  rounds = 5,
  perRound = 40,
): RunComparison {
  const random = createRandom(11);
  return compareRuns(run(random, base, rounds, perRound), run(random, next, rounds, perRound), options);
}

const STEADY: Behaviour = { ttftMs: 300, sigma: 0.15, outliers: 0.01 };

describe('the rule', () => {
  test('regression, improvement, equivalent, inconclusive', () => {
    const verdicts = [1.5, 0.6, 1, 1.1].map(
      (factor) => compared(STEADY, { ...STEADY, ttftMs: 300 * factor }).verdict,
    );
    expect(verdicts).toEqual(['regression', 'improvement', 'equivalent', 'inconclusive']);
  });

  test('the sentence holds the figures', () => {
    const { sentence, rows } = compared(STEADY, { ...STEADY, ttftMs: 450 });
    expect(sentence).toMatch(
      /^ttft p50 of flash \/ short \/ 4 streams: \d{3} ms before, \d{3} ms now \(\+\d\d %; between \+\d\d % and \+\d\d %\): regression, worse by more than 10 %$/,
    );
    expect(rows[0]).toMatchObject({
      gated: true,
      drawn: 'rounds',
      tolerance: 0.1,
      unit: 'ms',
      better: 'lower',
    });
    expect(rows[0]!.difference! / 150).toBeCloseTo(1, 0);
    expect(rows[0]!.mannWhitney!.superiority).toBeGreaterThan(0.9);
  });

  test('a difference below 5 ms is no change, however large its ratio', () => {
    expect(compared({ ...STEADY, ttftMs: 2 }, { ...STEADY, ttftMs: 6 }).verdict).toBe('equivalent');
    expect(compared({ ...STEADY, ttftMs: 20 }, { ...STEADY, ttftMs: 40 }).verdict).toBe('regression');
  });

  test('where higher is better, lower is a regression', () => {
    const figures = [{ metric: 'token_rate', statistic: 'p50' }];
    const fast = (restMs: number) => ({ ...STEADY, restMs });
    expect(compared(fast(400), fast(800), { ...QUICK, figures }).verdict).toBe('regression');
    expect(compared(fast(800), fast(400), { ...QUICK, figures }).verdict).toBe('improvement');
    expect(compared(fast(400), fast(400), { ...QUICK, figures }).rows[0]).toMatchObject({
      better: 'higher',
      unit: '1/s',
    });
  });

  test('an inconclusive figure reports about how many more requests would decide it', () => {
    const noisy = { ...STEADY, sigma: 0.5 };
    const { verdict, rows } = compared(noisy, noisy);
    expect(verdict).toBe('inconclusive');
    const { moreRequests, sentence } = rows[0]!;
    expect(sentence).toContain(
      `about ${moreRequests} more requests per side, in more rounds, would decide it`,
    );
    const more = Math.ceil((200 + moreRequests!) / 5);
    expect(compared(noisy, noisy, TTFT_P50, 5, more * 2).verdict).toBe('equivalent');
  });
});

describe('too little to decide', () => {
  test('a percentile decides only with ten values beyond it', () => {
    const slow = { ...STEADY, ttftMs: 900 };
    const few = compared(STEADY, slow, TTFT_P95, 5, 39);
    expect(few.rows[0]).toMatchObject({
      gated: false,
      verdict: 'inconclusive',
      moreRequests: 5,
      pWorse: null,
    });
    expect(few.rows[0]!.sentence).toContain('not decided: 195 values, 200 needed');
    expect(few.verdict).toBe('inconclusive');
    expect(compared(STEADY, slow, TTFT_P95, 5, 40).verdict).toBe('regression');
    expect(compared(STEADY, slow, TTFT_P50, 4, 4).rows[0]!.gated).toBe(false);
    expect(compared(STEADY, slow, TTFT_P50, 4, 5).rows[0]!.gated).toBe(true);
  });

  test('a figure with too few values does not change the verdict', () => {
    const figures = [...(TTFT_P50.figures ?? []), ...(TTFT_P95.figures ?? [])];
    const { verdict, rows } = compared(STEADY, { ...STEADY, tail: 4 }, { ...QUICK, figures }, 5, 36);
    expect(rows.map(({ gated }) => gated)).toEqual([true, false]);
    expect(verdict).toBe('equivalent');
  });

  test('fewer than four rounds are decided, with a warning that drift is not covered', () => {
    const { warnings, rows, verdict } = compared(STEADY, { ...STEADY, ttftMs: 450 }, TTFT_P50, 3, 60);
    expect(rows[0]!.drawn).toBe('requests');
    expect(verdict).toBe('regression');
    expect(warnings).toContainEqual(expect.stringMatching(/drift between the runs is not covered/));
  });

  test('no data is never a pass', () => {
    const random = createRandom(1);
    const some = run(random, STEADY);
    const { cells } = manifest();
    const nothing = runOf([], { cells: cells.slice(0, 1) });
    for (const [base, next] of [
      [some, nothing],
      [nothing, some],
      [nothing, nothing],
    ] as const) {
      const { verdict, rows } = compareRuns(base, next, TTFT_P50);
      expect(verdict).toBe('inconclusive');
      expect(rows[0]!.sentence).toMatch(/no values on (either|the base|the new) side/);
    }
    expect(compareRuns(runOf([]), runOf([]), TTFT_P50).verdict).toBe('inconclusive');
  });
});

describe('failures', () => {
  test('are worse than any value: a service that fails is not faster', () => {
    const failing = { ...STEADY, ttftMs: 250, failures: 0.6 };
    const { verdict, rows, errors } = compared(STEADY, failing);
    expect(verdict).toBe('regression');
    expect(rows[0]).toMatchObject({ verdict: 'regression', ratio: null, next: { value: null } });
    expect(rows[0]!.next.censored).toBeGreaterThan(90);
    expect(rows[0]!.sentence).toMatch(/no value \(\d+ of 200 failed\) now/);
    expect(errors[0]!.verdict).toBe('regression');
  });

  test('the error rate is a figure of its own, by the interval of the difference', () => {
    const rates = [
      [0, 0],
      [0, 0.1],
      [0.1, 0],
      [0.05, 0.06],
    ].map(
      ([base, next]) =>
        compared({ ...STEADY, failures: base! }, { ...STEADY, failures: next! }).errors[0]!.verdict,
    );
    expect(rates).toEqual(['equivalent', 'regression', 'improvement', 'inconclusive']);
    const { errors } = compared(STEADY, { ...STEADY, failures: 0.1 });
    expect(errors[0]!.sentence).toMatch(
      /^error rate of flash \/ short \/ 4 streams: 0 of 200 before, \d+ of 200 now \(\+/,
    );
  });
});

describe('comparability', () => {
  const random = createRandom(21);
  const list = records(random, 5, 40, STEADY);
  const base = runOf(list);
  const other = (changes: Parameters<typeof manifest>[0], from: RequestRecord[] = list) =>
    compareRuns(base, runOf(from, changes), TTFT_P50);

  test('another scenario, another load and another schema are not comparable, and nothing is computed', () => {
    const { scenario, run: info } = manifest();
    for (const [changes, why] of [
      [
        { scenario: { ...scenario, hash: 'beef' } },
        'not comparable: scenario "demo" has changed between the runs',
      ],
      [{ scenario: { ...scenario, name: 'x', hash: 'beef' } }, /different scenarios: "demo", "x"/],
      [
        { run: { ...info, rounds: 2 } },
        'not comparable: the load differs: 80 requests in 5 rounds; 80 requests in 2 rounds',
      ],
      [{ schema: 'streambench/manifest@2' as never }, /different schemas/],
    ] as const) {
      const result = other(changes);
      expect(result.verdict).toBe('not_comparable');
      expect(result.rows).toEqual([]);
      expect(result.sentence).toMatch(why);
    }
  });

  test('a cell that one run lacks makes the verdict not_comparable, and the other cells are still compared', () => {
    const more = [...list, ...records(random, 5, 40, STEADY, { prompt: 'long' })];
    const result = other({}, more);
    expect(result.verdict).toBe('not_comparable');
    expect(result.obstacles).toEqual(['flash / long / 4 streams is in only one of the runs']);
    expect(result.rows).toHaveLength(1);
  });

  test('another client and an incomplete run cause warnings', () => {
    const { environment, run: info } = manifest();
    const result = other({
      environment: { ...environment, undici: '7.31.0' },
      run: { ...info, aborted: true, abortReason: 'interrupted' },
    });
    expect(result.warnings).toEqual([
      'the version of undici differs: 7.30.2, 7.31.0',
      'the new run is incomplete: interrupted',
    ]);
    expect(result.verdict).toBe('equivalent');
  });

  test('figures that cannot be compared are rejected', () => {
    const compare = (metric: string, statistic: string) => () =>
      compareRuns(base, base, { ...QUICK, figures: [{ metric, statistic }] });
    expect(compare('chunks', 'p50')).toThrow(UserError);
    expect(compare('ttft', 'max')).toThrow(/p50, p90, p95, p99, mean/);
    expect(compare('tftt', 'p50')).toThrow(/did you mean "ttft"/);
  });

  test('JSON changes nothing, and the same seed gives the same result', () => {
    const next = run(createRandom(5), { ...STEADY, failures: 0.7 });
    const result = compareRuns(base, next, QUICK);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
    expect(compareRuns(base, next, QUICK)).toEqual(result);
    expect(result.rows.map(({ metric, statistic }) => `${metric}.${statistic}`)).toEqual([
      'ttft.p50',
      'ttft.p95',
      'total.p50',
      'total.p95',
      'gap.p95',
    ]);
  });
});

// With 500 resamples where the design has 10,000, so that it stays quick.
describe('by simulation', () => {
  function share(trials: number, trial: (random: Random, seed: number) => boolean): number {
    let hits = 0;
    for (let seed = 0; seed < trials; seed++) if (trial(createRandom(seed + 1), seed)) hits += 1;
    return hits / trials;
  }

  const ALL: RunComparisonOptions['figures'] = [
    { metric: 'ttft', statistic: 'p50' },
    { metric: 'ttft', statistic: 'p95' },
    { metric: 'total', statistic: 'p50' },
    { metric: 'total', statistic: 'p95' },
  ];

  function verdictOf(
    random: Random,
    seed: number,
    base: Behaviour,
    next: Behaviour,
    perRound: number,
    figures = ALL,
  ) {
    const runs = [base, next].map((behaviour) => run(random, behaviour, 5, perRound));
    return compareRuns(runs[0]!, runs[1]!, { seed, resamples: 500, figures }).verdict;
  }

  test('no change and 5 % drift between rounds: at most 5 % false regressions in 500 trials', () => {
    const drifting = { ttftMs: 300, drift: 0.05 };
    const rate = share(
      500,
      (random, seed) => verdictOf(random, seed, drifting, drifting, 40) === 'regression',
    );
    expect(rate).toBeLessThanOrEqual(0.05);
  });

  test('the same with a change right at the tolerance, where false alarms are likeliest', () => {
    const drifting = { ttftMs: 300, drift: 0.05, restMs: 0 };
    const rate = share(
      300,
      (random, seed) =>
        verdictOf(random, seed, drifting, { ...drifting, ttftMs: 330 }, 40, [ALL![0]!]) === 'regression',
    );
    expect(rate).toBeLessThanOrEqual(0.08);
  });

  test('20 % more on p50 is found in at least 80 % of trials with 5 rounds of 40', () => {
    // Values vary by 20 % and rounds by 1 %.
    const before = { ttftMs: 300, sigma: 0.2, drift: 0.01 };
    const rate = share(
      200,
      (random, seed) =>
        verdictOf(random, seed, before, { ...before, ttftMs: 360 }, 40, [ALL![0]!]) === 'regression',
    );
    expect(rate).toBeGreaterThanOrEqual(0.8);
  });

  test('a tail that is half as long again is found by p95 at n = 2000, and not by p50', () => {
    const before = { ttftMs: 300, sigma: 0.25, drift: 0.02 };
    const after = { ...before, tail: 1.5 };
    const found = (index: number) =>
      share(
        25,
        (random, seed) => verdictOf(random, seed, before, after, 400, [ALL![index]!]) === 'regression',
      );
    expect(found(1)).toBeGreaterThanOrEqual(0.9);
    expect(found(0)).toBe(0);
  });

  test('over many cells Holm keeps false alarms down, and a large regression in one of them is still found', () => {
    const prompts = Array.from({ length: 12 }, (_, i) => `p${i}`);
    const runs = (random: Random, slowed: number) =>
      runOf(
        prompts.flatMap((prompt, i) =>
          records(random, 5, 30, { ttftMs: i === slowed ? 600 : 300, drift: 0.03 }, { prompt }),
        ),
      );
    const found = share(12, (random, seed) => {
      const { verdict, rows } = compareRuns(runs(random, -1), runs(random, 3), { ...TTFT_P50, seed });
      const wrong = rows.filter((row) => row.verdict === 'regression' && row.cell.prompt !== 'p3');
      return verdict === 'regression' && wrong.length === 0;
    });
    expect(found).toBeGreaterThanOrEqual(0.9);
  });

  test('a single step of the rule, by hand', () => {
    const constant = (ttftMs: number) =>
      runOf(Array.from({ length: 100 }, (_, i) => request(ttftMs, 0, { round: i % 5 })));
    const at = (ttftMs: number) => compareRuns(constant(100), constant(ttftMs), TTFT_P50).verdict;
    expect([111, 109, 92, 90].map(at)).toEqual(['regression', 'equivalent', 'equivalent', 'improvement']);
  });
});

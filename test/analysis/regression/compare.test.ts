import { describe, expect, test } from 'vitest';
import { parseChecks } from '../../../src/analysis/regression/checks.ts';
import { type CompareOptions, compareWithHistory } from '../../../src/analysis/regression/compare.ts';
import type { AcceptedCell, AcceptedRun, Pin } from '../../../src/model/accepted-run.ts';
import type { RunComparison } from '../../../src/model/run-comparison.ts';
import { acceptedCell, acceptedRun, figure } from './accepted.ts';

const STEADY = [1, 0.98, 1.02, 1, 0.99, 1.015, 0.985, 1.005];

/** Accepted runs whose first-token median is 160 ms times these factors. */
const history = (factors: readonly number[] = STEADY, cells = cellsAt): AcceptedRun[] =>
  factors.map((factor, minute) => acceptedRun({ id: `run-${minute}`, minute, cells: cells(160 * factor) }));
const cellsAt = (p50: number): AcceptedCell[] => [acceptedCell({ 'ttft.p50': figure(p50) })];
const next = (p50: number, changes: Partial<AcceptedCell> = {}) =>
  acceptedRun({ id: 'new', minute: 500, cells: cellsAt(p50).map((cell) => ({ ...cell, ...changes })) });
const compare = (p50: number, options: Partial<CompareOptions> = {}, runs = history()): RunComparison =>
  compareWithHistory(runs, next(p50), { base: 'main', ...options });
const only = (checks: string[]) => ({ checks: parseChecks(checks) });

describe('the sentence', () => {
  test('of a regression begins with the figure, its change and both values', () => {
    const comparison = compare(210);
    expect(comparison.verdict).toBe('regression');
    expect(comparison.sentence).toMatch(
      /^regression: ttft\.p50 \+31 % \(\+2\d to \+3\d\), 210 ms instead of 160 ms$/,
    );
    expect(comparison.details).toEqual([
      expect.stringMatching(/^compared with 8 accepted runs of main, which differ by 1\.\d %/),
      expect.stringMatching(/^5 x 40 requests detect \+1\d % on ttft\.p50 in 4 of 5 runs/),
    ]);
  });

  test('of an improvement, of equal runs and of runs within the spread', () => {
    expect(compare(120).sentence).toMatch(/^improvement: ttft\.p50 −25 %/);
    expect(compare(161).sentence).toMatch(/^equivalent: ttft\.p50 \+\d\.\d % .*within their tolerance$/);
    const restless = history(STEADY.map((factor) => factor ** 6));
    expect(compare(165, {}, restless).sentence).toMatch(
      /^unchanged: ttft\.p50 .*within the differences of 8 accepted runs of main; a change of \+\d+ % would be detected in 4 of 5 runs$/,
    );
  });

  test('of an inconclusive run is one line', () => {
    const restless = history(STEADY.map((factor) => factor ** 6));
    const { verdict, sentence } = compare(183, {}, restless);
    expect(verdict).toBe('inconclusive');
    expect(sentence).toMatch(
      /^inconclusive: ttft\.p50 \+15 % .*more than the tolerance of 10 %, but may be chance$/,
    );
    expect(sentence).not.toContain('\n');
  });

  test('of a run whose requests mostly failed names them', () => {
    const failed = figure(1, { value: null, logVariance: null, censored: 120 });
    const run = next(1, { figures: { 'ttft.p50': failed }, failed: 120 });
    const { verdict, sentence } = compareWithHistory(history(), run, { base: 'main', ...only(['ttft.p50']) });
    expect(verdict).toBe('regression');
    expect(sentence).toMatch(
      /so many requests failed \(120 of 200\) that it has no value, instead of 160 ms/,
    );
  });
});

describe('what cannot be compared is not a pass', () => {
  test('without an accepted run', () => {
    expect(compare(160, {}, [])).toMatchObject({ verdict: 'not_comparable', summaries: [] });
  });

  test('another scenario, or another kind of machine, with the remedy', () => {
    const other = history().map((run) => ({
      ...run,
      manifest: { ...run.manifest, scenario: { ...run.manifest.scenario, hash: 'other' } },
    }));
    expect(compare(160, {}, other)).toMatchObject({ verdict: 'not_comparable' });
    const elsewhere = history().map((run, index) =>
      acceptedRun({
        id: `else-${index}`,
        cells: run.cells,
        environment: { cpus: { model: 'Other', count: 2 } },
      }),
    );
    const refused = compare(160, {}, elsewhere);
    expect(refused.verdict).toBe('not_comparable');
    expect(refused.sentence).toMatch(/no accepted run is from this kind of machine .*--any-machine/);
    const allowed = compare(160, { anyMachine: true }, elsewhere);
    expect(allowed.verdict).toBe('equivalent');
    expect(allowed.warnings).toContain('8 accepted runs are from another kind of machine');
    // Not mixed silently.
    const mixed = compare(160, {}, [...elsewhere, ...history()]);
    expect(mixed.history.runs).toHaveLength(8);
    expect(mixed.warnings).toContain('8 accepted runs from another kind of machine are left out');
  });

  test('a figure without data that the accepted runs have, or that was chosen', () => {
    const without = next(160, { figures: {} });
    expect(compareWithHistory(history(), without, { base: 'main' }).verdict).toBe('inconclusive');
    expect(compare(160, only(['ttft.p50', 'ttfa.p95'])).verdict).toBe('inconclusive');
    expect(compare(160, only(['ttft.p50', 'goodput'])).verdict).toBe('inconclusive');
    // A default figure that no run of this scenario has does not matter.
    expect(compare(160).verdict).toBe('equivalent');
  });

  test('too few values', () => {
    const few = (n: number) => (p50: number) => [
      acceptedCell({ 'ttft.p50': figure(p50, { n }) }, { requests: n }),
    ];
    const runs = history(STEADY, few(12));
    const comparison = compareWithHistory(runs, acceptedRun({ id: 'new', cells: few(12)(300) }), {
      base: 'main',
      ...only(['ttft.p50']),
    });
    expect(comparison.verdict).toBe('inconclusive');
    expect(comparison.sentence).toMatch(/12 values per cell, 20 needed/);
  });
});

describe('the history', () => {
  test('is the newest ten runs; with fewer than five the spread is assumed, and said', () => {
    const many = history(Array.from({ length: 14 }, (_, n) => STEADY[n % STEADY.length]!));
    expect(compare(160, {}, many).history).toMatchObject({
      runs: many.slice(-10).map(({ manifest }) => manifest.run.id),
      assumedSpread: null,
    });
    const few = compare(160, { assumedSpread: 0.08 }, history(STEADY.slice(0, 4)));
    expect(few.history).toMatchObject({ assumedSpread: 0.08, measuredSpread: null });
    expect(few.details[0]).toMatch(/spread between runs is assumed to be 8\.0 % \(it is measured from 5/);
  });

  test('begins anew at a run that was accepted as a new level', () => {
    const runs = history([...STEADY, 1.4]);
    runs[8]!.newLevel = true;
    const comparison = compare(224, {}, runs);
    expect(comparison.history.runs).toEqual(['run-8']);
    expect(comparison.verdict).toBe('unchanged');
    expect(compare(300, {}, runs).verdict).toBe('regression');
  });

  test('does not contain the run itself', () => {
    const runs = [...history(), next(210)];
    expect(compare(210, {}, runs).verdict).toBe('regression');
  });

  test('leaves out a run whose requests failed, for that figure', () => {
    const runs = history();
    runs[0]!.cells[0]!.figures['ttft.p50'] = figure(1, { value: null, logVariance: null, censored: 150 });
    expect(compare(210, {}, runs).summaries[0]).toMatchObject({ verdict: 'regression' });
  });
});

describe('a pin', () => {
  const pin: Pin = { schema: 'streambench/pin@1', name: 'v1.2', runs: history() };
  /** Each accepted run is 2 % slower than the one before. */
  const crept = history(STEADY.map((factor, index) => factor * 1.02 ** index));

  test('finds what crept in while each step was accepted', () => {
    const slow = 160 * 1.02 ** 8;
    expect(compare(slow, {}, crept).verdict).not.toBe('regression');
    const comparison = compare(slow, { pins: [pin] }, crept);
    expect(comparison.verdict).toBe('regression');
    expect(comparison.sentence).toMatch(
      /^regression: ttft\.p50 \+17 % .* against pin v1\.2, 187 ms instead of 160 ms/,
    );
  });

  test('is compared with the mean of the last two runs as well', () => {
    const restless = history(STEADY.map((factor) => factor ** 4));
    const pins = [{ ...pin, runs: restless }];
    const row = (runs: AcceptedRun[], p50: number) =>
      compare(p50, { pins, ...only(['ttft.p50']) }, runs).summaries.at(-1)!;
    // Each of two runs may be chance, both together are not.
    const slow = 160 * 1.11;
    expect(row(restless, slow)).toMatchObject({ pin: 'v1.2', verdict: 'inconclusive' });
    const before = acceptedRun({ id: 'before', minute: 400, cells: cellsAt(slow) });
    const together = row([...restless, before], slow);
    expect(together).toMatchObject({ pin: 'v1.2', verdict: 'regression', nextRuns: 2 });
    expect(together.sentence).toContain(', 178 ms in the mean of the last 2 runs instead of 160 ms');
  });

  test('does not fail a run that is as fast', () => {
    const comparison = compare(161, { pins: [pin] });
    expect(comparison.verdict).toBe('equivalent');
    expect(comparison.summaries.at(-1)).toMatchObject({ pin: 'v1.2', gated: false });
  });

  test('of another scenario is a warning', () => {
    const other: Pin = {
      ...pin,
      runs: pin.runs.map((run) => ({
        ...run,
        manifest: { ...run.manifest, scenario: { ...run.manifest.scenario, hash: 'other' } },
      })),
    };
    const { warnings, verdict } = compare(161, { pins: [other] });
    expect(warnings).toEqual([expect.stringMatching(/^pin v1\.2 is not compared: /)]);
    expect(verdict).toBe('equivalent');
  });
});

describe('several cells', () => {
  const prompts = ['a', 'b', 'c', 'd'];
  const cells = (p50: number, slower: Partial<Record<string, number>> = {}) =>
    prompts.map((prompt) => acceptedCell({ 'ttft.p50': figure(p50 * (slower[prompt] ?? 1)) }, { prompt }));
  const runs = history(STEADY, (p50) => cells(p50));
  const against = (list: AcceptedCell[]) =>
    compareWithHistory(runs, acceptedRun({ id: 'new', cells: list }), {
      base: 'main',
      ...only(['ttft.p50']),
    });

  test('one that is slower is named', () => {
    const comparison = against(cells(160, { b: 1.5 }));
    const slow = comparison.cells.filter(({ verdict }) => verdict === 'regression');
    expect(slow.map(({ cell }) => cell!.prompt)).toEqual(['b']);
    expect(comparison.verdict).toBe('regression');
    expect(slow[0]!.sentence).toMatch(/^flash \/ b \/ 4 streams: ttft\.p50 \+50 %, 240 ms instead of 160 ms/);
  });

  test('one in which everything failed is named', () => {
    const list = cells(160);
    list[1]!.figures['ttft.p50'] = figure(1, { value: null, logVariance: null, censored: 200 });
    const comparison = against(list);
    expect(comparison.verdict).toBe('regression');
    expect(
      comparison.cells.filter(({ verdict }) => verdict === 'regression').map(({ cell }) => cell!.prompt),
    ).toEqual(['b']);
  });
});

describe('rates and shares', () => {
  test('a lower token rate is a regression', () => {
    const rates = (rate: number) => [acceptedCell({ 'token_rate.p50': figure(rate) })];
    const runs = history(STEADY, rates);
    const { verdict, summaries } = compareWithHistory(runs, acceptedRun({ id: 'new', cells: rates(110) }), {
      base: 'main',
      ...only(['token_rate.p50']),
    });
    expect(verdict).toBe('regression');
    const [row] = summaries;
    expect(row!.change).toBeCloseTo(110 / 160 - 1, 2);
    expect(row!.low!).toBeLessThan(row!.change!);
    expect(row!.high!).toBeGreaterThan(row!.change!);
    expect(row!.detectable!).toBeLessThan(0);
  });

  test('an error rate that rises from 0 to 8 % is a regression, one within a point is not', () => {
    const run = (failed: number) => next(160, { failed });
    const verdict = (failed: number) =>
      compareWithHistory(history(), run(failed), { base: 'main', ...only(['errors.rate']) }).verdict;
    expect(verdict(16)).toBe('regression');
    expect(verdict(1)).not.toBe('regression');
  });

  test('goodput that falls is a regression', () => {
    const good = (met: number) => [acceptedCell({}, { goodput: { met, requestsPerSecond: met / 10 } })];
    const runs = STEADY.map((_, minute) => acceptedRun({ id: `r${minute}`, minute, cells: good(190) }));
    const of = (met: number, figureName: string) =>
      compareWithHistory(runs, acceptedRun({ id: 'new', cells: good(met) }), {
        base: 'main',
        ...only([figureName]),
      }).verdict;
    expect([of(120, 'goodput'), of(120, 'goodput.rate')]).toEqual(['regression', 'regression']);
    expect([of(190, 'goodput'), of(0, 'goodput')]).not.toContain('inconclusive');
    expect(of(0, 'goodput')).toBe('regression');
  });
});

test('the same input gives the same result, and nothing is NaN or infinite in it', () => {
  const comparison = compare(210, { pins: [{ schema: 'streambench/pin@1', name: 'p', runs: history() }] });
  expect(comparison).toEqual(
    compare(210, { pins: [{ schema: 'streambench/pin@1', name: 'p', runs: history() }] }),
  );
  expect(JSON.parse(JSON.stringify(comparison))).toEqual(comparison);
});

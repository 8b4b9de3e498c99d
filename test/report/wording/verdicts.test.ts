import { expect, test } from 'vitest';
import {
  clientLines,
  loadLines,
  pairedSentences,
  serverLines,
  streamFindings,
} from '../../../src/report/wording/verdicts.ts';
import { gatedReport } from '../reports.ts';

test("the client's load is told whole: where it kept up, and beside what it could not keep up with", () => {
  const late = gatedReport();
  expect(clientLines(late)).toEqual([expect.stringMatching(/^The client was saturated (at|in) /)]);
  const load =
    'event loop at most 91 % busy, event loop delay 49 ms (p99), 60 ms (max), garbage collection 2.0 %, 1.1 CPU cores, requests sent 3.0 ms late (p99).';
  expect(loadLines(late)[0]).toBe(`Client utilization: ${load}`);
  const fine = gatedReport();
  for (const { client } of fine.cells) if (client) client.verdict = 'ok';
  expect(clientLines(fine)).toEqual([`The client kept up: ${load}`]);
  expect(loadLines(fine)).toEqual([
    expect.stringMatching(/requests (re)?(used|opened) an? .*connection.*; .* events in .* reads\.$/),
  ]);
  for (const { client } of fine.cells) if (client) Object.assign(client, { delayP99Ms: 0, delayMaxMs: 0 });
  expect(clientLines(fine)[0]).not.toMatch(/ 0 ms/);
  for (const cell of fine.cells) cell.client = null;
  expect([...clientLines(fine), ...loadLines(fine)]).toEqual([]);
});

test('a client is in nothing where no answer came whole', () => {
  const failed = gatedReport();
  for (const cell of failed.cells) cell.outcomes = { network: 4 };
  expect(clientLines(failed)).toEqual([]);
  expect(loadLines(failed)[0]).toMatch(/^Client utilization: /);
});

test('what a saturated client found in lumps may be its own doing', () => {
  const [finding] = streamFindings(gatedReport());
  expect(finding!.where).toContain('client saturated: it may be the cause');
});

test('where several pairs are compared, each sentence says which', () => {
  const settings = { seed: 1, resamples: 10, level: 0.9 };
  const pair = (a: string, b: string, sentence: string) =>
    ({ kind: 'targets', a, b, settings, rows: [], sentences: [sentence] }) as const;
  const lines = (...pairs: ReturnType<typeof pair>[]) =>
    pairedSentences({
      ...gatedReport(),
      pairedComparisons: pairs.map((one) => ({ ...one, rows: [], sentences: [...one.sentences] })),
    });
  expect(lines(pair('old', 'new', 'new answers first'))).toEqual(['new answers first']);
  expect(lines(pair('old', 'new', 'new answers first'), pair('old', 'next', 'total is equivalent'))).toEqual([
    'old against new: new answers first',
    'old against next: total is equivalent',
  ]);
});

test("a server's memory is told also where nobody knows how many streams it had", () => {
  const server = {
    ...{ memoryBytes: { before: 80e6, max: 100e6 }, memoryPerStreamBytes: 5e6 },
    ...{ openFiles: null, cpuCores: null, readings: 3, failed: 0 },
  };
  const lines = (level: { concurrency: number; rate?: number }, perStream: number | null) => {
    const [cell] = gatedReport().cells;
    const cells = [{ ...cell!, ...level, server: { ...server, memoryPerStreamBytes: perStream } }];
    return serverLines({ ...gatedReport(), cells })[0];
  };
  expect(lines({ concurrency: 4 }, 5e6)).toMatch(/ at 4 streams: memory .* at most, .* per stream\.$/);
  expect(lines({ concurrency: 200, rate: 20 }, null)).toMatch(/ at 20 requests\/s: memory .* at most\.$/);
});

import { describe, expect, test } from 'vitest';
import { TOOL_DEFINITIONS } from '../../../src/analysis/other-tools/definitions.ts';
import { createToolFold } from '../../../src/analysis/other-tools/fold.ts';
import { weightedFigures } from '../../../src/analysis/other-tools/weighted-figures.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import type { ViewToolName } from '../../../src/model/tool-names.ts';
import { manifest, record } from '../../metrics/records.ts';

function view(tool: ViewToolName, ...records: RequestRecord[]) {
  const run = manifest({ cells: manifest().cells.slice(0, 1) });
  const fold = createToolFold(TOOL_DEFINITIONS[tool], run);
  for (const one of records) fold.add(one);
  const { cells, notes } = fold.view(run);
  const rows = Object.fromEntries(
    (cells[0]?.distributions ?? []).map(({ label, figures, absent }) => [label, figures ?? absent]),
  );
  const figures = Object.fromEntries(
    (cells[0]?.figures ?? []).map(({ label, value, absent }) => [label, value ?? absent]),
  );
  return { rows, figures, notes };
}

describe('our records as other tools define their figures', () => {
  test('times count from the call of the client: connecting is part of them', () => {
    // Our TTFT is 100: it counts from `sent`, 18 ms after `started`.
    const { rows } = view('vllm', record());
    expect(rows.TTFT).toMatchObject({ n: 1, p50: 118 });
    expect(rows.E2EL).toMatchObject({ p50: 198 });
    // 80 ms for the 9 tokens after the first; ours leaves out both tokens of the first read.
    expect(rows.TPOT).toMatchObject({ p50: 80 / 9 });
  });

  test('guidellm: latency to the end, TPOT from the start, both weighted by tokens', () => {
    const short = record({ tokens: { output: 2, source: 'usage' } });
    const { rows } = view('guidellm', record(), short);
    expect(rows['Request Latency']).toMatchObject({ p50: 218 });
    // (198 + 198) ms over 12 tokens, and 160 ms over 10.
    expect(rows.TPOT).toMatchObject({ mean: expect.closeTo(396 / 12, 6) });
    expect(rows.ITL).toMatchObject({ mean: expect.closeTo(160 / 10, 6) });
  });

  test('ITL is that of every chunk: 0 for those that share a read', () => {
    const shared = record({ contentEvents: 8, coalesced: 3 });
    expect(view('vllm', shared).rows.ITL).toMatchObject({ n: 7, mean: 80 / 7, p50: 20 });
    expect(view('aiperf', shared).rows['Inter Chunk Latency']).toMatchObject({ n: 7 });
  });

  test('with --keep-chunks the arrivals of content are used', () => {
    // 118 ms after the start a role, then answers; the record's own gaps are not looked at.
    const deltasUs = [100_000, 18_000, 0, 30_000, 50_000, 1_000];
    const kept = record({
      gaps: [],
      chunks: {
        deltasUs,
        kinds: [
          ['other', 1],
          ['answer', 4],
          ['other', 1],
        ],
      },
    });
    expect(view('vllm', kept).rows.ITL).toMatchObject({ n: 3, mean: 80 / 3, p50: 30 });
  });

  test('what the records cannot give is absent, with the reason', () => {
    expect(view('vllm', record({ gapsLeftOut: 5 })).rows.ITL).toBe(
      'the records contain only the first million gaps of a stream',
    );
    expect(view('vllm', record({ unobserved: ['gaps'] })).rows.ITL).toBe(
      'the records contain no arrival times of chunks',
    );
    expect(view('guidellm', record({ unobserved: ['end'] })).rows['Request Latency']).toBe(
      'the records do not contain the end of the response',
    );
    const uncounted = view('vllm', record({ tokens: { output: null, source: 'chunks' } }));
    expect(uncounted.rows.TPOT).toBe('no request has the times or tokens for it');
    expect(uncounted.figures['Output token throughput']).toBe('not all answers have a count of tokens');
    expect(view('vllm', record({ unobserved: ['started'] })).figures['Request throughput']).toBe(
      'the records contain no common time axis',
    );
    expect(view('vllm').rows.TTFT).toBe('no request succeeded');
  });

  test('failures are counted, and those that the tool may not see are named', () => {
    const failed = record({ outcome: { kind: 'truncated', message: 'no end' } });
    const { figures, notes } = view('vllm', record(), failed, record({ outcome: { kind: 'cut' } }));
    expect(figures).toMatchObject({ 'Successful requests': 1, 'Failed requests': 1 });
    expect(notes.join(' ')).toContain('1 request that failed after the first content');
  });

  test('the duration is the sum of the rounds, without the pauses between them', () => {
    const { marks } = record();
    const later = Object.fromEntries(Object.entries(marks).map(([name, ms]) => [name, ms + 10_000]));
    const { figures } = view('vllm', record(), record({ round: 1, marks: later as typeof marks }));
    expect(figures['Benchmark duration']).toBe(2 * 218);
    expect(figures['Request throughput']).toBeCloseTo(2000 / 436, 9);
  });

  test('a stream that was cut as planned has no end-to-end time', () => {
    const { rows } = view('vllm', record({ cut: true }));
    expect(rows.TTFT).toMatchObject({ n: 1 });
    expect(rows.E2EL).toBe('no request has the times or tokens for it');
  });
});

test('percentiles as numpy and guidellm compute them', () => {
  const values = [4, 1, 3, 2].map((value) => ({ value, weight: 1 }));
  // numpy.percentile([1, 2, 3, 4], [50, 90, 99])
  expect(weightedFigures(values, 'linear')).toEqual({
    n: 4,
    mean: 2.5,
    p50: 2.5,
    p90: expect.closeTo(3.7, 9),
    p99: expect.closeTo(3.97, 9),
  });
  expect(weightedFigures(values, 'rank')).toMatchObject({ p50: 2, p90: 4 });
  expect(weightedFigures([{ value: 1, weight: 0 }], 'rank')).toBeNull();
});

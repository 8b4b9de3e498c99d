import { expect, test } from 'vitest';
import { createAggregator } from '../../../src/metrics/aggregate.ts';
import type { RequestRecord } from '../../../src/model/record.ts';
import { hiddenReasoningNotes, refusedCountNotes } from '../../../src/report/wording/tokens.ts';
import { manifest, record } from '../../metrics/records.ts';

function cellsOf(...records: RequestRecord[]) {
  const aggregator = createAggregator(manifest());
  for (const one of records) aggregator.add(one);
  return aggregator.cells();
}

const reasoned = (hidden: number, changes: Partial<RequestRecord> = {}) =>
  record({
    tokens: { output: 10 + hidden, source: 'usage', reasoning: hidden, hiddenReasoning: hidden, first: 2 },
    ...changes,
  });

test('hidden reasoning is counted, answer by answer', () => {
  expect(hiddenReasoningNotes(cellsOf(reasoned(1000), reasoned(1200), reasoned(900), reasoned(0)))).toEqual([
    '3 of 4 answers contain hidden reasoning: 900 tokens (median), not sent to the client. tok/s counts visible tokens only, output_rate counts all.',
  ]);
  expect(hiddenReasoningNotes(cellsOf(reasoned(0), reasoned(0), reasoned(700)))).toEqual([
    expect.stringMatching(/^1 of 3 answers contain hidden reasoning: up to 700 tokens,/),
  ]);
  expect(hiddenReasoningNotes(cellsOf(reasoned(0), record()))).toEqual([]);
});

test('of several targets each is named', () => {
  const cells = cellsOf(
    reasoned(1000),
    record({ target: 'big' }),
    reasoned(500, { target: 'big', prompt: 'b' }),
  );
  expect(hiddenReasoningNotes(cells)).toEqual([
    expect.stringMatching(/^flash: 1 of 1 answers .* 1000 tokens \(median\)/),
    expect.stringMatching(/^big: 1 of 2 answers .* 500 tokens \(median\)/),
  ]);
});

test('the speed of a cell is that of visible tokens, and its throughput that of all', () => {
  const [cell] = cellsOf(reasoned(1000), reasoned(1000));
  expect(cell!.metrics.token_rate).toMatchObject({ n: 2, max: 100 });
  expect(cell!.throughput.tokensPerSecond).toBeCloseTo(2020 / 0.218, 3);
  expect(cell!.hiddenReasoning).toBe(2);
});

test('counts that cannot be true are said, of failed answers too', () => {
  const refused = { output: 5, source: 'chunks', refused: ['output tokens -5'] } as const;
  const tokens = { ...refused, refused: [...refused.refused] };
  const cells = cellsOf(record(), record({ tokens }), record({ tokens, outcome: { kind: 'truncated' } }));
  expect(refusedCountNotes(cells)).toEqual([
    '2 answers reported impossible token counts, which are ignored (output tokens -5).',
  ]);
  expect(refusedCountNotes(cellsOf(record()))).toEqual([]);
});

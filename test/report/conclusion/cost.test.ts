import { expect, test } from 'vitest';
import type { CostReport } from '../../../src/model/price.ts';
import type { CellReport } from '../../../src/model/report.ts';
import { costLines } from '../../../src/report/conclusion/cost.ts';
import { sidesOf } from '../../../src/report/conclusion/sides.ts';
import { sampleReport } from '../sample.ts';

function cost(total: number, changes: Partial<CostReport> = {}): CostReport {
  const counts = { currency: 'USD', requests: 40, answers: 40, unknown: 0, total };
  return { ...counts, perRequest: total / 40, perThousandAnswers: 25 * total, ...changes };
}

function linesFor(targets: string[], costOfCell: (cell: CellReport) => CostReport | null | undefined) {
  const options = { targets, prompts: ['short'], modes: ['streaming'], concurrency: [4] } as const;
  const { cells } = sampleReport(options);
  for (const cell of cells) cell.cost = costOfCell(cell);
  return costLines(sidesOf(cells)).map(({ values, text }) => [...values, text]);
}

test('one target: what 1,000 answers and one request cost', () => {
  expect(linesFor(['flash'], () => cost(0.02))).toEqual([['$0.50', 'answers; $0.00050 per request']]);
});

test('two targets: which is cheaper', () => {
  const lines = linesFor(['flash', 'big'], ({ target }) => cost(target === 'flash' ? 0.02 : 0.2));
  expect(lines).toEqual([['$0.50', '$5.00', 'answers; flash 10x cheaper']]);
});

test('no line without a known cost; a dash for a target without one', () => {
  expect(linesFor(['flash', 'big'], () => null)).toEqual([]);
  expect(linesFor(['flash', 'big'], () => undefined)).toEqual([]);
  expect(linesFor(['flash', 'big'], ({ target }) => (target === 'flash' ? cost(0.02) : null))).toEqual([
    ['$0.50', '—', 'answers; $0.00050 per request'],
  ]);
});

test('other currencies are not compared, and answers of unknown cost are counted', () => {
  const lines = linesFor(['flash', 'big'], ({ target }) =>
    target === 'flash' ? cost(0.02, { unknown: 10 }) : cost(0.2, { currency: 'EUR' }),
  );
  expect(lines).toEqual([
    ['$0.50', '5.00 EUR', 'answers; without 10 answers (11 %) of unknown token counts'],
  ]);
});

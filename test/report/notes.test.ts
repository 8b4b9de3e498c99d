import { expect, test } from 'vitest';
import type { CellReport, MetricSummary } from '../../src/model/report.ts';
import { notes } from '../../src/report/notes.ts';
import { gatedReport } from './reports.ts';

const LATE = /late: whether they are made first/;

function cell(mode: CellReport['mode'], ttftMs: number, latencyMs: number): CellReport {
  const [one] = gatedReport().cells;
  const summary = (p50: number) => ({ ...one!.metrics.ttft!, p50 }) as MetricSummary;
  const { streaming: _, ...rest } = one!;
  return {
    ...{ ...rest, mode, metrics: { ...one!.metrics, ttft: summary(ttftMs), latency: summary(latencyMs) } },
    ...(mode === 'streaming' && {
      streaming: {
        verdict: 'streaming',
        evidence: 'it came as it was made',
        counts: { streaming: 1, buffered: 0, replayed: 0, coarse: 0, too_short: 0 },
      },
    }),
  };
}

test('a late stream without a whole answer beside it may have been made first, and that is said', () => {
  const noted = (...cells: CellReport[]) =>
    notes({ ...gatedReport(), cells }).filter((note) => LATE.test(note));
  expect(noted(cell('streaming', 900, 2_000))).toHaveLength(1);
  expect(noted(cell('streaming', 300, 2_000))).toEqual([]);
  expect(noted(cell('streaming', 900, 2_000), cell('non-streaming', 2_000, 2_000))).toEqual([]);
});

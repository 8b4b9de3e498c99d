import { expect, test } from 'vitest';
import type { CellReport, MetricSummary } from '../../../src/model/report.ts';
import { notes } from '../../../src/report/wording/notes.ts';
import { gatedReport } from '../reports.ts';

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
        counts: { streaming: 1, buffered: 0, replayed: 0, tail_buffered: 0, coarse: 0, inconclusive: 0 },
      },
    }),
  };
}

test('modes of which one has no answer are not compared, and why is said', () => {
  const ignored = {
    ...cell('non-streaming', 900, 2_000),
    outcomes: { not_a_stream: 4 },
    failures: [{ kind: 'not_a_stream' as const, count: 4, message: 'the server ignored stream: false' }],
  };
  const noted = (...cells: CellReport[]) =>
    notes({ ...gatedReport(), cells }).filter((note) => note.includes('not compared'));
  expect(noted(cell('streaming', 300, 2_000), ignored)).toEqual([
    expect.stringMatching(
      /where one mode has no successful answer: .* · non-streaming: the server ignored stream: false\.$/,
    ),
  ]);
  expect(noted(cell('streaming', 300, 2_000), cell('non-streaming', 900, 2_000))).toEqual([]);
});

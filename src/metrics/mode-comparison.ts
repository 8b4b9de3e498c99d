import { cellKey, levelOf } from '../model/cells.ts';
import type { CellReport, ModeComparison, ModeFigures } from '../model/report.ts';
import { tidy } from './distribution.ts';

/**
 * Streaming against non-streaming, for each target, prompt and load that was measured in both. Where all requests of one mode
 * failed (such as where the server ignores `stream: false`) there is nothing to compare.
 */
export function compareModes(cells: readonly CellReport[]): ModeComparison[] {
  const byKey = new Map(cells.map((cell) => [cellKey(cell), cell]));
  return cells
    .filter(({ mode }) => mode === 'streaming')
    .flatMap((cell) => {
      const whole = byKey.get(cellKey({ ...cell, mode: 'non-streaming' }));
      return whole?.outcomes.ok && cell.outcomes.ok ? [compare(cell, whole)] : [];
    });
}

function compare(cell: CellReport, whole: CellReport): ModeComparison {
  const streaming = figures(cell);
  const nonStreaming = figures(whole);
  return {
    kind: 'streaming-vs-non-streaming',
    target: cell.target,
    prompt: cell.prompt,
    ...levelOf(cell),
    streaming,
    nonStreaming,
    firstTokenSooner: quotient(nonStreaming.ttft, streaming.ttft),
    totalRatio: quotient(streaming.total, nonStreaming.total),
  };
}

function figures({ outcomes, metrics }: CellReport): ModeFigures {
  const median = (name: string) => metrics[name]?.p50 ?? null;
  return {
    n: outcomes.ok ?? 0,
    ttfb: median('ttfb'),
    ttft: median('ttft'),
    total: median('total'),
    readerWait: median('reader_wait'),
  };
}

function quotient(a: number | null, b: number | null): number | null {
  return a === null || b === null || b === 0 ? null : tidy(a / b);
}

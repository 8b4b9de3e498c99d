import type { VerdictFigures } from '../../../src/analysis/streaming/stream-figures.ts';

/** What is read from a stream of 100 events, 20 ms apart, which began after 200 ms. */
export function figures(changes: Partial<VerdictFigures> = {}): VerdictFigures {
  return {
    ...{ chunks: 100, arrivals: 100, chars: 400, tokens: 100 },
    ...{ ttftMs: 200, begunMs: 200, spanMs: 1980, latencyMs: 2180 },
    ...{ gapMs: 20, gapSpreadMs: 8, lumps: 1, lumpGapMs: null, withinLumpMs: 20, flush: null },
    ...{ hiddenReasoning: false, inputTokens: null, unread: null, cold: false, cut: false },
    ...changes,
  };
}

import { percentileOf } from '../metrics/percentile.ts';
import type { RequestRecord } from '../model/record.ts';
import type { StreamingReport, VerdictKind } from '../model/report.ts';
import { type UsualStream, type VerdictFigures, verdictFigures } from './stream-figures.ts';
import { judgeFigures, type StreamVerdict, VERDICT_KINDS } from './streaming-verdict.ts';

/** Streams of a cell that are judged: the first so many. */
export const JUDGED_STREAMS = 5_000;

/** A cell is not known by a few of its streams that were odd enough to be told: this share must have been. */
const ENOUGH_JUDGED = 0.25;

/** Where counts are equal the graver verdict is told. */
const GRAVITY: readonly VerdictKind[] = ['buffered', 'replayed', 'coarse', 'streaming', 'too_short'];

/** Sums up the verdicts on the requests of a cell. Without any, nothing can be said. */
export function summarizeVerdicts(verdicts: readonly StreamVerdict[]): StreamingReport {
  const counts = Object.fromEntries(VERDICT_KINDS.map((kind) => [kind, 0])) as Record<VerdictKind, number>;
  for (const { verdict } of verdicts) counts[verdict] += 1;
  const judged = verdicts.length - counts.too_short;
  const verdict =
    judged < verdicts.length * ENOUGH_JUDGED || judged === 0
      ? 'too_short'
      : GRAVITY.filter((kind) => kind !== 'too_short').reduce((most, kind) =>
          counts[kind] > counts[most] ? kind : most,
        );
  const alike = verdicts.filter((one) => one.verdict === verdict);
  const example = typical(alike);
  if (!example) return { verdict, evidence: 'no stream ended well', counts };
  const share = alike.length === verdicts.length ? '' : `${alike.length} of ${verdicts.length} streams: `;
  return { verdict, evidence: `${share}${example.evidence}`, counts };
}

/** The one whose silence is the median. */
function typical(verdicts: readonly StreamVerdict[]): StreamVerdict | undefined {
  const sorted = [...verdicts].sort((a, b) => (a.figures?.ttftMs ?? 0) - (b.figures?.ttftMs ?? 0));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** Collects the streams of a cell, in bounded memory. */
export interface VerdictFold {
  /** Takes in a record. Those that did not end well or did not stream say nothing and are left out. */
  add(record: RequestRecord): void;
  /** The verdict as it stands. `pairedTotalMs`: median total of the non-streaming cell beside this one, if any. */
  result(pairedTotalMs?: number): StreamingReport;
}

/** An empty fold for one cell. It keeps some ten numbers of each of the first 5,000 streams. */
export function createVerdictFold(): VerdictFold {
  const kept: (VerdictFigures | null)[] = [];
  return {
    add(record) {
      if (record.outcome.kind !== 'ok' || record.mode !== 'streaming' || kept.length >= JUDGED_STREAMS)
        return;
      kept.push(verdictFigures(record));
    },
    result(pairedTotalMs) {
      const usual = usualStream(kept);
      const context = {
        ...(pairedTotalMs === undefined ? {} : { pairedTotalMs }),
        ...(usual === undefined ? {} : { usual }),
      };
      return summarizeVerdicts(kept.map((figures) => judgeFigures(figures, context)));
    },
  };
}

/** What is usual among streams; undefined where none had content. */
export function usualStream(streams: readonly (VerdictFigures | null)[]): UsualStream | undefined {
  const withContent = streams.filter((figures) => figures !== null);
  if (withContent.length === 0) return undefined;
  const ttft = Float64Array.from(withContent, ({ ttftMs }) => ttftMs).sort();
  const latency = Float64Array.from(withContent, ({ latencyMs }) => latencyMs).sort();
  const low = percentileOf(ttft, 0.1);
  return {
    n: ttft.length,
    ttftMs: percentileOf(ttft, 0.5),
    latencyMs: percentileOf(latency, 0.5),
    spread: low > 0 ? Math.log(percentileOf(ttft, 0.9) / low) / 2.563 : 0,
    lengthCorrelation: lengthCorrelation(withContent),
  };
}

function lengthCorrelation(streams: readonly VerdictFigures[]): number | null {
  const n = streams.length;
  if (n < 10) return null;
  const meanChars = streams.reduce((sum, { chars }) => sum + chars, 0) / n;
  const meanTtft = streams.reduce((sum, { ttftMs }) => sum + ttftMs, 0) / n;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (const { chars, ttftMs } of streams) {
    const x = chars - meanChars;
    const y = ttftMs - meanTtft;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  // Lengths within 3 % of each other have nothing to show.
  if (Math.sqrt(xx / n) < 0.03 * meanChars || yy === 0) return null;
  return xy / Math.sqrt(xx * yy);
}

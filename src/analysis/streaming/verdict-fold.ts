import type { RequestRecord } from '../../model/record.ts';
import type { StreamArrivals, StreamingReport, VerdictKind } from '../../model/report.ts';
import { arrivalsOf, type VerdictFigures, verdictFigures } from './stream-figures.ts';
import { type StreamShape, shapeOf } from './stream-shape.ts';
import { decide, VERDICT_KINDS, type VerdictContext } from './streaming-verdict.ts';
import { usualStream } from './usual-stream.ts';
import { causesOf } from './verdict-cause.ts';
import { evidenceOf, type VerdictReason } from './verdict-evidence.ts';
import { ENOUGH_ALIKE, ENOUGH_JUDGED, ENOUGH_STREAMS } from './verdict-limits.ts';

/** Streams of a cell that are judged: the first so many. */
export const JUDGED_STREAMS = 5_000;

/** A verdict on one stream, with what led to it. */
export interface StreamVerdict {
  verdict: VerdictKind;
  /** One sentence in words and numbers. */
  evidence: string;
  /** Null where the request showed no content. */
  figures: VerdictFigures | null;
}

/**
 * The verdicts on streams that were measured under the same conditions, in their order. Streams of one shape are judged
 * together, by what is usual among those on open connections; null stands for a stream without content.
 */
export function judgeStreams(
  streams: readonly (VerdictFigures | null)[],
  context: VerdictContext = {},
): StreamVerdict[] {
  const shapes = together(streams.map(shapeOf));
  const decisions = new Map(
    [...new Set(shapes)].map((shape) => [
      shape,
      decideShape(
        shape,
        streams.filter((_, i) => shapes[i] === shape),
        streams.length,
        context,
      ),
    ]),
  );
  return streams.map((figures, i) => {
    const [verdict, reason] = decisions.get(shapes[i]!)!;
    return { verdict, evidence: evidenceOf(reason, figures, context), figures };
  });
}

// Bytes of one flush that were read late look like those of a fast model: what most of the streams were, all were.
function together(shapes: readonly StreamShape[]): StreamShape[] {
  const number = (shape: StreamShape) => shapes.filter((one) => one === shape).length;
  const atEnd = number('held') > number('brief') ? 'held' : 'brief';
  return shapes.map((shape) => (shape === 'held' || shape === 'brief' ? atEnd : shape));
}

function decideShape(
  shape: StreamShape,
  alike: readonly (VerdictFigures | null)[],
  all: number,
  context: VerdictContext,
): readonly [VerdictKind, VerdictReason] {
  const known = alike.filter((figures) => figures !== null);
  // A new connection, and what a server does at its first request, are no part of the service's usual pace.
  const warm = known.filter(({ cold }) => !cold);
  const judged = warm.length > 0 ? warm : known;
  const [verdict, reason] = decide(shape, judged.length === 0 ? undefined : usualStream(judged), context);
  const rare = alike.length < Math.max(ENOUGH_STREAMS, ENOUGH_ALIKE * all);
  return rare && isAccusation(verdict) ? ['inconclusive', 'single'] : [verdict, reason];
}

/** True for the verdicts that say that a stream is none, or only in part. */
export function isAccusation(verdict: VerdictKind): boolean {
  return verdict === 'buffered' || verdict === 'tail_buffered' || verdict === 'replayed';
}

/** Where counts are equal the graver verdict is told. */
const GRAVITY = ['buffered', 'replayed', 'tail_buffered', 'coarse', 'streaming'] as const;

/** Sums up the verdicts on the requests of a cell. Without any, nothing can be said. */
export function summarizeVerdicts(verdicts: readonly StreamVerdict[]): StreamingReport {
  const counts = Object.fromEntries(VERDICT_KINDS.map((kind) => [kind, 0])) as Record<VerdictKind, number>;
  for (const { verdict } of verdicts) counts[verdict] += 1;
  const judged = verdicts.length - counts.inconclusive;
  const verdict: VerdictKind =
    judged < verdicts.length * ENOUGH_JUDGED || judged === 0
      ? 'inconclusive'
      : GRAVITY.reduce((most, kind) => (counts[kind] > counts[most] ? kind : most));
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
  /** What was kept of the streams, for tests over several cells. */
  figures(): readonly (VerdictFigures | null)[];
  /** The verdict as it stands, with what was measured beside the cell. */
  result(context?: VerdictContext): StreamingReport;
}

/** Streams of a cell that may be shown as its typical one: the first so many. */
const SHOWN_STREAMS = 100;

interface Shown {
  arrivals: StreamArrivals | undefined;
  headers: Readonly<Record<string, string>>;
}

/** An empty fold for one cell. It keeps some twenty numbers of each of the first 5,000 streams. */
export function createVerdictFold(): VerdictFold {
  const kept: (VerdictFigures | null)[] = [];
  const shown: Shown[] = [];
  return {
    add(record) {
      if (record.outcome.kind !== 'ok' || record.mode !== 'streaming' || kept.length >= JUDGED_STREAMS)
        return;
      kept.push(verdictFigures(record));
      if (shown.length < SHOWN_STREAMS)
        shown.push({ arrivals: arrivalsOf(record), headers: record.headers ?? {} });
    },
    figures: () => kept,
    result(context) {
      const verdicts = judgeStreams(kept, context);
      const report = summarizeVerdicts(verdicts);
      if (report.verdict === 'streaming') return report;
      const like = typical(
        verdicts.slice(0, shown.length).filter(({ verdict }) => verdict === report.verdict),
      );
      const example = like && shown[verdicts.indexOf(like)];
      if (example === undefined) return report;
      const causes = causesOf(report.verdict, example);
      return {
        ...report,
        ...(causes.length > 0 && { causes }),
        ...(example.arrivals && { arrivals: example.arrivals }),
      };
    },
  };
}

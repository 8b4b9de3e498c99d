import { entersFigures } from '../../model/behaviour.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { StreamArrivals, StreamingReport, VerdictKind } from '../../model/report.ts';
import { arrivalsOf, type VerdictFigures, verdictFigures } from './stream-figures.ts';
import { mediansOf } from './stream-medians.ts';
import { type StreamShape, shapeOf } from './stream-shape.ts';
import { type Decision, decide, VERDICT_KINDS, type VerdictContext } from './streaming-verdict.ts';
import { causesOf } from './verdict-cause.ts';
import { evidenceOf } from './verdict-evidence.ts';
import { ENOUGH_ALIKE, ENOUGH_JUDGED, ENOUGH_STREAMS } from './verdict-limits.ts';

/** Only the first streams of a cell are judged. */
export const JUDGED_STREAMS = 5_000;

/** The verdict on one stream, with its evidence. */
export interface StreamVerdict {
  verdict: VerdictKind;
  /** One sentence with numbers. */
  evidence: string;
  /** Null where no content arrived. */
  figures: VerdictFigures | null;
}

/**
 * Judges streams that were measured under the same conditions; the verdicts are in their order. Streams of one shape are judged
 * together, by the medians of those on open connections. Null is a stream without content.
 */
export function judgeStreams(
  streams: readonly (VerdictFigures | null)[],
  context: VerdictContext = {},
): StreamVerdict[] {
  const shapes = unifyAtEnd(streams.map(shapeOf));
  const decisions = new Map<StreamShape, Decision>();
  return streams.map((figures, i) => {
    const shape = shapes[i] ?? 'nothing';
    let decision = decisions.get(shape);
    if (decision === undefined) {
      const alike = streams.filter((_, other) => shapes[other] === shape);
      decision = decideShape(shape, alike, streams.length, context);
      decisions.set(shape, decision);
    }
    const [verdict, reason] = decision;
    return { verdict, evidence: evidenceOf(reason, figures, context), figures };
  });
}

// A flush that was read late looks like a fast model. The shape of the majority decides for all.
function unifyAtEnd(shapes: readonly StreamShape[]): StreamShape[] {
  const number = (shape: StreamShape) => shapes.filter((one) => one === shape).length;
  const atEnd = number('held') > number('brief') ? 'held' : 'brief';
  return shapes.map((shape) => (shape === 'held' || shape === 'brief' ? atEnd : shape));
}

function decideShape(
  shape: StreamShape,
  alike: readonly (VerdictFigures | null)[],
  all: number,
  context: VerdictContext,
): Decision {
  const known = alike.filter((figures) => figures !== null);
  // New connections, and the first request to a server, are slower than the service usually is.
  const warm = known.filter(({ cold }) => !cold);
  const judged = warm.length > 0 ? warm : known;
  const [verdict, reason] = decide(shape, judged.length === 0 ? undefined : mediansOf(judged), context);
  // Without its end, a stream cannot be called generated first: a feed that is quiet for long looks the same.
  if (claimsFake(verdict) && known.some(({ cut }) => cut)) return ['inconclusive', 'cut'];
  const rare = alike.length < Math.max(ENOUGH_STREAMS, ENOUGH_ALIKE * all);
  return rare && claimsFake(verdict) ? ['inconclusive', 'single'] : [verdict, reason];
}

/** True for the verdicts that a stream is not live, or only partly. */
export function claimsFake(verdict: VerdictKind): boolean {
  return verdict === 'buffered' || verdict === 'tail_buffered' || verdict === 'replayed';
}

/** Where counts are equal the more severe verdict, the earlier one here, is reported. */
const BY_SEVERITY = ['buffered', 'replayed', 'tail_buffered', 'coarse', 'streaming'] as const;

/** The verdict on a cell. Without any stream: `inconclusive`. */
export function summarizeVerdicts(verdicts: readonly StreamVerdict[]): StreamingReport {
  const counts = Object.fromEntries(VERDICT_KINDS.map((kind) => [kind, 0])) as Record<VerdictKind, number>;
  for (const { verdict } of verdicts) counts[verdict] += 1;
  const judged = verdicts.length - counts.inconclusive;
  const verdict: VerdictKind =
    judged < verdicts.length * ENOUGH_JUDGED || judged === 0
      ? 'inconclusive'
      : BY_SEVERITY.reduce((most, kind) => (counts[kind] > counts[most] ? kind : most));
  const alike = verdicts.filter((one) => one.verdict === verdict);
  const example = typical(alike);
  if (!example) return { verdict, evidence: 'no stream succeeded', counts };
  const share = alike.length === verdicts.length ? '' : `${alike.length} of ${verdicts.length} streams: `;
  return { verdict, evidence: `${share}${example.evidence}`, counts };
}

/** The verdict on the stream with the median TTFT. */
function typical(verdicts: readonly StreamVerdict[]): StreamVerdict | undefined {
  const sorted = [...verdicts].sort((a, b) => (a.figures?.ttftMs ?? 0) - (b.figures?.ttftMs ?? 0));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

/** Collects the streams of a cell, in bounded memory. */
export interface VerdictCollector {
  /** Adds a record. Failed and non-streaming requests are ignored. */
  add(record: RequestRecord): void;
  /** The figures of the streams, for a length test over several cells. */
  figures(): readonly (VerdictFigures | null)[];
  /** The verdict on the records so far. */
  result(context?: VerdictContext): StreamingReport;
}

/** Only the first streams of a cell can be its typical one. */
const SHOWN_STREAMS = 100;

interface Shown {
  arrivals: StreamArrivals | undefined;
  headers: Readonly<Record<string, string>>;
}

/** An empty collector for one cell. It keeps about twenty numbers for each of the first 5,000 streams. */
export function createVerdictCollector(): VerdictCollector {
  const kept: (VerdictFigures | null)[] = [];
  const shown: Shown[] = [];
  return {
    add(record) {
      if (!entersFigures(record) || record.mode !== 'streaming' || kept.length >= JUDGED_STREAMS) return;
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
      const { arrivals } = example;
      return { ...report, causes: causes.length > 0 ? causes : undefined, arrivals };
    },
  };
}

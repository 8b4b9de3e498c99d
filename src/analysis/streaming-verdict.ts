import type { RequestRecord } from '../model/record.ts';
import type { VerdictKind } from '../model/report.ts';
import {
  type UsualStream,
  type VerdictContext,
  type VerdictFigures,
  verdictFigures,
} from './stream-figures.ts';
import { evidenceOf, type VerdictReason } from './verdict-evidence.ts';

/** Is it really streaming? One verdict for a request, with its evidence. */

export type { VerdictKind } from '../model/report.ts';

/** The verdicts, in the order in which they are told. */
export const VERDICT_KINDS = [
  'streaming',
  'buffered',
  'replayed',
  'coarse',
  'too_short',
] as const satisfies readonly VerdictKind[];

/** A verdict with what led to it. */
export interface StreamVerdict {
  verdict: VerdictKind;
  /** One sentence in words and numbers. */
  evidence: string;
  /** Null where the request showed no content. */
  figures: VerdictFigures | null;
}

/** All content within this share of the latency came at once. */
const AT_ONCE = 0.05;
const ENOUGH_CHUNKS = 5;
const ENOUGH_CHARS = 64;
/** An answer that was whole this soon leaves nothing to tell apart. */
const INSTANT_MS = 20;
/** Chunks this far apart were paced by something: bytes of a finished answer follow each other sooner. */
const PACED_MS = 8;
/** Lumps hold so many chunks, and these come at once. */
const LUMP_CHUNKS = 4;
const WITHIN_LUMP_MS = 1;
/** A first token this late, as a share of the whole answer's total, may be a replay. */
const LATE = 0.8;
/** How many errors of measurement the two explanations of a late begin must be apart. */
const RESOLVED = 3;
/** The same for gaps as even as a timer's, which speak for a replay by themselves. */
const RESOLVED_STEADY = 2;
/** Uncertainty of a single request's time to first token (logarithm), where its cell is not known. */
const SINGLE_ERROR = 0.2;

/** The verdict on one request. */
export function streamingVerdict(record: RequestRecord, context: VerdictContext = {}): StreamVerdict {
  if (record.mode === 'streaming') return judgeFigures(verdictFigures(record), context);
  return { verdict: 'too_short', evidence: evidenceOf('not_streaming', null, context), figures: null };
}

/** The verdict on a streaming request of which only the figures were kept. */
export function judgeFigures(figures: VerdictFigures | null, context: VerdictContext = {}): StreamVerdict {
  const [verdict, reason] = decide(figures, context);
  return { verdict, evidence: evidenceOf(reason, figures, context), figures };
}

type Decision = readonly [VerdictKind, VerdictReason];

function decide(figures: VerdictFigures | null, context: VerdictContext): Decision {
  if (figures === null) return ['too_short', 'no_content'];
  const { chunks, chars, spanMs, latencyMs, lumps, withinLumpMs } = figures;
  if (chunks < ENOUGH_CHUNKS && chars < ENOUGH_CHARS) return ['too_short', 'little_content'];
  if (latencyMs < INSTANT_MS) return ['too_short', 'instant'];
  if (spanMs < AT_ONCE * latencyMs)
    return couldBeReal(figures, context.usual)
      ? ['too_short', 'short_after_silence']
      : ['buffered', 'at_once'];
  if (lumps > 1 && chunks >= LUMP_CHUNKS * lumps && withinLumpMs < WITHIN_LUMP_MS) return ['coarse', 'lumps'];
  return context.pairedTotalMs === undefined
    ? withoutPair(figures, context.usual)
    : withPair(figures, context.pairedTotalMs, context.usual);
}

/** True for few chunks that came one by one at a generator's pace, after a wait that may have had any cause. */
function couldBeReal(figures: VerdictFigures, usual: UsualStream | undefined): boolean {
  const { chunks, arrivals, gapMs, latencyMs, hiddenReasoning } = figures;
  if (gapMs === null || arrivals < chunks / 2 || growsWithLength(usual)) return false;
  if (gapMs >= PACED_MS) return hiddenReasoning || !isSteady(figures);
  // The fastest generators need a millisecond for a token, and do not keep anyone waiting.
  return gapMs >= 1 && latencyMs < 2500 && chunks < 20;
}

/** Gaps as even as a timer makes them. Few gaps prove nothing. */
function isSteady({ gapMs, gapSpreadMs }: VerdictFigures): boolean {
  return gapMs !== null && gapSpreadMs !== null && gapSpreadMs <= Math.max(0.06 * gapMs, gapMs < 5 ? 0 : 0.5);
}

/** Many gaps that hardly differ at all. */
function isTimed({ arrivals, gapMs, gapSpreadMs }: VerdictFigures): boolean {
  return (
    arrivals > 20 && gapMs !== null && gapSpreadMs !== null && gapSpreadMs <= Math.max(0.03 * gapMs, 0.3)
  );
}

/** The first token comes the later the longer the answer will be: only a finished answer can do that. */
function growsWithLength(usual: UsualStream | undefined): boolean {
  return usual?.lengthCorrelation != null && usual.lengthCorrelation >= 0.75;
}

// Nothing says how long the whole answer takes to make, and a model that thinks in silence, then writes at an even
// pace, looks the same as a replay. So only the extreme is called one.
function withoutPair(figures: VerdictFigures, usual: UsualStream | undefined): Decision {
  const { ttftMs, latencyMs, hiddenReasoning } = figures;
  const silence = ttftMs / latencyMs;
  if (silence < 0.5 || hiddenReasoning) return ['streaming', 'over_time'];
  if (growsWithLength(usual)) return ['replayed', 'length_after_silence'];
  if (silence < 0.75 || !isSteady(figures)) return ['streaming', 'over_time'];
  return silence >= 0.9 && isTimed(figures)
    ? ['replayed', 'steady_after_silence']
    : ['too_short', 'unclear_silence'];
}

// A real stream ends about when the whole answer would have come; a replay begins about then.
function withPair(figures: VerdictFigures, wholeMs: number, usual: UsualStream | undefined): Decision {
  if (figures.ttftMs < wholeMs / 2) return ['streaming', 'over_time'];
  const known = usual !== undefined && usual.n >= 5;
  const ttftMs = known ? usual.ttftMs : figures.ttftMs;
  const latencyMs = known ? usual.latencyMs : figures.latencyMs;
  // Both medians have an error; 1.25 is that of a median against that of a mean, and a few streams tell their own
  // spread badly.
  const error = known
    ? Math.max(0.02, 1.25 * usual.spread * Math.sqrt(2 / usual.n) * (1 + 2 / usual.n))
    : SINGLE_ERROR;
  const beginsWithWhole = Math.abs(Math.log(ttftMs / wholeMs));
  const endsWithWhole = Math.abs(Math.log(latencyMs / wholeMs));
  const late = ttftMs / wholeMs;
  const steady = isSteady(figures);
  const apart = Math.log(latencyMs / ttftMs) / error;
  if (late < LATE - (apart > 4 || steady ? 0.1 : 0)) return ['streaming', 'over_time'];
  if (apart > (steady ? RESOLVED_STEADY : RESOLVED)) {
    return beginsWithWhole < endsWithWhole ? ['replayed', 'after_whole'] : ['streaming', 'over_time'];
  }
  // The two hypotheses are closer to each other than the measurement is exact: length and pace have to tell.
  if (figures.hiddenReasoning) return ['streaming', 'over_time'];
  if (growsWithLength(usual)) return ['replayed', 'after_whole'];
  if (steady && (apart > 1 || isTimed(figures)) && beginsWithWhole < endsWithWhole)
    return ['replayed', 'after_whole'];
  const open = steady || figures.gapSpreadMs === null || beginsWithWhole < endsWithWhole;
  return open ? ['too_short', 'unclear_silence'] : ['streaming', 'over_time'];
}

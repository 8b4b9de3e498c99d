import type { VerdictKind } from '../../model/report.ts';
import type { LengthTest } from './length-test.ts';
import type { StreamShape } from './stream-shape.ts';
import type { UsualStream } from './usual-stream.ts';
import type { VerdictReason } from './verdict-evidence.ts';
import {
  CORRELATION_ACCUSES,
  CORRELATION_FORBIDS,
  EARLY_SHARE,
  ENOUGH_STREAMS,
  FAIRLY_EARLY_SHARE,
  LIKELY_TOKEN_MS,
} from './verdict-limits.ts';
import { type PairResult, pairResult, type WholeAnswer } from './whole-answer-pair.ts';

/** Is it really streaming? Decides for the streams of one shape in a cell: never for a single request. */

export type { VerdictKind } from '../../model/report.ts';

/** The verdicts, in the order in which they are told. */
export const VERDICT_KINDS = [
  'streaming',
  'buffered',
  'tail_buffered',
  'replayed',
  'coarse',
  'inconclusive',
] as const satisfies readonly VerdictKind[];

/** The verdict's name in this version: reports of older ones say `too_short` for `inconclusive`. */
export function nameOfVerdict(verdict: string): VerdictKind {
  return VERDICT_KINDS.find((kind) => kind === verdict) ?? 'inconclusive';
}

/** What is known beside the streams. */
export interface VerdictContext {
  /** The same answers without streaming; absent where they were not measured. */
  whole?: WholeAnswer;
  /** Short against long answers; absent where there are none. */
  lengths?: LengthTest;
}

/** A verdict and what led to it. */
export type Decision = readonly [VerdictKind, VerdictReason];

/** Decides for streams of one shape. `usual` is absent for `nothing`. */
export function decide(
  shape: StreamShape,
  usual: UsualStream | undefined,
  { whole, lengths }: VerdictContext,
): Decision {
  if (usual === undefined || shape === 'nothing') return ['inconclusive', 'no_content'];
  if (usual.unread) return ['inconclusive', 'unread'];
  if (shape === 'little') return ['inconclusive', 'little_content'];
  if (shape === 'instant') return ['inconclusive', 'instant'];
  const pair = whole === undefined ? 'open' : pairResult(usual, whole);
  const single = usual.n < ENOUGH_STREAMS;
  if (shape === 'tail') return single ? ['inconclusive', 'single'] : ['tail_buffered', 'tail'];
  const live = liveReason(usual, pair, lengths);
  const fake = fakeReason(shape, usual, pair, lengths);
  if (fake !== undefined && live !== undefined && live !== 'early') return ['inconclusive', 'contradiction'];
  if (fake !== undefined) {
    if (single) return ['inconclusive', 'single'];
    return [shape === 'held' || shape === 'brief' ? 'buffered' : 'replayed', fake];
  }
  if (live !== undefined) return shape === 'lumps' ? ['coarse', live] : ['streaming', live];
  return ['inconclusive', shape === 'brief' ? 'brief' : lengths?.result === 'weak' ? 'weak' : 'open'];
}

/** What shows that content came as it was made; undefined where nothing does. */
function liveReason(
  usual: UsualStream,
  pair: PairResult,
  lengths: LengthTest | undefined,
): VerdictReason | undefined {
  if (pair === 'before') return 'before_whole';
  if (lengths?.result === 'same') return 'same_wait';
  return pair === 'after' || !beginsEarly(usual) ? undefined : 'early';
}

/** What shows that the answer was there before it was sent; undefined where nothing does. */
function fakeReason(
  shape: StreamShape,
  usual: UsualStream,
  pair: PairResult,
  lengths: LengthTest | undefined,
): VerdictReason | undefined {
  if (shape === 'held') return 'held';
  // Reasoning that is not sent makes a wait that neither a pair nor a limit of the length can tell from a replay.
  if (usual.hiddenReasoning) return undefined;
  if (lengths?.result === 'grows') return 'longer_wait';
  if (pair === 'after') return 'after_whole';
  return (usual.lengthCorrelation ?? 0) >= CORRELATION_ACCUSES ? 'correlation' : undefined;
}

function beginsEarly({ begunMs, latencyMs, tokens, timed, lengthCorrelation }: UsualStream): boolean {
  const share = begunMs / latencyMs;
  if ((lengthCorrelation ?? 0) >= CORRELATION_FORBIDS) return false;
  if (share < EARLY_SHARE) return true;
  return share < FAIRLY_EARLY_SHARE && begunMs < LIKELY_TOKEN_MS * tokens && !timed;
}

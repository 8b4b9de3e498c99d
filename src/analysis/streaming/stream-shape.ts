import type { VerdictFigures } from './stream-figures.ts';
import {
  AT_END_SHARE,
  COARSE_PAUSE_MS,
  ENOUGH_CHARS,
  ENOUGH_EVENTS,
  FASTEST_TOKEN_MS,
  HELD_TOKENS,
  INSTANT_MS,
  LUMP_EVENTS,
  TAIL_EVENTS,
  TAIL_SHARE,
  TAIL_WAIT_MS,
  WITHIN_LUMP_MS,
} from './verdict-limits.ts';

/**
 * How the content of one stream is distributed over time. The shape alone does not give the cause:
 * - `nothing`: no content; `little`: too little to show a pace; `instant`: complete too early;
 * - `held`: all at once at the end, faster than any model generates;
 * - `brief`: all at the end, but not faster than a fast model generates;
 * - `tail`: some live, then the rest at once at the end;
 * - `lumps`: in lumps that are far apart;
 * - `spread`: over time.
 */
export type StreamShape = 'nothing' | 'little' | 'instant' | 'held' | 'brief' | 'tail' | 'lumps' | 'spread';

/** The shape of one stream. `figures` is null where no content arrived. */
export function shapeOf(figures: VerdictFigures | null): StreamShape {
  if (figures === null) return 'nothing';
  const { chunks, chars, tokens, latencyMs, spanMs, lumps, lumpGapMs, withinLumpMs } = figures;
  if (chunks < ENOUGH_EVENTS && chars < ENOUGH_CHARS) return 'little';
  if (latencyMs < INSTANT_MS) return 'instant';
  if (spanMs < AT_END_SHARE * latencyMs)
    return tokens >= HELD_TOKENS && spanMs < FASTEST_TOKEN_MS * tokens ? 'held' : 'brief';
  if (isTail(figures)) return 'tail';
  const inLumps = chunks >= LUMP_EVENTS * lumps && withinLumpMs < WITHIN_LUMP_MS;
  return lumps > 1 && inLumps && (lumpGapMs ?? 0) >= COARSE_PAUSE_MS ? 'lumps' : 'spread';
}

/** Piece by piece, then a wait, then the rest faster than a model generates. */
function isTail({ chunks, arrivals, tokens, flush, gapMs }: VerdictFigures): boolean {
  if (flush === null || flush.before === 0) return false;
  const { events, before, waitMs, spanMs } = flush;
  const isLast = before + events >= chunks - 1;
  const share = events / chunks;
  if (!isLast || share < TAIL_SHARE || events < TAIL_EVENTS) return false;
  if (spanMs > FASTEST_TOKEN_MS * tokens * share) return false;
  // A stream in lumps also ends with a lump: here the part before must have come in pieces.
  const inPieces = arrivals > before / 2;
  const usualMs = before > 2 ? (gapMs ?? 0) : 0;
  return inPieces && waitMs >= Math.max(TAIL_WAIT_MS, 3 * usualMs);
}

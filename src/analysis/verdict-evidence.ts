import type { VerdictContext, VerdictFigures } from './stream-figures.ts';

/** The sentences that verdicts on a stream are told in. */

/** Why a verdict was reached, for the sentence. */
export type VerdictReason =
  | 'not_streaming'
  | 'no_content'
  | 'little_content'
  | 'instant'
  | 'short_after_silence'
  | 'at_once'
  | 'lumps'
  | 'after_whole'
  | 'steady_after_silence'
  | 'length_after_silence'
  | 'unclear_silence'
  | 'over_time';

/** The evidence for a verdict, as one sentence. `figures` is null only where there was no content. */
export function evidenceOf(
  reason: VerdictReason,
  figures: VerdictFigures | null,
  { pairedTotalMs }: VerdictContext,
): string {
  if (reason === 'not_streaming') return 'one whole answer was asked for, not a stream';
  if (figures === null || reason === 'no_content') return 'no content arrived';
  const { arrivals, chunks, latencyMs, ttftMs, spanMs, lumps, lumpGapMs } = figures;
  const burst = `${content(figures)} in ${time(spanMs)} after ${time(ttftMs)} of silence`;
  const spread = `${content(figures)} over ${time(spanMs)} after ${time(ttftMs)}`;
  const whole =
    pairedTotalMs === undefined ? '' : `; the whole answer takes ${time(pairedTotalMs)} without streaming`;
  switch (reason) {
    case 'little_content':
      return `${content(figures)}: too little to tell a stream from a whole answer`;
    case 'instant':
      return `everything was there after ${time(latencyMs)}: too fast to tell a stream from a whole answer`;
    case 'short_after_silence':
      return `${burst}: the answer is too short beside the wait to tell how it was made`;
    case 'at_once':
      // What a proxy or a compressor held back comes in one or two reads; what a server cuts up comes piece by piece.
      return arrivals >= 3 && arrivals * 4 >= chunks
        ? `${burst}: the answer was made first and cut up afterwards`
        : `${burst}: the answer was made first, or something on the way held it back`;
    case 'lumps':
      return `${spread}, but in ${lumps} lumps about ${time(lumpGapMs ?? 0)} apart: flushed too seldom`;
    case 'after_whole':
      return `${spread}${whole}: the answer was made first and dribbled out afterwards${steadiness(figures)}`;
    case 'steady_after_silence':
      return `${spread}, as evenly as a timer${steadiness(figures)}: made first and dribbled out afterwards`;
    case 'length_after_silence':
      return `${spread}, and longer answers begin later: made first and dribbled out afterwards${steadiness(figures)}`;
    case 'unclear_silence':
      return `${spread}${steadiness(figures)}: a real stream and a replay would look alike${
        pairedTotalMs === undefined ? '; measure without streaming too' : whole
      }`;
    case 'over_time':
      return `${spread}${whole}: it came as it was made`;
    default:
      return reason satisfies never;
  }
}

function content({ chunks, chars }: VerdictFigures): string {
  const pieces = `${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}`;
  return chunks < 5 ? `${pieces} (${chars} characters)` : pieces;
}

function steadiness({ gapMs, gapSpreadMs }: VerdictFigures): string {
  if (gapMs === null || gapSpreadMs === null) return '';
  return ` (gaps of ${time(gapMs)}, give or take ${time(gapSpreadMs)})`;
}

/** A time in the unit that reads best, to two or three digits. */
export function time(ms: number): string {
  if (ms >= 100_000) return `${Math.round(ms / 1000)} s`;
  if (ms >= 95) return `${(ms / 1000).toFixed(ms < 995 ? 2 : 1).replace(/\.?0+$/, '')} s`;
  if (ms >= 10) return `${Math.round(ms)} ms`;
  return `${ms.toFixed(1).replace(/\.0$/, '')} ms`;
}

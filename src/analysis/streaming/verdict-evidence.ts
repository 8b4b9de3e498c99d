import { formatValue } from '../../model/format.ts';
import type { LengthTest } from './length-test.ts';
import type { VerdictFigures } from './stream-figures.ts';
import type { VerdictContext } from './streaming-verdict.ts';

/** The evidence for verdicts on streams, as text. */

/** Why a verdict was reached, for the sentence. */
export type VerdictReason =
  | 'not_streaming'
  | 'no_content'
  | 'unread'
  | 'little_content'
  | 'instant'
  | 'held'
  | 'tail'
  | 'longer_wait'
  | 'after_whole'
  | 'correlation'
  | 'before_whole'
  | 'same_wait'
  | 'early'
  | 'brief'
  | 'weak'
  | 'open'
  | 'contradiction'
  | 'cut'
  | 'single';

/** The remedy for too little evidence. */
const MORE = 'measure again with --mode both or --lengths 16,256';

/** The evidence for a verdict, as one sentence. `figures` is null only where there was no content. */
export function evidenceOf(
  reason: VerdictReason,
  figures: VerdictFigures | null,
  { whole, lengths }: VerdictContext,
): string {
  if (reason === 'not_streaming') return 'a non-streaming answer was requested';
  if (figures === null || reason === 'no_content') return 'no content arrived';
  const seen = spreadOf(figures);
  switch (reason) {
    case 'unread':
      return figures.unread ?? 'the events were not read';
    case 'little_content':
      return `${content(figures)}: too little to distinguish a stream from a complete answer; request a longer one`;
    case 'instant':
      return `complete after ${formatValue(figures.latencyMs, 'ms')}: too fast to distinguish a stream from a complete answer`;
    case 'held':
      return `${burstOf(figures)}: the answer was generated first, or buffered in the path`;
    case 'tail':
      return `${tailOf(figures)}: started live, then buffered`;
    case 'longer_wait':
      return `${seen}; ${lengthsOf(lengths)}: the answer is generated before it is sent`;
    case 'after_whole':
      return `${seen}; ${wholeOf(whole)}: the answer is generated before it is sent`;
    case 'correlation':
      return `${seen}, and longer answers begin later: the answer is generated before it is sent`;
    case 'before_whole':
      return `${seen}; ${wholeOf(whole)}`;
    case 'same_wait':
      return `${seen}; ${lengthsOf(lengths)}`;
    case 'early':
      return `${seen}: content begins early in the request`;
    case 'brief':
      return `${burstOf(figures)}: a fast model after a wait and an answer generated first look alike; ${MORE}`;
    case 'weak':
      return `${seen}; ${lengthsOf(lengths)}, too little compared with the wait: request a longer answer (--lengths ${lengths?.short.tokens ?? 16},${longer(lengths)})`;
    case 'open':
      return `${seen}: a live stream and an answer generated first can look like this${whole === undefined ? '' : `; ${wholeOf(whole)}`}; ${MORE}`;
    case 'contradiction':
      return `${seen}; ${[whole && wholeOf(whole), lengths && lengthsOf(lengths)].filter((words) => words).join('; ')}: contradictory evidence; measure more requests`;
    case 'cut':
      return `${seen}, then cut as planned: the streams are endless or longer, so when a whole answer would be ready is not known`;
    case 'single':
      return `${seen}: one request is not enough evidence; measure more (-n 5)`;
    default:
      return reason satisfies never;
  }
}

function burstOf(figures: VerdictFigures): string {
  return `${content(figures)} in ${formatValue(figures.spanMs, 'ms')} after a wait of ${formatValue(figures.ttftMs, 'ms')}`;
}

function spreadOf(figures: VerdictFigures): string {
  const { spanMs, ttftMs, lumps, chunks, lumpGapMs, withinLumpMs } = figures;
  const inLumps = lumps > 2 && chunks >= 4 * lumps && withinLumpMs < 1;
  const each = inLumps
    ? `, in lumps of ${Math.round(chunks / lumps)} every ${formatValue(lumpGapMs ?? 0, 'ms')}`
    : '';
  return `${content(figures)} over ${formatValue(spanMs, 'ms')} after a wait of ${formatValue(ttftMs, 'ms')}${each}`;
}

function tailOf(figures: VerdictFigures): string {
  const { events, before, waitMs, spanMs } = figures.flush ?? { events: 0, before: 0, waitMs: 0, spanMs: 0 };
  const liveMs = Math.max(0, figures.spanMs - waitMs - spanMs);
  const live = before === 1 ? '1 chunk' : `${before} chunks over ${formatValue(liveMs, 'ms')}`;
  return `${live} after a wait of ${formatValue(figures.ttftMs, 'ms')}, then ${events} at once after a pause of ${formatValue(waitMs, 'ms')}`;
}

function wholeOf(whole: VerdictContext['whole']): string {
  return `the non-streaming answer takes ${formatValue(whole?.totalMs ?? 0, 'ms')}`;
}

function lengthsOf(lengths: LengthTest | undefined): string {
  if (lengths === undefined) return 'longer answers were not measured';
  const { short, long } = lengths;
  return `answers of about ${short.tokens} and ${long.tokens} tokens begin after ${formatValue(short.waitMs, 'ms')} and ${formatValue(long.waitMs, 'ms')}`;
}

function longer(lengths: LengthTest | undefined): number {
  return 4 * (lengths?.long.tokens ?? 256);
}

function content({ chunks, chars }: VerdictFigures): string {
  const pieces = `${chunks} ${chunks === 1 ? 'chunk' : 'chunks'}`;
  return chunks < 5 ? `${pieces} (${chars} characters)` : pieces;
}

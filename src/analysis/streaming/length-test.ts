import { percentileOf } from '../../metrics/percentile.ts';
import { studentCdf, studentQuantile } from '../statistics/distributions.ts';
import { mannWhitney } from '../statistics/mann-whitney.ts';
import type { VerdictFigures } from './stream-figures.ts';
import {
  GROWS_P,
  GROWS_RATIO,
  GROWS_UPPER,
  LEAST_ERROR,
  LENGTH_FACTOR,
  LENGTH_REQUESTS,
  LUMP_EVENTS,
  RANKED_REQUESTS,
  SAME_INPUT_RATIO,
  SAME_INPUT_TOKENS,
  SAME_RATIO,
  SHOWN_TOKEN_MS,
  WITHIN_LUMP_MS,
} from './verdict-limits.ts';

/**
 * The length test: the wait for the first token grows with the length of the answer where the answer is generated before it is
 * sent, and does not where it is sent while it is generated.
 */

/** The result of a length test. */
export interface LengthTest {
  /**
   * `grows`: longer answers begin later; `same`: they do not; `weak`: the test could not have detected an answer that was
   * generated first; `open`: too few requests or too noisy; `same_length`: the answers do not differ in length.
   */
  result: 'grows' | 'same' | 'weak' | 'open' | 'same_length';
  short: LengthGroup;
  long: LengthGroup;
  /** Median wait for long answers over that for short ones. */
  ratio: number;
}

/** Answers of about one length. */
export interface LengthGroup {
  n: number;
  tokens: number;
  /** Median wait for the first content, in ms. */
  waitMs: number;
}

/**
 * Compares the waits of short and of long answers to one prompt; undefined where one side has too few. Streams without content
 * are excluded, and streams on new connections too where there are enough others.
 */
export function lengthTest(
  short: readonly (VerdictFigures | null)[],
  long: readonly (VerdictFigures | null)[],
): LengthTest | undefined {
  const [x, y] = [preferWarm(short), preferWarm(long)];
  if (Math.min(x.length, y.length) < LENGTH_REQUESTS) return undefined;
  const [a, b] = [groupOf(x), groupOf(y)];
  return { result: resultOf(a, b, x, y), short: a, long: b, ratio: b.waitMs / a.waitMs };
}

/**
 * The same for answers to different prompts, shortest with longest. A longer input alone causes a longer wait, so the input tokens
 * must be known: `grows` needs inputs of about the same length, `same` a long answer whose input is not shorter.
 */
export function pooledLengthTest(
  prompts: readonly (readonly (VerdictFigures | null)[])[],
): LengthTest | undefined {
  const groups = prompts
    .map(preferWarm)
    .filter(({ length }) => length >= LENGTH_REQUESTS)
    .sort((a, b) => groupOf(a).tokens - groupOf(b).tokens);
  const [short, long] = [groups[0], groups.at(-1)];
  if (short === undefined || long === undefined || short === long) return undefined;
  const test = lengthTest(short, long);
  const [a, b] = [inputOf(short), inputOf(long)];
  if (test === undefined || a === null || b === null) return undefined;
  const [less, more] = [Math.min(a, b), Math.max(a, b)];
  const alike = more <= SAME_INPUT_RATIO * less || more - less <= SAME_INPUT_TOKENS;
  const counts = test.result === 'grows' ? alike : test.result !== 'same' || alike || b > a;
  return counts ? test : { ...test, result: 'open' };
}

function preferWarm(streams: readonly (VerdictFigures | null)[]): VerdictFigures[] {
  const known = streams.filter((figures) => figures !== null);
  const open = known.filter(({ cold }) => !cold);
  return open.length >= LENGTH_REQUESTS ? open : known;
}

function inputOf(streams: readonly VerdictFigures[]): number | null {
  const inputs = streams.map(({ inputTokens }) => inputTokens).filter((tokens) => tokens !== null);
  return inputs.length === 0 ? null : percentileOf(Float64Array.from(inputs).sort(), 0.5);
}

function resultOf(
  a: LengthGroup,
  b: LengthGroup,
  short: readonly VerdictFigures[],
  long: readonly VerdictFigures[],
): LengthTest['result'] {
  if (b.tokens < LENGTH_FACTOR * a.tokens) return 'same_length';
  const waits = logOf(short.map(({ begunMs }) => begunMs));
  if (grows(waits, logOf(long.map(withoutLump)))) return 'grows';
  // The smallest effect of an answer that is generated first must be larger than what `same` tolerates.
  if (a.waitMs * (SAME_RATIO - 1) > SHOWN_TOKEN_MS * (b.tokens - a.tokens)) return 'weak';
  const { difference, error, df } = medianDifference(waits, logOf(long.map(({ begunMs }) => begunMs)));
  const upper = difference + studentQuantile(1 - GROWS_P, df) * error;
  return difference < Math.log(SAME_RATIO) && upper < Math.log(GROWS_UPPER) ? 'same' : 'open';
}

function grows(short: Float64Array, long: Float64Array): boolean {
  const { difference, error, df } = medianDifference(short, long);
  if (difference < Math.log(GROWS_RATIO)) return false;
  if (2 * (1 - studentCdf(difference / error, df)) >= GROWS_P) return false;
  const ranked = Math.min(short.length, long.length) >= RANKED_REQUESTS;
  return !ranked || (mannWhitney(short, long)?.p ?? 1) < GROWS_P;
}

/** The difference of the medians, and its standard error by the pooled variance. */
function medianDifference(short: Float64Array, long: Float64Array) {
  const df = short.length + long.length - 2;
  const pooled = (squares(short) + squares(long)) / df;
  const error = Math.max(LEAST_ERROR, Math.sqrt(pooled * (1 / short.length + 1 / long.length)));
  return { difference: percentileOf(long, 0.5) - percentileOf(short, 0.5), error, df };
}

// Where content is sent in lumps, the first lump waits until it is full, but a short answer ends before that.
function withoutLump({ begunMs, lumps, lumpGapMs, chunks, withinLumpMs }: VerdictFigures): number {
  const inLumps = lumps > 1 && chunks >= LUMP_EVENTS * lumps && withinLumpMs < WITHIN_LUMP_MS;
  return inLumps ? begunMs - (lumpGapMs ?? 0) : begunMs;
}

function logOf(waits: readonly number[]): Float64Array {
  return Float64Array.from(waits, (ms) => Math.log(Math.max(ms, 0.001))).sort();
}

function groupOf(group: readonly VerdictFigures[]): LengthGroup {
  const median = (of: (figures: VerdictFigures) => number) =>
    percentileOf(Float64Array.from(group, of).sort(), 0.5);
  return {
    n: group.length,
    tokens: median(({ tokens }) => tokens),
    waitMs: median(({ begunMs }) => begunMs),
  };
}

function squares(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

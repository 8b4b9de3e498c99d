/**
 * Every constant of the verdict on a stream, each with its reason. `docs/verdict.md` has the confusion matrix that they
 * were chosen by. Times in ms.
 */

/** An answer that is complete this early cannot be judged: stamps are exact to about 1 ms, 10 ms under load. */
export const INSTANT_MS = 20;
/** Fewer events, or less text, show no pace. */
export const ENOUGH_EVENTS = 5;
export const ENOUGH_CHARS = 64;
/** Fewer gaps give no usable spread. */
export const ENOUGH_GAPS = 8;

/** Content in the last twentieth of the latency came at the end of it. */
export const AT_END_SHARE = 0.05;
/** No decoder needs less for a token (10,000 tokens/s); bytes of a complete answer follow faster. */
export const FASTEST_TOKEN_MS = 0.1;
/** This many tokens at once were buffered: at 1000 tokens/s they take 40 ms to generate, longer than a network burst. */
export const HELD_TOKENS = 40;

/** Longer pauses separate lumps: longer than the gaps of nearly all models, and visible to a reader. */
export const PAUSE_MS = 40;
/** Lumps this far apart are coarse. Bursts that follow faster look smooth. */
export const COARSE_PAUSE_MS = 95;
/** Lumps hold this many events, and these come at once. */
export const LUMP_EVENTS = 4;
export const WITHIN_LUMP_MS = 1;

/** Events that came at once at the end are a tail from this share and number on, after a wait this long. */
export const TAIL_SHARE = 0.3;
export const TAIL_EVENTS = 16;
export const TAIL_WAIT_MS = 100;

/**
 * A first piece that is followed by a gap this many times the median, twice the 90th percentile, and this long, is not the
 * beginning of the answer: it may be a fixed phrase. The wait is then counted to the end of that gap.
 */
export const ODD_GAP_FACTOR = 8;
export const ODD_GAP_FACTOR_P90 = 2;
export const ODD_GAP_MS = 100;
/** Only this many gaps at the beginning are searched: as many in short answers as in long ones. */
export const ODD_GAP_WITHIN = 2;

/** A fake verdict needs this many streams, and this share of a cell's streams with the same shape. */
export const ENOUGH_STREAMS = 2;
export const ENOUGH_ALIKE = 0.2;
/** A verdict on a cell needs a verdict on this share of its streams. */
export const ENOUGH_JUDGED = 0.25;

/** A wait below this share of the non-streaming total, after errors, is a live beginning. */
export const WELL_BEFORE = 0.75;
/** The beginning and the end of a stream must be this many standard errors apart to compare them with the total. */
export const RESOLVED = 3;
/** A replay may begin this much (logarithm) before the non-streaming median, in addition to errors. */
export const BEGINS_WITH = 0.08;
/** The smallest error of a median of waits (logarithm): stamps, and drift between the modes. */
export const LEAST_ERROR = 0.03;

/** Length test: lengths must differ by this factor. */
export const LENGTH_FACTOR = 2;
/**
 * `grows`: the wait for long answers must be this much longer, with a two-sided p below GROWS_P in a t test and, with five requests
 * each, also in a rank test, which is robust to two replicas of different speed.
 */
export const GROWS_RATIO = 1.5;
export const GROWS_P = 0.01;
export const RANKED_REQUESTS = 5;
/** `same`: a wait that grows by less than this, with GROWS_UPPER excluded at 1 %. */
export const SAME_RATIO = 1.25;
export const GROWS_UPPER = 2;
/** `same` is possible only where an answer generated at this speed (200 tokens/s) would have been detected. */
export const SHOWN_TOKEN_MS = 5;
/** The length test needs this many requests per length. */
export const LENGTH_REQUESTS = 3;

/** Inputs of two prompts that differ by less have no detectable effect on the wait. */
export const SAME_INPUT_RATIO = 1.5;
export const SAME_INPUT_TOKENS = 200;

/** Correlation of length and wait within a cell: evidence for a fake (under 0.3 % by chance), and against a live stream. */
export const CORRELATION_FAKE = 0.8;
export const CORRELATION_NOT_LIVE = 0.5;
export const CORRELATION_STREAMS = 12;

/** A stream that begins within this share of its latency is live: a replay would be ten times slower than the model. */
export const EARLY_SHARE = 0.1;
/**
 * Up to this share it is live where generating it in the wait would have needed more than 200 tokens/s, the gaps are not those of a
 * timer, and longer answers do not begin later.
 */
export const FAIRLY_EARLY_SHARE = 0.4;
export const LIKELY_TOKEN_MS = 5;
/**
 * Gaps with less spread than this share of the gap, or these ms, are those of a timer. Timers are not faster than FASTEST_TIMER_MS
 * and send one event each time.
 */
export const TIMER_SPREAD = 0.1;
export const TIMER_SPREAD_MS = 0.6;
export const FASTEST_TIMER_MS = 2;
export const TIMER_EVENTS = 1.5;

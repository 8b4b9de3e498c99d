/**
 * Every constant of the verdict on a stream, each with its reason. `docs/verdict.md` has the confusion matrix that they
 * were chosen by. Times in ms.
 */

/** An answer that was whole this soon leaves nothing to tell apart: stamps are exact to about 1 ms, 10 ms under load. */
export const INSTANT_MS = 20;
/** Fewer events, or with less text, show no pace. */
export const ENOUGH_EVENTS = 5;
export const ENOUGH_CHARS = 64;
/** Gaps whose spread can be told. */
export const ENOUGH_GAPS = 8;

/** Content in the last twentieth of the latency came at the end of it. */
export const AT_END_SHARE = 0.05;
/** No decoder needs less for a token (10,000 tokens/s); bytes of a finished answer follow each other sooner. */
export const FASTEST_TOKEN_MS = 0.1;
/** So many tokens at once were held back: at 1000 tokens/s they take 40 ms to make, which no burst of a network hides. */
export const HELD_TOKENS = 40;

/** Pauses from here on part lumps: longer than the gaps of nearly all models, and seen by a reader. */
export const PAUSE_MS = 40;
/** Lumps that are this far apart are coarse. Bursts that follow each other sooner look smooth. */
export const COARSE_PAUSE_MS = 95;
/** Lumps hold this many events, and these come at once. */
export const LUMP_EVENTS = 4;
export const WITHIN_LUMP_MS = 1;

/** The rest of an answer that came at once is a tail from this share of the events on, after a wait this long. */
export const TAIL_SHARE = 0.3;
export const TAIL_EVENTS = 16;
export const TAIL_WAIT_MS = 100;

/**
 * A first piece followed by a gap this many times the median one, twice the 90th percentile, and this long, is no
 * beginning: it may be a canned word. The wait is then counted to the end of that gap.
 */
export const ODD_GAP_FACTOR = 8;
export const ODD_GAP_FACTOR_P90 = 2;
export const ODD_GAP_MS = 100;
/** Such a gap is looked for among so many at the beginning: as many in short answers as in long ones. */
export const ODD_GAP_WITHIN = 2;

/** Cells of one stream are never accused, and a shape that fewer than this share of a cell's streams have neither. */
export const ENOUGH_STREAMS = 2;
export const ENOUGH_ALIKE = 0.2;
/** A verdict on a cell needs this share of its streams. */
export const ENOUGH_JUDGED = 0.25;

/** With a pair: a wait this much shorter than the whole answer takes, after errors, is a live beginning. */
export const WELL_BEFORE = 0.75;
/** How many standard errors the beginning and the end of a stream must be apart for the pair to tell. */
export const RESOLVED = 3;
/** A replay may begin this much (logarithm) before the median of the whole answers, errors apart. */
export const BEGINS_WITH = 0.08;
/** No median of waits is known better than this (logarithm): stamps, and drift between the two modes. */
export const LEAST_ERROR = 0.03;

/** Length test: lengths must differ by this factor. */
export const LENGTH_FACTOR = 2;
/**
 * The wait for long answers must be this much longer, with a two-sided p below the other, to accuse: by a t test, and where
 * there are five of each by ranks as well, which two replicas of unlike speed do not mislead.
 */
export const GROWS_RATIO = 1.5;
export const GROWS_P = 0.01;
export const RANKED_REQUESTS = 5;
/** A wait that grows by less than this, with GROWS_UPPER excluded at 1 %, does not grow. */
export const SAME_RATIO = 1.25;
export const GROWS_UPPER = 2;
/** The test can clear only where an answer that is made at this speed (200 tokens/s) would have shown. */
export const SHOWN_TOKEN_MS = 5;
/** Requests for each length without which nothing is told. */
export const LENGTH_REQUESTS = 3;

/** Inputs of two prompts that differ by less than this make no difference in the wait that the test could see. */
export const SAME_INPUT_RATIO = 1.5;
export const SAME_INPUT_TOKENS = 200;

/** Within a cell: correlation of length and wait that accuses (under 0.3 % by chance), and that forbids to clear. */
export const CORRELATION_ACCUSES = 0.8;
export const CORRELATION_FORBIDS = 0.5;
export const CORRELATION_STREAMS = 12;

/** Begun within this share of its own latency, a stream is live: a replay would be ten times slower than its making. */
export const EARLY_SHARE = 0.1;
/**
 * Up to this share it is live where its making in that time would have needed more than 200 tokens/s, the gaps are not
 * those of a timer, and longer answers do not begin later.
 */
export const FAIRLY_EARLY_SHARE = 0.4;
export const LIKELY_TOKEN_MS = 5;
/**
 * Gaps with less spread than this share of the gap, or in ms, are those of a timer. Timers do not go faster than the last
 * number, and send one event each time.
 */
export const TIMER_SPREAD = 0.1;
export const TIMER_SPREAD_MS = 0.6;
export const FASTEST_TIMER_MS = 2;
export const TIMER_EVENTS = 1.5;

// A recorded series of requests: when they arrived, and how long they were. Plain data, since a plan is sent to threads.

/** The formats of traces. `streambench`: the records of a run. */
export const TRACE_FORMATS = ['mooncake', 'azure', 'streambench'] as const;

/** One of `TRACE_FORMATS`. */
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** A checked trace. All lists have an item for each request, in order of arrival. */
export interface Trace {
  /** Name of the file, without its folder. */
  file: string;
  format: TraceFormat;
  /** Milliseconds from the first arrival, as recorded. Never smaller than the one before. */
  atMs: Float64Array;
  /** 0 where it is not known, which only the records of a run may have. */
  inputTokens: Uint32Array;
  /** The answer's length. 0 where it is not known. */
  outputTokens: Uint32Array;
  /** The blocks of each prompt: equal ids mean equal text. Absent in formats without them. */
  blocks?: TraceBlocks;
}

/** The blocks of all prompts, one after another. */
export interface TraceBlocks {
  /** Tokens of a block; the last one of a prompt may be shorter. */
  tokens: number;
  ids: Float64Array;
  /** Where each request's ids begin, and after the last request their number. */
  starts: Uint32Array;
}

/** Why requests of a trace with blocks are not unique. */
export const SHARED_BLOCKS = 'blocks of the trace';

/** The replayed trace, for reports. */
export interface TraceInfo {
  file: string;
  format: TraceFormat;
  /** Requests that are replayed in each cell. */
  requests: number;
  /** From the first arrival to the last, as recorded. */
  spanMs: number;
  /** How much faster than recorded requests are sent. */
  speed: number;
  /** Blocks of all prompts, and how many of them occurred in a request before. Absent in formats without blocks. */
  blocks?: { count: number; repeated: number };
}

/** What a report says about a trace. */
export function traceInfo({ file, format, atMs, blocks }: Trace, speed: number): TraceInfo {
  const info: TraceInfo = { file, format, requests: atMs.length, spanMs: atMs.at(-1) ?? 0, speed };
  if (blocks !== undefined) {
    const { ids } = blocks;
    info.blocks = { count: ids.length, repeated: ids.length - new Set(ids).size };
  }
  return info;
}

/** The mean number of requests per second of a trace at this speed. */
export function traceRate({ atMs }: Pick<Trace, 'atMs'>, speed: number): number {
  const spanMs = atMs.at(-1) ?? 0;
  // A trace whose requests all arrive at once has no rate: they are due within one second.
  const perSecond = spanMs > 0 ? ((atMs.length - 1) * 1000 * speed) / spanMs : atMs.length;
  return Number(perSecond.toPrecision(3));
}

/** When the requests of a part of a trace are due at this speed, in ms from the first one of the part. */
export function traceDueMs({ atMs }: Pick<Trace, 'atMs'>, speed: number, first: number, count: number) {
  const from = atMs[first] ?? 0;
  return atMs.subarray(first, first + count).map((at) => (at - from) / speed);
}

/** How closely a cell followed its trace. */
export interface TraceReplay {
  /** How much later than due requests were sent, in ms, over all that were sent. */
  lagMs: { n: number; p50: number; p99: number; max: number };
  /** Requests that were due and not sent, because too many streams were open. */
  dropped: number;
  /** As planned, and as reached from the first request to the last; null for a single request. */
  speed: number;
  reachedSpeed: number | null;
}

import type { RequestRecord } from './record.ts';

/** What clients do besides reading an answer as fast as it arrives, as part of a run's plan. */
export interface ClientBehaviour {
  /** A share of the streams is cancelled by the client. */
  cancel?: { share: number; after: CancelAfter };
  /** A share of the clients reads slowly. */
  slowReaders?: { share: number; bytesPerSecond: number };
  retries?: RetryPolicy;
  resume?: ResumePolicy;
}

/** When a stream is cancelled: after a number of content events, or some time after it was started. */
export type CancelAfter = { tokens: number } | { ms: number };

/**
 * What a failed attempt must be for a retry: a status; `connect`: no connection; `reset`: the connection was lost before the
 * response began.
 */
export type RetryCause = number | 'connect' | 'reset';

/** When and how a failed request is sent again. */
export interface RetryPolicy {
  /** The most attempts after the first one. */
  max: number;
  on: readonly RetryCause[];
  /** The wait before the first retry, without jitter; it doubles with each one. */
  backoffMs: number;
  /** The longest wait. A request whose Retry-After is longer is not retried. */
  maxWaitMs: number;
}

/** How a broken event stream is continued with Last-Event-ID. */
export interface ResumePolicy {
  /** The most times that one stream is continued. */
  max: number;
  /** The wait before the client connects again, if the stream did not set it (`retry:`). */
  waitMs: number;
}

/** What the client did on purpose in one request. */
export type RequestBehaviour =
  /** It cancelled the stream, unless that ended before. */
  | { kind: 'cancel'; after: CancelAfter }
  /** It read at this rate. */
  | { kind: 'slow'; bytesPerSecond: number };

/** One attempt of a request that may be retried. */
export interface Attempt {
  /** From 1. */
  number: number;
  /** Of the first attempt, as in `marks`: when it was due, started and sent. Absent for the first attempt itself. */
  first?: { scheduled: number; started: number; sent?: number };
  /** Milliseconds waited between the attempt before and this one. */
  waitedMs?: number;
  /** True if `waitedMs` is what the server asked for with Retry-After. */
  retryAfter?: true;
  /** True if another attempt followed, so that this outcome is not the request's. */
  retried?: true;
}

/** One continuation of a broken stream. Times in ms from the start of the run, as in `marks`. */
export interface Resumption {
  /** When the connection was lost. */
  lostMs: number;
  /** When the request to continue was sent; absent if it never was. */
  sentMs?: number;
  /** The id that was sent. */
  lastEventId: string;
  /** From the last content event before the break to the first after it; absent if none came. */
  outageMs?: number;
}

/** The ids of a stream's events. */
export interface EventIds {
  /** Events with an id. */
  count: number;
  last: string;
  /** Ids that are missing between two others; absent where ids do not count up. */
  lost?: number;
  /** Events whose id had come before, among the last 1,000 ids where ids do not count up. */
  doubled: number;
}

type Counted = Pick<RequestRecord, 'outcome' | 'behaviour' | 'attempt'>;

/** True for the record that has the outcome of its request: not for an attempt that was retried. */
export function isFinal({ attempt }: Pick<Counted, 'attempt'>): boolean {
  return attempt?.retried !== true;
}

/** True for a stream that the client cancelled as planned. It is no failure. */
export function isPlannedCancel({ outcome, behaviour }: Pick<Counted, 'outcome' | 'behaviour'>): boolean {
  return outcome.kind === 'cancelled' && behaviour?.kind === 'cancel';
}

/**
 * True for a record whose values enter the figures of its cell: a complete answer to a client that neither read slowly nor
 * was to cancel. A stream that ended before it could be cancelled is left out as well: only short answers do, and they
 * would bias the figures.
 */
export function entersFigures(record: Counted): boolean {
  return record.outcome.kind === 'ok' && record.behaviour === undefined && isFinal(record);
}

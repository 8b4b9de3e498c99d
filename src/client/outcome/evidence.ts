import type { StreamEvent } from '../../model/events.ts';
import type { Mode, TimeoutPhase } from '../../model/record.ts';
import type { FramingName } from '../../wire/framing/frame.ts';
import type { PayloadFacts } from '../../wire/payload-paths.ts';
import type { SentRequest } from './refusal.ts';

/** How the exchange with the server ended, as seen from the socket. */
export type Ending =
  | { kind: 'eof' }
  | { kind: 'error'; error: Error }
  | { kind: 'timeout'; phase: TimeoutPhase; limitMs: number }
  | { kind: 'cancelled'; reason?: string }
  | ({ kind: 'too_large' } & LimitExceeded)
  /** Cut by the client as planned, `afterMs` after it was sent. */
  | { kind: 'planned_cut'; afterMs: number }
  /** Cut by the client because its window was over. */
  | { kind: 'window_over'; graceMs: number }
  /** An exception in this program while it read the response. */
  | { kind: 'fault'; error: unknown };

/** Reason of an abort: the window of the request is over, and so is the grace for requests that were in flight. */
export class WindowOver {
  readonly graceMs: number;

  constructor(graceMs: number) {
    this.graceMs = graceMs;
  }
}

/** A limit of what a server may send, and what was received. */
export interface LimitExceeded {
  limit: LimitName;
  limitBytes: number;
  /** At least this much was received or announced. */
  receivedBytes: number;
}

/** The limits, by their names in a scenario. */
export type LimitName = 'event' | 'body' | 'stream' | 'headers';

/** The request as sent, to explain the response. The body contains the prompt, so it is never copied into an outcome. */
export interface RequestFacts extends SentRequest {
  mode: Mode;
  dialect: string;
  framing: FramingName;
  /** Path of the text, for a plain dialect. */
  textPath?: string;
}

/** What is known about a request once it has ended. */
export interface Evidence {
  request: RequestFacts;
  ending: Ending;
  status: number | undefined;
  headers: Readonly<Record<string, string>>;
  bytes: number;
  /** The beginning of the body. */
  bodyPrefix: string;
  events: number;
  contentEvents: number;
  /** Reasoning tokens that the provider counted but did not send as text; undefined if it does not count them. */
  hiddenReasoning?: number;
  /** The first `error` event. */
  failure: Extract<StreamEvent, { type: 'error' }> | undefined;
  complete: Extract<StreamEvent, { type: 'complete' }> | undefined;
  /** Set if the body was cut after the finish reason, before the terminator: the event that a proper end would have given. */
  cutAfter?: Extract<StreamEvent, { type: 'complete' }>;
  /** Milliseconds from the last read, or from the request, to the end. */
  silenceMs?: number;
  /** True if the body was decompressed by this client. */
  inflated?: boolean;
  /** What the first payloads of a plain dialect contain. */
  payload?: PayloadFacts;
}

/** Characters of a body that an outcome shows. */
export const BODY_CHARS = 500;

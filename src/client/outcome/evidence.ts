import type { StreamEvent } from '../../model/events.ts';
import type { Mode, TimeoutPhase } from '../../model/record.ts';
import type { FramingName } from '../../wire/framing/frame.ts';
import type { PayloadFacts } from '../../wire/payload-paths.ts';
import type { SentRequest } from './refusal.ts';

/** How the exchange with the server came to its end, seen from the socket. */
export type Ending =
  | { kind: 'eof' }
  | { kind: 'error'; error: Error }
  | { kind: 'timeout'; phase: TimeoutPhase; limitMs: number }
  | { kind: 'cancelled'; reason?: string }
  | ({ kind: 'too_large' } & LimitExceeded)
  /** Something in this program failed while it read the response. */
  | { kind: 'fault'; error: unknown };

/** A limit of what a server may send, and what came. */
export interface LimitExceeded {
  limit: LimitName;
  limitBytes: number;
  /** At least so much came, or was announced. */
  receivedBytes: number;
}

/** The limits by the names that a scenario gives them. */
export type LimitName = 'event' | 'body' | 'stream' | 'headers';

/** What was sent, as far as it explains what came back. The body holds what the user asks: it reaches no outcome. */
export interface Asked extends SentRequest {
  mode: Mode;
  dialect: string;
  framing: FramingName;
  /** Where a plain dialect looks for the text. */
  textPath?: string;
}

/** What is known of a request when it is over. */
export interface Evidence {
  asked: Asked;
  ending: Ending;
  status: number | undefined;
  headers: Readonly<Record<string, string>>;
  bytes: number;
  /** The beginning of the body. */
  bodyPrefix: string;
  events: number;
  contentEvents: number;
  /** Reasoning tokens that the provider counts but did not send as text; undefined where it does not count them. */
  hiddenReasoning?: number;
  /** The first `error` event. */
  failure: Extract<StreamEvent, { type: 'error' }> | undefined;
  complete: Extract<StreamEvent, { type: 'complete' }> | undefined;
  /** The body was cut after the finish reason, before the terminator: what a proper end would have completed. */
  cutAfter?: Extract<StreamEvent, { type: 'complete' }>;
  /** Milliseconds from the last read, or from the request, to the end. */
  silenceMs?: number;
  /** The body was compressed, and decompressed here. */
  inflated?: boolean;
  /** What the first payloads of a plain dialect hold. */
  payload?: PayloadFacts;
}

/** As much of a body as an outcome shows. */
export const BODY_CHARS = 500;

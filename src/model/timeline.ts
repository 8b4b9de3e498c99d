/**
 * The marks of one request: the times of its events, in milliseconds from the start of the run on one monotonic clock. An
 * absent mark did not happen.
 */
export interface Marks {
  /** When the request was due. In a closed loop: when a slot became free. */
  scheduled: number;
  /** When it was handed to the transport. */
  started: number;
  /** A new connection was started. Absent, like dns, tcp and tls, if an open connection was reused. */
  connectStart?: number;
  /** The name was resolved. */
  dns?: number;
  /** TCP was established. */
  tcp?: number;
  /** The TLS handshake was done. */
  tls?: number;
  /** The request, body included, was handed to the kernel: when that write began, over TLS and HTTP/2 when it ended. */
  sent?: number;
  /** Status line and headers were read. */
  headers?: number;
  /** The first byte of the body was read. */
  firstByte?: number;
  /** The first SSE or NDJSON event that is not a comment. */
  firstEvent?: number;
  /** The first content: answer text, reasoning, a tool call, audio or an image. A role-only chunk is not a token. */
  firstToken?: number;
  /** The first answer text, audio or image: the first content for a user who does not see the reasoning. */
  firstAnswer?: number;
  /** The last content. */
  lastToken?: number;
  /** The terminator, or the end of the body if there is none. Also set for failed requests. */
  end?: number;
}

/** Whole microseconds: the precision of the clock, to which all times of a record are rounded. */
export function microseconds(ms: number): number {
  return Math.round(ms * 1000);
}

/** Name of a mark. */
export type MarkName = keyof Marks;

/** The marks in the order in which they happen. */
export const MARK_ORDER = [
  'scheduled',
  'started',
  'connectStart',
  'dns',
  'tcp',
  'tls',
  'sent',
  'headers',
  'firstByte',
  'firstEvent',
  'firstToken',
  'firstAnswer',
  'lastToken',
  'end',
] as const satisfies readonly MarkName[];

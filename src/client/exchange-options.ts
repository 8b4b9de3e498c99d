import type { Clock } from '../model/clock.ts';
import type { StreamEvent } from '../model/events.ts';
import type { Limits, Timeouts } from '../model/plan.ts';
import type { StampSource } from '../model/record.ts';
import type { Redactor } from '../model/redaction/redactor.ts';
import type { Dialect } from '../wire/dialect.ts';
import type { EventIdTally } from './event-ids.ts';
import type { ExchangeTap } from './exchange-tap.ts';
import type { RequestFacts } from './outcome/evidence.ts';
import type { RequestAssumptions } from './outcome/refusal.ts';
import type { Connection, SocketRequest } from './transport/connection.ts';

/** Listeners to a body. */
export interface BodyListeners {
  /**
   * Called with the events of each frame, after they were counted. `atMs` is relative to `originAt`; `size` is the length of
   * the frame in characters.
   */
  onEvents?: (events: readonly StreamEvent[], atMs: number, read: number, size: number) => void;
  /** Called with the body bytes of each socket read, before they are decoded. */
  onBytes?: (chunk: Uint8Array) => void;
  /** Origin of the listeners' times, on the machine's clock. */
  originAt: number;
}

/** Options of one exchange. Times are on the machine's clock. */
export interface ExchangeOptions extends BodyListeners {
  dialect: Dialect;
  request: SocketRequest;
  /** What the program, not the user, decided about the request: for hints. */
  assumptions?: RequestAssumptions & Pick<RequestFacts, 'textPath'>;
  /** False for one whole answer. */
  stream: boolean;
  timeouts: Timeouts;
  /** The stream is cut this long after the request was sent, as planned. Default: it ends by itself. */
  cutAfterMs?: number;
  /** Default: `DEFAULT_LIMITS`. */
  limits?: Limits;
  clock: Clock;
  /** Origin of the marks and of the listeners' times. */
  originAt: number;
  scheduledAt: number;
  /** When the request was handed to the transport. Default: now. */
  startedAt?: number;
  /**
   * Someone else sends the request and reads the response, such as another client library. An abort after a complete or failed
   * answer, or of an error response, is an ordinary end; so is a reader that stops there. Default: false.
   */
  passive?: boolean;
  /** Where the stamps of the reads were taken. Default: the observation does not say. */
  stamp?: StampSource;
  keepText: boolean;
  /** Keeps the arrival of every chunk. Default: false. */
  keepChunks?: boolean;
  redactor: Redactor;
  signal?: AbortSignal;
  /**
   * Replaces a connection that was open before the request and was closed without a byte of the response. The request is
   * then sent again, once. Absent: it fails.
   */
  reconnect?: (connection: Connection) => Connection;
  /**
   * When the events are decoded: `at-once`, in the turn of the event loop in which they were read; or `later`, within about
   * 100 ms or at the end of the response, which delays the stamps of other requests less. Default: `at-once` if there is a
   * listener.
   */
  decode?: 'at-once' | 'later';
  /** Reads the response at this rate, as a slow reader. Default: as fast as it arrives. */
  readBytesPerSecond?: number;
  /** Follows the ids of the events. Default: they are ignored. */
  eventIds?: EventIdTally;
  /** Receives the bytes of the response. Default: nothing does. */
  tap?: ExchangeTap;
  /** Called at the start, with the control that a slow consumer uses to pause the response. */
  onFlow?: (flow: FlowControl) => void;
}

/** Back-pressure of one exchange. While it is paused, its time limits do not run. */
export interface FlowControl {
  pause(): void;
  resume(): void;
}

/** The request as the outcome needs it. */
export function requestFacts({
  dialect: { name, framing },
  request,
  stream,
  assumptions,
}: ExchangeOptions): RequestFacts {
  const { method, body } = request;
  return {
    mode: stream ? 'streaming' : 'non-streaming',
    dialect: name,
    framing,
    method,
    body,
    ...assumptions,
  };
}

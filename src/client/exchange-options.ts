import type { Clock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import { formatSizeLimit } from '../model/format.ts';
import { DEFAULT_LIMITS, type Limits, MAX_LIMIT_BYTES, type Timeouts } from '../model/plan.ts';
import type { Redactor } from '../model/redaction/redactor.ts';
import type { Dialect } from '../wire/dialect.ts';
import type { BodyListeners } from './body-reader.ts';
import type { Asked } from './outcome/evidence.ts';
import type { RequestAssumptions } from './outcome/refusal.ts';
import type { Connection, SocketRequest } from './transport/connection.ts';

/**
 * The limits with their defaults filled in. Throws a `UserError` for one that is no number of bytes, or that the platform's
 * strings could not reach.
 */
export function limitsOf(options: Partial<Limits> = {}): Limits {
  const limits: Limits = { ...DEFAULT_LIMITS };
  for (const [name, bytes] of Object.entries(options)) {
    if (bytes === undefined) continue;
    // A stream is not kept.
    const most = name === 'streamBytes' ? Number.POSITIVE_INFINITY : MAX_LIMIT_BYTES;
    if (!(bytes > 0 && bytes <= most)) {
      throw new UserError('usage', {
        message: `limits.${name} is ${bytes}`,
        hint: `give a number of bytes above 0 and at most ${MAX_LIMIT_BYTES} (${formatSizeLimit(MAX_LIMIT_BYTES)})`,
      });
    }
    limits[name as keyof Limits] = bytes;
  }
  return limits;
}

/** All that one exchange needs to know. Times are on the machine's clock. */
export interface ExchangeOptions extends BodyListeners {
  dialect: Dialect;
  request: SocketRequest;
  /** What explains the answer beside the request itself. */
  about?: RequestAssumptions & Pick<Asked, 'textPath'>;
  /** False for one whole answer. */
  stream: boolean;
  timeouts: Timeouts;
  /** Default: `DEFAULT_LIMITS`. */
  limits?: Limits;
  clock: Clock;
  /** What the marks, and the listeners' times, count from. */
  originAt: number;
  scheduledAt: number;
  keepText: boolean;
  redactor: Redactor;
  signal?: AbortSignal;
  /**
   * Gives a new connection in place of one that was open before the request and closed without a byte of the response.
   * The request is then sent again, once. Absent: it fails.
   */
  reconnect?: (connection: Connection) => Connection;
  /**
   * When the events are decoded: `at-once`, in the turn of the event loop in which they were read, or `later`, within some
   * 100 ms or with the end of the response, which disturbs the stamps of other requests less. Default: `at-once` where
   * someone listens.
   */
  decode?: 'at-once' | 'later';
  /** Called at the start, with what a consumer that is behind holds the response back by. Default: nobody does. */
  onFlow?: (flow: FlowControl) => void;
}

/** Back-pressure of one exchange. While it is paused, its time limits do not run. */
export interface FlowControl {
  pause(): void;
  resume(): void;
}

/** What was asked, for the outcome. */
export function askedOf({ dialect, request, stream, about }: ExchangeOptions): Asked {
  const { name, framing } = dialect;
  const { method, body } = request;
  return { mode: stream ? 'streaming' : 'non-streaming', dialect: name, framing, method, body, ...about };
}

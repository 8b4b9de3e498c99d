import type { ConnectionInfo } from '../model/record.ts';
import type { Redactor } from '../model/redaction/redactor.ts';
import type { Ending } from './outcome/evidence.ts';
import type { ConnectionSink, ResponseHeaders, SocketRequest } from './transport/connection.ts';

/** A request as it is sent, and what must be hidden of it and of its response. */
export interface TappedRequest extends SocketRequest {
  /** Scheme, host and port. */
  origin: string;
  dialect: string;
  textPath?: string;
  /** False for one whole answer. */
  stream: boolean;
  redactor: Redactor;
}

/**
 * Receives what passes over the connection for one exchange. Stamps are on the machine's clock, and are those of the marks.
 * Must not throw.
 */
export interface ExchangeTap {
  onSocket(info: ConnectionInfo): void;
  /** Called again if the request is sent a second time, on another connection: what was received before does not count. */
  onSent(atMs: number): void;
  onHeaders(atMs: number, status: number, headers: ResponseHeaders): void;
  /** Body bytes, without transfer framing and not decompressed. The chunk may be overwritten when this has returned. */
  onRead(atMs: number, chunk: Uint8Array, socketRead: number): void;
  /** The exchange has ended: nothing follows. */
  onOver(atMs: number, ending: Ending): void;
}

/** Opens a tap for each request of a client. */
export type OpenTap = (request: TappedRequest) => ExchangeTap;

/** A sink that passes the events of a connection to a tap first. */
export function tappedSink(sink: ConnectionSink, tap: ExchangeTap): ConnectionSink {
  return {
    onSocket(info, phases) {
      tap.onSocket(info);
      sink.onSocket(info, phases);
    },
    onSent(atMs) {
      tap.onSent(atMs);
      sink.onSent(atMs);
    },
    onHeaders(atMs, status, headers) {
      tap.onHeaders(atMs, status, headers);
      sink.onHeaders(atMs, status, headers);
    },
    onRead(atMs, chunk, socketRead) {
      tap.onRead(atMs, chunk, socketRead);
      sink.onRead(atMs, chunk, socketRead);
    },
    onEnd: (atMs) => sink.onEnd(atMs),
    onError: (atMs, error, unanswered) => sink.onError(atMs, error, unanswered),
  };
}

import { constants } from 'node:http2';

/** How an HTTP/2 request can end without a complete response: the `code` of the error. */
type StreamEndCode =
  /** The server reset the stream (RST_STREAM). */
  | 'HTTP2_STREAM_RESET'
  /** The server ended the session with an error (GOAWAY). */
  | 'HTTP2_GOAWAY'
  /** The server closed the session gracefully (GOAWAY with NO_ERROR), but did not finish the stream. */
  | 'HTTP2_SESSION_CLOSED'
  /** The connection was lost or closed without a GOAWAY. */
  | 'HTTP2_CONNECTION_LOST'
  /** The server violated HTTP/2. */
  | 'HTTP2_PROTOCOL_ERROR';

/** What is known about a stream that ended without a complete response. */
export interface StreamEnd {
  /** The stream's identifier, if it has one. */
  id: number | undefined;
  /** Its reset code; 0 and 8 (CANCEL) also if the connection was lost. */
  rstCode: number;
  goaway: { code: number; lastStreamId: number } | undefined;
  /** The socket was closed by the server or by an error. */
  socketClosed: boolean;
  /** The socket's error. */
  socketError: Error | undefined;
  /** An error of node:http2 itself, such as a protocol violation. */
  error: Error | undefined;
}

/** The error for a stream's end. `unprocessed`: the server has not processed the request. */
export function streamEnd(end: StreamEnd): { error: Error; unprocessed: boolean } {
  const { id, rstCode, goaway, socketClosed, socketError, error } = end;
  const unprocessed = goaway !== undefined && (id === undefined || id > goaway.lastStreamId);
  // A server that closes a session gracefully may still reset one of its last streams.
  const isGraceful = goaway?.code === constants.NGHTTP2_NO_ERROR && !socketClosed && !unprocessed;
  if (goaway !== undefined && !isGraceful) {
    const before = unprocessed ? 'before it accepted the request' : 'before the response was complete';
    const { code } = goaway;
    return code === constants.NGHTTP2_NO_ERROR
      ? endOf('HTTP2_SESSION_CLOSED', `the server closed the HTTP/2 session ${before}`, unprocessed)
      : endOf(
          'HTTP2_GOAWAY',
          `the server ended the HTTP/2 session with GOAWAY ${nameOf(code)}, ${before}`,
          unprocessed,
        );
  }
  if (socketClosed) {
    const how = socketError === undefined ? 'closed by the server' : socketError.message;
    return endOf('HTTP2_CONNECTION_LOST', `the HTTP/2 connection was lost: ${how}`, false, socketError);
  }
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_STREAM_ERROR') {
    return endOf(
      'HTTP2_PROTOCOL_ERROR',
      `the server violated the HTTP/2 protocol: ${error.message}`,
      false,
      error,
    );
  }
  return endOf(
    'HTTP2_STREAM_RESET',
    `the server reset the HTTP/2 stream (RST_STREAM ${nameOf(rstCode)})`,
    rstCode === constants.NGHTTP2_REFUSED_STREAM,
  );
}

function endOf(code: StreamEndCode, message: string, unprocessed: boolean, cause?: Error) {
  return { error: Object.assign(new Error(message, { cause }), { code }), unprocessed };
}

// RFC 9113, section 7, by number.
const REASONS = [
  ...[
    'NO_ERROR',
    'PROTOCOL_ERROR',
    'INTERNAL_ERROR',
    'FLOW_CONTROL_ERROR',
    'SETTINGS_TIMEOUT',
    'STREAM_CLOSED',
  ],
  ...['FRAME_SIZE_ERROR', 'REFUSED_STREAM', 'CANCEL', 'COMPRESSION_ERROR', 'CONNECT_ERROR'],
  ...['ENHANCE_YOUR_CALM', 'INADEQUATE_SECURITY', 'HTTP_1_1_REQUIRED'],
];

function nameOf(code: number): string {
  return REASONS[code] ?? String(code);
}

import { constants } from 'node:http2';

/** How an HTTP/2 request can end without a whole response. Each is the `code` of the error that tells of it. */
export type SessionEndCode =
  /** The server reset the stream (RST_STREAM). */
  | 'HTTP2_STREAM_RESET'
  /** The server ended the session with an error (GOAWAY). */
  | 'HTTP2_GOAWAY'
  /** The server ended the session in good order (GOAWAY with NO_ERROR), but not the stream. */
  | 'HTTP2_SESSION_CLOSED'
  /** The connection broke or was closed without a GOAWAY. */
  | 'HTTP2_CONNECTION_LOST'
  /** The server sent what HTTP/2 does not allow. */
  | 'HTTP2_PROTOCOL_ERROR';

/** What is known when a stream has ended without a whole response. */
export interface StreamEnd {
  /** The stream's identifier, where it got one. */
  id: number | undefined;
  /** Its reset code, from 0; 0 and 8 (CANCEL) also where the connection was lost. */
  rstCode: number;
  goaway: { code: number; lastStreamId: number } | undefined;
  /** The socket was closed, by the other side or by an error. */
  socketClosed: boolean;
  /** The socket's error. */
  socketError: Error | undefined;
  /** An error of node:http2 itself, such as a violated protocol. */
  error: Error | undefined;
}

/** The error that a stream's end is, and whether the server said that it had not begun with the request. */
export function streamEnd(end: StreamEnd): { error: Error; unprocessed: boolean } {
  const { id, rstCode, goaway, socketClosed, socketError, error } = end;
  const unprocessed = goaway !== undefined && (id === undefined || id > goaway.lastStreamId);
  // A server that winds a session down may still reset one of its last streams.
  const winding = goaway?.code === constants.NGHTTP2_NO_ERROR && !socketClosed && !unprocessed;
  if (goaway !== undefined && !winding) {
    const before = unprocessed ? 'before it took the request' : 'before the response was whole';
    const { code } = goaway;
    return code === constants.NGHTTP2_NO_ERROR
      ? told('HTTP2_SESSION_CLOSED', `the server closed the HTTP/2 session ${before}`, unprocessed)
      : told(
          'HTTP2_GOAWAY',
          `the server ended the HTTP/2 session with GOAWAY ${nameOf(code)}, ${before}`,
          unprocessed,
        );
  }
  if (socketClosed) {
    const how = socketError === undefined ? 'closed by the other side' : socketError.message;
    return told('HTTP2_CONNECTION_LOST', `the HTTP/2 connection was lost: ${how}`, false, socketError);
  }
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_STREAM_ERROR') {
    return told(
      'HTTP2_PROTOCOL_ERROR',
      `the server broke the HTTP/2 protocol: ${error.message}`,
      false,
      error,
    );
  }
  return told(
    'HTTP2_STREAM_RESET',
    `the server reset the HTTP/2 stream (RST_STREAM ${nameOf(rstCode)})`,
    rstCode === constants.NGHTTP2_REFUSED_STREAM,
  );
}

function told(code: SessionEndCode, message: string, unprocessed: boolean, cause?: Error) {
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

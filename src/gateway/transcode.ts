import type { Dialect } from '../wire/dialect.ts';
import { type DecodeOptions, decodeResponse } from './decode-response.ts';
import { encodeResponse, type ResponseOptions } from './encode-stream.ts';

/** From which dialect to which. */
export interface TranscodeOptions extends Omit<ResponseOptions, 'dialect'> {
  /** The dialect of the response: a name, such as `ollama-chat`, or the dialect. */
  from: string | Dialect;
  /** The dialect to encode it in. */
  to: string | Dialect;
  /** The largest event of the response, or the largest whole answer, in bytes. Default: 16 MiB and 64 MiB. */
  limitBytes?: DecodeOptions['limitBytes'];
}

/**
 * A response of `fetch` in another dialect. Streams stay streams, and whole answers whole, unless `stream` or the request says
 * otherwise. An HTTP error keeps its status and `retry-after`. See `encodeResponse` for the rest. Rejects with a `UserError` for
 * an unknown dialect, and for a body that was already read.
 */
export async function transcode(response: Response, options: TranscodeOptions): Promise<Response> {
  const { from, to, limitBytes, headers, stream, ...rest } = options;
  const events = decodeResponse(response, { dialect: from, limitBytes });
  const retryAfter = response.ok ? null : response.headers.get('retry-after');
  return encodeResponse(events, {
    ...rest,
    dialect: to,
    stream: stream ?? rest.request?.stream ?? events.isStream,
    headers: retryAfter === null ? headers : { 'retry-after': retryAfter, ...headers },
  });
}

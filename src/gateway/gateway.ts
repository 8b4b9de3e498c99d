import type { AnswerStream } from '../client/answer-stream.ts';
import type { RequestOptions } from '../client/client-options.ts';
import { UserError } from '../model/errors.ts';
import type { ChatRequest } from '../model/request.ts';
import type { Dialect } from '../wire/dialect.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { type EncodeOptions, encodeResponse, errorResponse } from './encode-stream.ts';

/** Answers requests of one dialect from a client of another one. */
export interface GatewayOptions extends Pick<EncodeOptions, 'onLost'> {
  /** The dialect that the callers speak: a name, such as `anthropic`, or the dialect. */
  dialect: string | Dialect;
  /** Sends the requests. */
  client: { stream(request: RequestOptions): AnswerStream };
  /** The model that is asked, whatever model the caller names. Default: the caller's. */
  model?: string;
  /** Additional headers of every response. */
  headers?: Readonly<Record<string, string>>;
}

/** Answers one web request. */
export type FetchHandler = (request: Request) => Promise<Response>;

/**
 * A handler that speaks one dialect to its callers and another one to a model. A caller that goes away ends the request to the
 * model. A request that is not one of the dialect, or that the client's dialect cannot express, is answered with 400. The
 * caller's credentials are neither checked nor passed on. Throws a `UserError` for an unknown dialect.
 */
export function createGateway({ client, model, headers, onLost, ...options }: GatewayOptions): FetchHandler {
  const dialect = typeof options.dialect === 'string' ? getDialect(options.dialect) : options.dialect;
  return async (request) => {
    const chat = await readChatRequest(request, dialect);
    if (chat === undefined) {
      const message = `this is not a request of the dialect ${dialect.name}`;
      return errorResponse(dialect, { message, code: '400' }, headers);
    }
    try {
      // `extra` is what the dialect read for its own answer, such as stream_options.
      const { extra: _own, stream: _mode, ...fields } = chat;
      const events = client.stream({
        ...fields,
        model: model ?? chat.model,
        signal: request.signal,
        keepText: false,
      });
      return await encodeResponse(events, { dialect, request: chat, model: chat.model, headers, onLost });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return errorResponse(dialect, { message: error.message, code: '400' }, headers);
    }
  };
}

/** A web request as a request for an answer; undefined if it is not one of the dialect. Reads the body. */
export async function readChatRequest(
  request: Request,
  dialect: string | Dialect,
): Promise<ChatRequest | undefined> {
  const { pathname, searchParams } = new URL(request.url);
  return (typeof dialect === 'string' ? getDialect(dialect) : dialect).parseRequest({
    method: request.method,
    path: pathname,
    query: searchParams,
    body: await request.text(),
  });
}

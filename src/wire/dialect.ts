import type { StreamEvent, StreamEventType } from '../model/events.ts';
import type { ChatRequest, WireRequest } from '../model/request.ts';
import type { FinishWords } from './chat-fields.ts';
import type { Frame, FramingName } from './framing/frame.ts';
import type { RequestFeature, RequestOption } from './request-parts.ts';

/**
 * The requests and answers of one API, in both directions: client and server side, streaming and whole. Each dialect is
 * one file in `wire/dialects/`. Pure: a dialect uses no clock and no socket.
 *
 * Tests check these properties for all dialects: decode(encode(events)) = events; the events do not depend on how a
 * stream is split into reads; garbage gives an `error` event and never throws.
 */
export interface Dialect {
  /** The name used in scenarios and on the command line, such as `openai-chat`. */
  readonly name: string;
  /** One line for `streambench providers`. */
  readonly title: string;
  /** How a stream is split into frames. */
  readonly framing: FramingName;
  /** The event types that this dialect can express. Encoding any other event gives no frame. */
  readonly carries: ReadonlySet<StreamEventType>;
  /** What its requests can contain beside text. Default: nothing. */
  readonly accepts?: ReadonlySet<RequestFeature>;
  /** The options that its requests can express. Default: none. */
  readonly options?: ReadonlySet<RequestOption>;
  /** Its finish reasons, mapped to ours. Default: it has no such words. */
  readonly finishWords?: FinishWords;
  /** True if pieces of several tool calls may be mixed in a stream. Otherwise each call is sent as one block. */
  readonly mixesCalls?: true;
  /** Response headers of a stream in addition to the content type. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
  /** True if whole answers have no format of their own: a whole answer is the complete stream. */
  readonly wholeIsStream?: true;
  /** True if answer text may contain `<think>` blocks: the API's models have no common field for reasoning. */
  readonly thinkTags?: true;
  /** True if `decodeWhole` accepts any object with a text field, so that its success does not identify the dialect. */
  readonly acceptsAnyObject?: true;
  /** Client side: the request, relative to the API's base URL. */
  request(chat: ChatRequest): WireRequest;
  /** True if `pathname` already ends in this dialect's path. The target URL is then used without adding the path. */
  ownsPath(pathname: string): boolean;
  /** Server side: parses a request; undefined if it is not a request of this dialect. */
  parseRequest(request: IncomingRequest): ChatRequest | undefined;
  /** Client side: a new decoder for one streaming response. */
  decoder(): Decoder;
  /** Server side: a new encoder for one streaming response. */
  encoder(context: AnswerContext): Encoder;
  /** Client side: the events of one whole, non-streaming answer. Never throws. */
  decodeWhole(body: string): readonly StreamEvent[];
  /** Server side: one whole, non-streaming answer. */
  encodeWhole(events: readonly StreamEvent[], context: AnswerContext): WireBody;
  /** Server side: the body of an HTTP error. */
  encodeError(status: number, message: string): WireBody;
}

/** Decodes the frames of one response. */
export interface Decoder {
  /** The events of a frame, in order. Never throws: a frame that cannot be decoded gives an `error` event with `malformed`. */
  decode(frame: Frame): readonly StreamEvent[];
  /** The body has ended: returns the remaining events, with `complete` where EOF is the regular end. */
  end(): readonly StreamEvent[];
}

/** Encodes the events of one response. `complete` also gives the terminator. */
export type Encoder = (event: StreamEvent) => readonly Frame[];

/** A body with its content type. */
export interface WireBody {
  contentType: string;
  body: string;
}

/** A JSON body. A string is taken as encoded JSON. */
export function jsonBody(value: object | string): WireBody {
  return {
    contentType: 'application/json',
    body: typeof value === 'string' ? value : JSON.stringify(value),
  };
}

/** A request as a server sees it. */
export interface IncomingRequest {
  method: string;
  /** Path without the query string. */
  path: string;
  query: URLSearchParams;
  body: string;
}

/** What an encoder needs besides the events. */
export interface AnswerContext {
  /** Id of the answer. */
  id: string;
  model: string;
  /** Unix seconds. An argument, because encoders read no clock. */
  createdSeconds: number;
  /** Milliseconds since the request arrived, for dialects that report it in the stream. Default: always 0. */
  elapsedMs?: () => number;
  /** Id of the agent that answers, for dialects that report it. */
  agentId?: string;
  /** The request, for options that change the answer (`stream_options.include_usage`). */
  request?: ChatRequest;
}

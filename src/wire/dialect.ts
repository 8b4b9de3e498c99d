import type { StreamEvent, StreamEventType } from '../model/events.ts';
import type { ChatRequest, WireRequest } from '../model/request.ts';
import type { Frame, FramingName } from './framing/frame.ts';

/**
 * A dialect: how one kind of API asks for an answer and how it sends it, in both directions, streaming and whole.
 * One file in `wire/` each. Pure: a dialect knows no clock and no socket.
 *
 * Laws, each kept by a test over all dialects: decode(encode(events)) = events; any byte split of a stream gives
 * the same events; garbage gives an `error` event and never throws.
 */
export interface Dialect {
  /** The name used in scenarios and on the command line, such as `openai-chat`. */
  readonly name: string;
  /** One line for `streambench providers`. */
  readonly title: string;
  /** How its stream is cut into frames. */
  readonly framing: FramingName;
  /** The event types that this dialect can express; what else is encoded gives no frame. */
  readonly carries: ReadonlySet<StreamEventType>;
  /** Server side: response headers of a stream beside the content type. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
  /** True where the dialect has no other answer than a stream: a whole answer is the stream, read to its end. */
  readonly wholeIsStream?: true;
  /** Client side: the request, below the API's base URL. */
  request(chat: ChatRequest): WireRequest;
  /** True when `pathname` already ends in this dialect's own path, so that a target URL is to be taken whole. */
  ownsPath(pathname: string): boolean;
  /** Server side: what a request asks for; undefined when it is none of this dialect's. */
  parseRequest(request: IncomingRequest): ChatRequest | undefined;
  /** Client side: a fresh decoder for one streaming response. */
  decoder(): Decoder;
  /** Server side: a fresh encoder for one streaming response. */
  encoder(context: AnswerContext): Encoder;
  /** Client side: the events of one whole, non-streaming answer. Never throws. */
  decodeWhole(body: string): readonly StreamEvent[];
  /** Server side: one whole, non-streaming answer. */
  encodeWhole(events: readonly StreamEvent[], context: AnswerContext): WireBody;
  /** Server side: the body of an HTTP error, in this dialect's own shape. */
  encodeError(status: number, message: string): WireBody;
}

/** Reads the frames of one response. */
export interface Decoder {
  /** The events of a frame, in order. Never throws: what cannot be read is an `error` event with `malformed`. */
  decode(frame: Frame): readonly StreamEvent[];
  /** The body has ended: what was held back until now. `complete` comes here where EOF is the proper end. */
  end(): readonly StreamEvent[];
}

/** Writes the frames of one response. `complete` also gives the terminator. */
export type Encoder = (event: StreamEvent) => readonly Frame[];

/** A body with its content type. */
export interface WireBody {
  contentType: string;
  body: string;
}

/** A JSON body; text is taken as JSON that is already written. */
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

/** What a server must know to dress up an answer. */
export interface AnswerContext {
  /** Id of the answer. */
  id: string;
  model: string;
  /** Unix seconds. An argument, because encoders read no clock. */
  createdSeconds: number;
  /** Milliseconds since the request came in, for dialects that tell it in the stream. Default: always 0. */
  elapsedMs?: () => number;
  /** The request, for what depends on it (`stream_options.include_usage`). */
  request?: ChatRequest;
}

/**
 * streambench, the library: a streaming client that times what it reads, the event model, and the dialects.
 *
 * This entry loads none of the command line's packages.
 */

export type { AnswerStream, TimedEvent } from './client/answer-stream.ts';
export type { Answer, StreamClient } from './client/client.ts';
export { createClient } from './client/client.ts';
export type { ClientOptions, RequestOptions } from './client/client-options.ts';
export type {
  EventDecoders,
  EventSourceSettings,
  EventSourceStream,
  ServerEvent,
  TextEvent,
} from './client/event-source.ts';
export { EventSourceError, eventSource } from './client/event-source.ts';
export { RequestFailure } from './client/request-failure.ts';
export type { ConnectOptions } from './client/transport/connection.ts';
export { measuredDispatcher } from './embed/measured-dispatcher.ts';
export { type Fetch, measuredFetch } from './embed/measured-fetch.ts';
export { type MeasuredObservation, type MeasureOptions, streamingVerdict } from './embed/observing.ts';
export type { DecodeOptions } from './gateway/decode-response.ts';
export { decodeResponse } from './gateway/decode-response.ts';
export type { AnswerEvents, EncodeOptions, ResponseOptions } from './gateway/encode-stream.ts';
export { encodeResponse, encodeStream } from './gateway/encode-stream.ts';
export type { FetchHandler, GatewayOptions } from './gateway/gateway.ts';
export { createGateway, readChatRequest } from './gateway/gateway.ts';
export type { TranscodeOptions } from './gateway/transcode.ts';
export { transcode } from './gateway/transcode.ts';
export type { ResumePolicy } from './model/behaviour.ts';
export type { Clock } from './model/clock.ts';
export { monotonicClock } from './model/clock.ts';
export type { Endpoint } from './model/endpoint.ts';
export type { ErrorCode, ExitCode, Place, Problem } from './model/errors.ts';
export { EXIT, UserError } from './model/errors.ts';
export type {
  AnswerStartEvent,
  CompleteEvent,
  ContentEvent,
  ErrorEvent,
  FinishReason,
  MediaEvent,
  MemoryUpdateEvent,
  MessageChunkEvent,
  MetadataEvent,
  ServerToolCallEvent,
  StartEvent,
  StepCompleteEvent,
  StreamEvent,
  StreamEventType,
  ThinkingEvent,
  ToolCallEvent,
  ToolResultEvent,
  UnknownEvent,
  UsageEvent,
} from './model/events.ts';
export { isContent } from './model/events.ts';
export type { AuthScheme, ConnectionUse, Limits, PinnedName, Timeouts } from './model/plan.ts';
export { DEFAULT_LIMITS, DEFAULT_TIMEOUTS } from './model/plan.ts';
export type {
  ConnectionInfo,
  Mode,
  Observation,
  Outcome,
  OutcomeKind,
  RequestRecord,
  StampSource,
  TimeoutPhase,
  TokenSource,
} from './model/record.ts';
export type { Secret } from './model/redaction/secrets.ts';
export type {
  AnsweredCall,
  AnswerSchema,
  ChatRequest,
  MediaPart,
  Message,
  ReasoningEffort,
  ToolDefinition,
  WireRequest,
} from './model/request.ts';
export type { Marks } from './model/timeline.ts';
export type {
  AnswerContext,
  Decoder,
  Dialect,
  Encoder,
  IncomingRequest,
  WireBody,
} from './wire/dialect.ts';
export type { DialectOptions } from './wire/dialects/index.ts';
export { DIALECT_NAMES, getDialect } from './wire/dialects/index.ts';
export type { Frame, FrameParser, FrameSink, Framing, FramingName } from './wire/framing/framings.ts';
export { FRAMINGS } from './wire/framing/framings.ts';
export type { Provider } from './wire/providers.ts';
export { PROVIDERS } from './wire/providers.ts';
export { checkRequest } from './wire/request-check.ts';
export type { WholeCall } from './wire/whole-answer.ts';
export { answerMessage } from './wire/whole-answer.ts';

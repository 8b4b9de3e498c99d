import type { AnswerStream } from '../client/answer-stream.ts';
import type { RequestOptions } from '../client/client-options.ts';
import { UserError } from '../model/errors.ts';
import type { ChatRequest } from '../model/request.ts';
import type { Dialect } from '../wire/dialect.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { asArray, asObject, asText, parseJson } from '../wire/json.ts';
import { type EncodeOptions, encodeResponse, errorResponse } from './encode-stream.ts';

/** Answers requests of one dialect from a client of another one. */
export interface GatewayOptions extends Pick<EncodeOptions, 'onLost'> {
  /** The dialect that the callers speak: a name, such as `anthropic`, or the dialect. */
  dialect: string | Dialect;
  /** Sends the requests. */
  client: { stream(request: RequestOptions): AnswerStream };
  /** The model that is asked, whatever model the caller names. Default: the caller's. */
  model?: string;
  /**
   * Fields of the callers' requests that may be left out. A request with another field that is not passed on is answered with
   * 400. Default: fields that do not change the answer, such as `metadata`, `user` and `stream_options`.
   */
  ignore?: readonly string[];
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
export function createGateway(options: GatewayOptions): FetchHandler {
  const { client, model, headers, onLost, ignore = NO_EFFECT } = options;
  const dialect = typeof options.dialect === 'string' ? getDialect(options.dialect) : options.dialect;
  const refuse = (message: string) => errorResponse(dialect, { message, code: '400' }, headers);
  return async (request) => {
    const body = await request.text();
    const chat = parse(request, body, dialect);
    if (chat === undefined) return refuse(`this is not a request of the dialect ${dialect.name}`);
    const unread = unreadFields(body, chat, dialect).filter((field) => !ignore.includes(field));
    if (unread.length > 0) {
      return refuse(`this gateway does not pass on ${unread.join(', ')}: remove it from the request`);
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
      return refuse(error.message);
    }
  };
}

/** Fields of requests that do not change the answer. */
const NO_EFFECT: readonly string[] = [
  'metadata',
  'user',
  'safety_identifier',
  'store',
  'stream_options',
  'service_tier',
  'prompt_cache_key',
  'keep_alive',
  'parallel_tool_calls',
];

/** A web request as a request for an answer; undefined if it is not one of the dialect. Reads the body. */
export async function readChatRequest(
  request: Request,
  dialect: string | Dialect,
): Promise<ChatRequest | undefined> {
  return parse(request, await request.text(), typeof dialect === 'string' ? getDialect(dialect) : dialect);
}

function parse({ method, url }: Request, body: string, dialect: Dialect): ChatRequest | undefined {
  const { pathname, searchParams } = new URL(url);
  return dialect.parseRequest({ method, path: pathname, query: searchParams, body });
}

/** The fields of a request, and the parts of its messages, that are not in what was read of it. */
function unreadFields(body: string, chat: ChatRequest, dialect: Dialect): string[] {
  const given = asObject(parseJson(body)) ?? {};
  const written = asObject(parseJson(dialect.request({ ...chat, extra: undefined }).body ?? '')) ?? {};
  const fields = Object.keys(given).filter((key) => {
    const value = given[key];
    const isEmpty = value === null || value === false || (Array.isArray(value) && value.length === 0);
    return !isEmpty && !(key in written) && !LIMIT_NAMES.has(key);
  });
  const parts = [...partTypes(given.messages ?? given.input ?? given.contents)];
  const read = chat.messages.flatMap(({ media = [], toolCalls = [], call }) => [
    ...media,
    ...toolCalls,
    ...(call === undefined ? [] : [call]),
  ]);
  if (parts.length > read.length) fields.push(...new Set(parts.map((type) => `message part ${type}`)));
  return fields;
}

/** Two names of one field: `max_tokens` may be read from the newer one and written as the older one. */
const LIMIT_NAMES: ReadonlySet<string> = new Set(['max_tokens', 'max_completion_tokens']);

/** The types of the parts of messages that are not text, with the tool calls and results beside them. */
function* partTypes(messages: unknown): Generator<string> {
  for (const entry of asArray(messages) ?? []) {
    const message = asObject(entry) ?? {};
    for (const item of asArray(message.tool_calls) ?? []) yield asText(asObject(item)?.type) ?? 'tool_call';
    for (const _ of asArray(message.images) ?? []) yield 'image';
    if (message.role === 'tool') yield 'tool result';
    for (const part of asArray(message.content ?? message.parts) ?? []) {
      const fields = asObject(part) ?? {};
      const type = asText(fields.type) ?? Object.keys(fields)[0] ?? 'text';
      // Reasoning of earlier answers is not sent to other models.
      if (!/text|thinking|reasoning/.test(type) && message.role !== 'tool') yield type;
    }
  }
}

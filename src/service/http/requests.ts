import { z } from 'zod';
import type { Message } from '../../model/request.ts';
import { suggest } from '../../model/suggestions.ts';
import { asArray, asObject, isTooDeep, MAX_JSON_DEPTH, parseJson } from '../../wire/json.ts';
import type { CallerEndpoint } from '../agent/caller-endpoint.ts';
import type { AnswerMode } from '../agent/upstream.ts';
import type { StreamOptions } from '../stream/shape.ts';
import { type FieldProblem, HttpError } from './http-error.ts';

const MAX_MESSAGES = 500;
const MAX_PARTS = 100;
const MAX_PROBLEMS = 20;

// SQLite may cut a text at NUL, and UTF-8 cannot encode half a surrogate pair: neither could be read back unchanged.
const NOT_TEXT = /[\0\p{Surrogate}]/u;

const anyText = z
  .string()
  .refine((value) => !NOT_TEXT.test(value), 'the text contains a NUL or half a surrogate pair');
const text = anyText.min(1);
const part = z.union([anyText, z.object({ text: anyText })]);
const message = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.union([text, z.array(part).min(1).max(MAX_PARTS)]),
});

/** Ids of conversations, agents and projects. */
const nameSchema = z.string().regex(/^[\w.:@-]{1,128}$/, 'use 1 to 128 letters, digits, and . _ : @ -');

/** A model with its address, as playgrounds send it. An empty text is the same as none. */
const modelObject = z.strictObject({
  providerId: z.string().max(128).optional(),
  endpoint: z.string().max(2_048).optional(),
  apiKey: z.string().max(4_096).optional(),
  modelId: z.string().max(128).optional(),
});

const tokens = z.int().min(1).max(1_000_000).optional();

const bodySchema = z
  .strictObject({
    message: text.optional(),
    prompt: text.optional(),
    query: text.optional(),
    content: text.optional(),
    messages: z.array(message).min(1).max(MAX_MESSAGES).optional(),
    session_id: nameSchema.optional(),
    upstream: z.string().min(1).max(128).optional(),
    model: z.union([z.string().min(1).max(128), modelObject]).optional(),
    max_tokens: tokens,
    maxTokens: tokens,
    timeout: z.number().min(1).max(600_000).optional(),
    reasoning_format: z.enum(['events', 'think']).default('events'),
    temperature: z.number().min(0).max(2).optional(),
    stream: z.boolean().optional(),
    resumable: z.boolean().default(false),
    mode: z.enum(['real', 'legacy']).default('real'),
    max_steps: z.int().min(1).max(10).default(4),
    text_buffer_size: z.int().min(0).max(100_000).default(0),
    text_buffer_ms: z.number().min(0).max(10_000).default(0),
    text_delta_delay_ms: z.number().min(0).max(10_000).default(0),
    emit_metadata: z.boolean().default(false),
    emit_memory_updates: z.boolean().default(false),
  })
  .superRefine((body, context) => {
    const { max_tokens: limit = body.maxTokens, maxTokens = limit } = body;
    if (limit !== maxTokens) {
      const message = 'max_tokens and maxTokens differ: give one of them';
      context.addIssue({ code: 'custom', path: ['maxTokens'], message });
    }
    if (typeof body.model !== 'object') return;
    const { endpoint, apiKey, modelId, providerId } = body.model;
    if (apiKey && !endpoint) {
      const message = 'the key is used only with an endpoint: leave it out';
      context.addIssue({ code: 'custom', path: ['model', 'apiKey'], message });
    }
    if (endpoint && !modelId) {
      const message = 'an endpoint needs the name of its model';
      context.addIssue({ code: 'custom', path: ['model', 'modelId'], message });
    }
    if (providerId && body.upstream !== undefined && providerId !== body.upstream) {
      const message = 'upstream and model.providerId differ: give one of them';
      context.addIssue({ code: 'custom', path: ['model', 'providerId'], message });
    }
  })
  .superRefine((body, context) => {
    const given = [body.message, body.prompt, body.query, body.content, body.messages].filter(
      (value) => value !== undefined,
    );
    if (given.length === 1) return;
    const path = ['message'];
    const hint = 'give "message" (or "prompt", "query", "content"), or "messages"';
    context.addIssue({
      code: 'custom',
      path,
      message: given.length === 0 ? hint : `${hint}, and only one of them`,
    });
  });

/** A checked chat request. */
export interface ChatBody {
  /** The conversation as the caller sent it, or a single user message. */
  messages: readonly Message[];
  /** The caller sent the whole conversation, so no history is added. */
  wholeConversation: boolean;
  sessionId?: string;
  upstream?: string;
  model?: string;
  /** An address of the caller's own, instead of an upstream. */
  endpoint?: CallerEndpoint;
  /** Longest time until the end of the answer, in ms. Default: that of the endpoint. */
  timeoutMs?: number;
  /** `think`: reasoning is sent as content between `<think>` and `</think>`. Default: events of their own. */
  reasoningFormat?: 'think';
  maxTokens?: number;
  temperature?: number;
  /** False: a streaming endpoint answers without streaming. */
  stream: boolean;
  /** The answer continues for a while without a client, which can resume it. */
  resumable: boolean;
  mode: AnswerMode;
  /** Most requests to the model for one answer of an agent. */
  maxSteps: number;
  options: StreamOptions;
}

/**
 * Parses the body of a chat request. Throws an `HttpError`: 400 with the invalid fields, 413 for a message with more than
 * `messageLimitBytes` of text.
 */
export function readChatBody(body: string, messageLimitBytes: number): ChatBody {
  const json = parseJson(body);
  if (json === undefined) {
    throw new HttpError(400, 'invalid_json', 'the body is not JSON', {
      problems: [{ path: '', message: problemOf(body) }],
    });
  }
  return checkChatBody(json, messageLimitBytes);
}

/** As `readChatBody`, for a value that has been parsed. `path`: where it is in the body, for the problems. */
export function checkChatBody(json: unknown, messageLimitBytes: number, path = ''): ChatBody {
  refuseLongLists(json);
  const parsed = bodySchema.safeParse(withoutNulls(json));
  if (!parsed.success) throw invalid(parsed.error.issues, path);
  const value = parsed.data;
  const single = value.message ?? value.prompt ?? value.query ?? value.content;
  const messages: Message[] =
    value.messages?.map(({ role, content }) => ({ role, content: plainText(content) })) ??
    (single === undefined ? [] : [{ role: 'user', content: single }]);
  if (messages.some(({ content }) => Buffer.byteLength(content) > messageLimitBytes)) {
    const limit = `a message may have up to ${messageLimitBytes} bytes of text`;
    throw new HttpError(413, 'message_too_large', limit);
  }
  return {
    messages,
    wholeConversation: value.messages !== undefined,
    sessionId: value.session_id,
    ...chosenModel(value),
    timeoutMs: value.timeout,
    reasoningFormat: value.reasoning_format === 'think' ? 'think' : undefined,
    maxTokens: value.max_tokens ?? value.maxTokens,
    temperature: value.temperature,
    stream: value.stream ?? true,
    resumable: value.resumable,
    mode: value.mode,
    maxSteps: value.max_steps,
    options: {
      textBufferSize: value.text_buffer_size,
      textBufferMs: value.text_buffer_ms,
      textDeltaDelayMs: value.text_delta_delay_ms,
      emitMetadata: value.emit_metadata,
      emitMemoryUpdates: value.emit_memory_updates,
    },
  };
}

/** The model of a request, in the short form and in the form with an address. */
function chosenModel({
  upstream,
  model,
}: z.output<typeof bodySchema>): Pick<ChatBody, 'upstream' | 'model' | 'endpoint'> {
  if (typeof model !== 'object') return { upstream, model };
  const { endpoint: url, providerId, apiKey, modelId } = model;
  const name = providerId || undefined;
  return url
    ? { model: modelId, endpoint: { url, apiKey: apiKey || undefined, providerId: name } }
    : { upstream: upstream ?? name, model: modelId || undefined };
}

/** Many clients send null for a field that is not set. */
function withoutNulls(json: unknown): unknown {
  const object = asObject(json);
  if (object === undefined) return json;
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

function problemOf(body: string): string {
  if (isTooDeep(body)) return `nested deeper than ${MAX_JSON_DEPTH} levels`;
  return body.trim() === '' ? 'the body is empty' : 'not JSON';
}

/** Checks an id from the path. Throws an `HttpError` 400. */
export function readName(field: string, value: string): string {
  const parsed = nameSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.map((issue) => ({ ...issue, path: [field] })));
}

type Issue = z.core.$ZodIssue | { code?: undefined; path: PropertyKey[]; message: string };

function invalid(issues: readonly Issue[], under = ''): HttpError {
  const problems = issues
    .flatMap(problemsOf)
    .slice(0, MAX_PROBLEMS)
    .map(({ path, message }) => ({ path: [under, path].filter((part) => part !== '').join('.'), message }));
  const where = problems.map(({ path }) => path || 'the body').join(', ');
  return new HttpError(400, 'invalid_request', `the request is not valid: ${where}`, { problems });
}

/** The problems of an issue: one for each unknown field. */
function problemsOf(issue: Issue): FieldProblem[] {
  const { path, message } = issue;
  const at = (more: readonly PropertyKey[]) => [...path, ...more].map(String).join('.');
  switch (issue.code) {
    case 'unrecognized_keys': {
      const known = Object.keys((path.length === 0 ? bodySchema : modelObject).shape);
      return issue.keys.slice(0, MAX_PROBLEMS).map((key) => ({
        path: at([key.slice(0, 64)]),
        message: `unknown field; ${suggest(key.slice(0, 64), known)}`,
      }));
    }
    case 'invalid_union': {
      // The problems inside an object are more useful than those of the text that it is not.
      const inside = issue.errors.find((each) =>
        each.some((one) => one.path.length > 0 || one.code === 'unrecognized_keys'),
      );
      if (path[0] !== 'model' || inside === undefined) return [{ path: at([]), message }];
      return inside.flatMap((one) => problemsOf({ ...one, path: [...path, ...one.path] }));
    }
    default:
      return [{ path: at([]), message }];
  }
}

/** Refuses lists that are too long before zod reads them: it would check every item and create an issue for each. */
function refuseLongLists(json: unknown): void {
  const messages = asArray(asObject(json)?.messages);
  if (messages === undefined) return;
  if (messages.length > MAX_MESSAGES) {
    throw invalid([{ path: ['messages'], message: `there are more than ${MAX_MESSAGES} messages` }]);
  }
  const long = messages.findIndex((item) => (asArray(asObject(item)?.content)?.length ?? 0) > MAX_PARTS);
  if (long !== -1) {
    const message = `there are more than ${MAX_PARTS} parts`;
    throw invalid([{ path: ['messages', long, 'content'], message }]);
  }
}

function plainText(content: string | readonly (string | { text: string })[]): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (typeof part === 'string' ? part : part.text)).join('');
}

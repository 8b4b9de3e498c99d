import { z } from 'zod';
import type { Message } from '../../model/request.ts';
import { asArray, asObject, isTooDeep, MAX_JSON_DEPTH, parseJson } from '../../wire/json.ts';
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

const bodySchema = z
  .object({
    message: text.optional(),
    prompt: text.optional(),
    query: text.optional(),
    content: text.optional(),
    messages: z.array(message).min(1).max(MAX_MESSAGES).optional(),
    session_id: nameSchema.optional(),
    upstream: z.string().min(1).max(128).optional(),
    model: z.string().min(1).max(128).optional(),
    max_tokens: z.int().min(1).max(1_000_000).optional(),
    temperature: z.number().min(0).max(2).optional(),
    stream: z.boolean().optional(),
    mode: z.enum(['real', 'legacy']).default('real'),
    max_steps: z.int().min(1).max(10).default(4),
    text_buffer_size: z.int().min(0).max(100_000).default(0),
    text_delta_delay_ms: z.number().min(0).max(10_000).default(0),
    emit_metadata: z.boolean().default(false),
    emit_memory_updates: z.boolean().default(false),
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
  maxTokens?: number;
  temperature?: number;
  /** False: a streaming endpoint answers without streaming. */
  stream: boolean;
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
  refuseLongLists(json);
  const parsed = bodySchema.safeParse(json);
  if (!parsed.success) throw invalid(parsed.error.issues);
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
    upstream: value.upstream,
    model: value.model,
    maxTokens: value.max_tokens,
    temperature: value.temperature,
    stream: value.stream ?? true,
    mode: value.mode,
    maxSteps: value.max_steps,
    options: {
      textBufferSize: value.text_buffer_size,
      textDeltaDelayMs: value.text_delta_delay_ms,
      emitMetadata: value.emit_metadata,
      emitMemoryUpdates: value.emit_memory_updates,
    },
  };
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

function invalid(issues: readonly { path: PropertyKey[]; message: string }[]): HttpError {
  const problems: FieldProblem[] = issues.slice(0, MAX_PROBLEMS).map(({ path, message }) => ({
    path: path.map(String).join('.'),
    message,
  }));
  const where = problems.map(({ path }) => path || 'the body').join(', ');
  return new HttpError(400, 'invalid_request', `the request is not valid: ${where}`, { problems });
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

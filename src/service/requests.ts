import { z } from 'zod';
import type { Message } from '../model/request.ts';
import { parseJson } from '../wire/json.ts';
import { type FieldProblem, HttpError } from './http-error.ts';
import type { StreamOptions } from './shape.ts';
import type { AnswerMode } from './upstream.ts';

const MAX_TEXT = 200_000;

const text = z.string().min(1).max(MAX_TEXT);
const part = z.union([z.string().max(MAX_TEXT), z.object({ text: z.string().max(MAX_TEXT) })]);
const message = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.union([text, z.array(part).min(1).max(100)]),
});

/** Names of conversations, agents and projects. */
export const nameSchema = z
  .string()
  .regex(/^[\w.:@-]{1,128}$/, 'use 1 to 128 letters, digits, and . _ : @ -');

const bodySchema = z
  .object({
    message: text.optional(),
    prompt: text.optional(),
    query: text.optional(),
    content: text.optional(),
    messages: z.array(message).min(1).max(500).optional(),
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
    const wish = 'give "message" (or "prompt", "query", "content"), or "messages"';
    context.addIssue({
      code: 'custom',
      path,
      message: given.length === 0 ? wish : `${wish}, and only one of them`,
    });
  });

/** What a caller asks for, checked and in our own words. */
export interface ChatBody {
  /** The conversation so far as the caller tells it; a single user message where the body had one. */
  messages: readonly Message[];
  /** The caller sent the whole conversation, so nothing is added to it from the store. */
  wholeConversation: boolean;
  sessionId?: string;
  upstream?: string;
  model?: string;
  maxTokens?: number;
  temperature?: number;
  /** False when a whole answer is wanted from a streaming endpoint. */
  stream: boolean;
  mode: AnswerMode;
  /** Questions to the model at most, for agents. */
  maxSteps: number;
  options: StreamOptions;
}

/** Reads the body of a chat request. Throws an `HttpError` 400 that names every field that is wrong. */
export function readChatBody(body: string): ChatBody {
  const json = parseJson(body);
  if (json === undefined) {
    throw new HttpError(400, 'invalid_json', 'the body is not JSON', {
      problems: [{ path: '', message: body.trim() === '' ? 'the body is empty' : 'not JSON' }],
    });
  }
  const parsed = bodySchema.safeParse(json);
  if (!parsed.success) throw invalid(parsed.error.issues);
  const value = parsed.data;
  const single = value.message ?? value.prompt ?? value.query ?? value.content;
  const messages: Message[] =
    value.messages?.map(({ role, content }) => ({ role, content: plainText(content) })) ??
    (single === undefined ? [] : [{ role: 'user', content: single }]);
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

/** Checks a name that came in the path or the query. Throws an `HttpError` 400. */
export function readName(field: string, value: string): string {
  const parsed = nameSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.map((issue) => ({ ...issue, path: [field] })));
}

function invalid(issues: readonly { path: PropertyKey[]; message: string }[]): HttpError {
  const problems: FieldProblem[] = issues.map(({ path, message }) => ({
    path: path.map(String).join('.'),
    message,
  }));
  const where = problems.map(({ path }) => path || 'the body').join(', ');
  return new HttpError(400, 'invalid_request', `the request is not valid: ${where}`, { problems });
}

function plainText(content: string | readonly (string | { text: string })[]): string {
  if (typeof content === 'string') return content;
  return content.map((part) => (typeof part === 'string' ? part : part.text)).join('');
}

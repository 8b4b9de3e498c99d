import type { CompleteEvent, FinishReason } from '../model/events.ts';
import type { ChatRequest, Message, WireRequest } from '../model/request.ts';
import { asArray, asCount, asNumber, asObject, asText, type Json, mergePatch } from './json.ts';

// Shared by the chat dialects.

/** A provider's finish reasons mapped to ours. The encoder writes the first word that maps to a reason. */
export type FinishWords = Readonly<Record<string, FinishReason>>;

const OWN_WORDS: FinishWords = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  error: 'error',
};

/** Maps a provider's finish reason to ours; `other` for an unknown one. */
export function finishOf(table: FinishWords, raw: string): FinishReason {
  return ownValue(table, raw) ?? ownValue(OWN_WORDS, raw) ?? 'other';
}

function ownValue(table: FinishWords, word: string): FinishReason | undefined {
  return Object.hasOwn(table, word) ? table[word] : undefined;
}

/** The provider's word for a finish reason: `raw` where it maps to the same reason, else the first in the table. */
export function finishWord(table: FinishWords, { finish, raw }: CompleteEvent): string {
  if (raw !== undefined && finishOf(table, raw) === finish) return raw;
  for (const word in table) if (table[word] === finish) return word;
  return finish;
}

/**
 * A POST with a JSON body. The request's `extra` fields are merged in last. Fields whose value is undefined are omitted.
 * `accept`: the media type of a stream.
 */
export function post(
  path: string,
  chat: ChatRequest,
  body: Json,
  { accept = 'text/event-stream', stream = chat.stream }: { accept?: string; stream?: boolean } = {},
): WireRequest {
  return {
    method: 'POST',
    path,
    headers: { 'content-type': 'application/json', accept: stream ? accept : 'application/json' },
    body: JSON.stringify(chat.extra === undefined ? body : mergePatch(body, chat.extra)),
  };
}

/** The request fields in which providers of OpenAI's API differ; undefined for fields that are not sent. */
export function differingFields({ maxTokens, stream, fields = {} }: ChatRequest): Json {
  const { maxTokens: limit = 'max_tokens', usage = 'stream_options' } = fields;
  return {
    [limit]: maxTokens,
    stream_options: stream && usage === 'stream_options' ? { include_usage: true } : undefined,
  };
}

/** The object; undefined where none of its fields has a value. */
export function unlessEmpty(fields: Json): Json | undefined {
  return Object.values(fields).some((value) => value !== undefined) ? fields : undefined;
}

/** The messages of a chat request body. Content may be text or a list of text parts. */
export function chatMessages(value: unknown): Message[] | undefined {
  const list = asArray(value);
  if (list === undefined) return undefined;
  return list.map((entry) => {
    const message = asObject(entry);
    const role = message?.role === 'system' || message?.role === 'assistant' ? message.role : 'user';
    return { role, content: textOf(message?.content) };
  });
}

/** A content value as text: a string, or a list of strings and `{ text }` parts, concatenated. */
export function textOf(content: unknown): string {
  const parts = asArray(content)?.map((part) => asText(part) ?? asText(asObject(part)?.text) ?? '');
  return parts?.join('') ?? asText(content) ?? '';
}

/** A conversation as one prompt, for APIs that take a single text. A single message is not changed. */
export function promptText(messages: ChatRequest['messages']): string {
  return messages.map((message) => message.content).join('\n\n');
}

/**
 * Numbers the tool calls of one answer. Servers send an index, no index (Mistral), index 0 for every call (Cerebras), or
 * an empty id on later pieces (Alibaba). A new id at an index that is in use starts a new call.
 */
export class ToolCallIndex {
  private readonly calls: { id: string | undefined }[] = [];
  /** The index as sent -> our index of the last call with it. */
  private readonly indexes = new Map<number, number>();

  /** Our index, from 0, of the call that a piece belongs to. */
  indexOf(sent: number | undefined, id: string | undefined, name: string | undefined): number {
    let at = sent === undefined ? this.calls.length - 1 : (this.indexes.get(sent) ?? -1);
    const known = this.calls[at];
    const another = id !== undefined && known?.id !== undefined && known.id !== id;
    // Without index and id, a name marks the start of a call.
    const anonymous = sent === undefined && id === undefined && name !== undefined;
    if (known === undefined || another || anonymous) {
      at = this.calls.push({ id }) - 1;
      if (sent !== undefined) this.indexes.set(sent, at);
    } else if (known.id === undefined) {
      known.id = id;
    }
    return at;
  }
}

/** The fields of a request body that several dialects spell alike. A body without `stream: true` asks for a whole answer. */
export function commonFields(json: Json) {
  return {
    model: asText(json.model),
    maxTokens: asCount(json.max_tokens),
    temperature: asNumber(json.temperature),
    stream: json.stream === true,
  };
}

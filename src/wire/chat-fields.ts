import type { CompleteEvent, FinishReason } from '../model/events.ts';
import type { ChatRequest, Message, WireRequest } from '../model/request.ts';
import { asArray, asObject, asText, type Json, mergePatch } from './json.ts';

/** What the chat dialects have in common. */

/** A provider's words for the reasons to stop. The first word of a reason is the one that is written. */
export type FinishWords = Readonly<Record<string, FinishReason>>;

const OWN_WORDS: FinishWords = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  content_filter: 'content_filter',
  error: 'error',
};

/** The finish reason in our vocabulary; a word that neither the table nor we know is `other`. */
export function finishOf(table: FinishWords, raw: string): FinishReason {
  if (Object.hasOwn(table, raw)) return table[raw]!;
  return Object.hasOwn(OWN_WORDS, raw) ? OWN_WORDS[raw]! : 'other';
}

/** The provider's word for a finish: the raw one where it is the provider's own, else the table's first for it. */
export function finishWord(table: FinishWords, { finish, raw }: CompleteEvent): string {
  if (raw !== undefined && finishOf(table, raw) === finish) return raw;
  for (const word in table) if (table[word] === finish) return word;
  return finish;
}

/**
 * A POST of a JSON body, with the request's `extra` fields merged in last. Keys whose value is undefined are left out.
 * `accept` is the media type of a stream.
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

/** The fields of OpenAI's own APIs and their like in which providers differ; `undefined` for one that is not sent. */
export function differingFields({ maxTokens, stream, fields = {} }: ChatRequest): Json {
  const { maxTokens: limit = 'max_tokens', usage = 'stream_options' } = fields;
  return {
    [limit]: maxTokens,
    stream_options: stream && usage === 'stream_options' ? { include_usage: true } : undefined,
  };
}

/** The messages of a chat request body, content given as text or as a list of text parts. */
export function chatMessages(value: unknown): Message[] | undefined {
  const list = asArray(value);
  if (list === undefined) return undefined;
  return list.map((entry) => {
    const message = asObject(entry);
    const role = message?.role === 'system' || message?.role === 'assistant' ? message.role : 'user';
    return { role, content: textOf(message?.content) };
  });
}

/** A content value as text: a string, or a list of strings and `{ text }` parts, joined. */
export function textOf(content: unknown): string {
  const parts = asArray(content)?.map((part) => asText(part) ?? asText(asObject(part)?.text) ?? '');
  return parts?.join('') ?? asText(content) ?? '';
}

/** A conversation as one prompt, for APIs that take a single text. One message is sent as it is. */
export function promptText(messages: ChatRequest['messages']): string {
  return messages.map((message) => message.content).join('\n\n');
}

/**
 * Numbers the tool calls of one answer. Servers send an index, or none (Mistral), or 0 for every call (Cerebras), or
 * an empty id on later pieces (Alibaba): a new id at a place already taken is a new call.
 */
export class ToolCallIndex {
  private readonly calls: { id: string | undefined }[] = [];
  /** Index that was sent -> place of the last call that it was sent with. */
  private readonly places = new Map<number, number>();

  place(sent: number | undefined, id: string | undefined, name: string | undefined): number {
    let at = sent === undefined ? this.calls.length - 1 : (this.places.get(sent) ?? -1);
    const known = this.calls[at];
    const another = id !== undefined && known?.id !== undefined && known.id !== id;
    // Without index and id, a piece with a name begins a call of its own.
    const anonymous = sent === undefined && id === undefined && name !== undefined;
    if (known === undefined || another || anonymous) {
      at = this.calls.push({ id }) - 1;
      if (sent !== undefined) this.places.set(sent, at);
    } else if (known.id === undefined) {
      known.id = id;
    }
    return at;
  }
}

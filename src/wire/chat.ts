import type { FinishReason } from '../model/events.ts';
import type { Message } from '../model/request.ts';
import { asArray, asObject, asText } from './json.ts';

/** What the chat dialects have in common. */

/** The finish reason in our vocabulary; a word that is not in the table is `other`. */
export function finishOf(table: Readonly<Record<string, FinishReason>>, raw: string): FinishReason {
  return Object.hasOwn(table, raw) ? table[raw]! : 'other';
}

/** The messages of a chat request body, content given as text or as a list of text parts. */
export function chatMessages(value: unknown): Message[] | undefined {
  const list = asArray(value);
  if (list === undefined) return undefined;
  return list.map((entry) => {
    const message = asObject(entry);
    const role = message?.role === 'system' || message?.role === 'assistant' ? message.role : 'user';
    const parts = asArray(message?.content)?.map((part) => asText(asObject(part)?.text) ?? '');
    return { role, content: parts?.join('') ?? asText(message?.content) ?? '' };
  });
}

/**
 * Numbers the tool calls of one answer. Servers send an index, or none (Mistral), or 0 for every call (Cerebras), or
 * an empty id on later pieces (Alibaba): a new id at a place already taken is a new call.
 */
export class ToolCallIndex {
  private readonly calls: { id: string | undefined; sent: number | undefined }[] = [];

  place(sent: number | undefined, id: string | undefined, name: string | undefined): number {
    const last = this.calls.length - 1;
    let at = sent === undefined ? last : this.calls.findLastIndex((call) => call.sent === sent);
    const known = this.calls[at];
    const another = id !== undefined && known?.id !== undefined && known.id !== id;
    // Without index and id, a piece with a name begins a call of its own.
    const anonymous = sent === undefined && id === undefined && name !== undefined;
    if (known === undefined || another || anonymous) {
      at = this.calls.push({ id, sent }) - 1;
    } else if (known.id === undefined) {
      known.id = id;
    }
    return at;
  }
}

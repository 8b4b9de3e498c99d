/** A short text of its own in front of each prompt, so that no two requests share a prefix that a server could cache. */

/** Characters of a nonce: digits and lower-case letters. */
export const NONCE_LENGTH = 8;

// An empty line between nonce and prompt: a model takes it for a reference number.
const SEPARATOR = '\n\n';

/** Characters by which a nonce makes a prompt longer. */
export const NONCE_PREFIX_LENGTH = NONCE_LENGTH + SEPARATOR.length;

/** The messages with a nonce at the very beginning: in the first system message, or without one in the first message. */
export function withNonce(messages: readonly Message[], nonce: string): readonly Message[] {
  const system = messages.findIndex(({ role }) => role === 'system');
  const first = Math.max(0, system);
  return messages.map((message, index) =>
    index === first ? { ...message, content: `${nonce}${SEPARATOR}${message.content}` } : message,
  );
}

/** A message's text without the nonce that `withNonce` put in front of it. */
export function withoutNonce(text: string): string {
  return text.replace(/^[0-9a-z]{8}\n\n/, '');
}

/** What is asked of a model, before any wire format has put it into its own words. */

/** One message of a conversation. */
export interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** The fields in which providers of one dialect differ. */
export interface RequestFields {
  /** The field that limits the answer's length. Default: `max_tokens`. */
  maxTokens?: 'max_tokens' | 'max_completion_tokens';
  /** The field that asks a stream for its token counts; `none` sends no such field. Default: `stream_options`. */
  usage?: 'stream_options' | 'none';
}

/** A request for an answer, in no provider's words. */
export interface ChatRequest {
  /** The model's name as the provider knows it. Plain endpoints have none. */
  model?: string;
  messages: readonly Message[];
  /** Upper limit of the answer's length in tokens. Default: the provider's. */
  maxTokens?: number;
  /** Sampling temperature. Default: the provider's. */
  temperature?: number;
  /**
   * A short text that no other request has. It goes to the very beginning of the prompt (see `withNonce`), or where a body
   * template has `{{nonce}}`. Default: none, and equal prompts are equal bytes.
   */
  nonce?: string;
  /** True for a stream, false for one whole answer. */
  stream: boolean;
  /** Which of the differing fields the provider takes. */
  fields?: RequestFields;
  /** Further fields of the request body, applied last as a JSON Merge Patch: objects are merged, `null` removes a field. */
  extra?: Readonly<Record<string, unknown>>;
}

/** A request in a wire format's words. `path` is below the API's base URL and starts with a slash, or is empty. */
export interface WireRequest {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body?: string;
}

import type { Message } from './request.ts';

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

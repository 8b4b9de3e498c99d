// Providers count reasoning tokens as output even if they do not send the reasoning. OpenAI sends nothing or a summary, Gemini
// and xAI send summaries, most open models send all of it. The protocols do not mark a summary as such, so the length of the
// text decides. In recorded streams, complete reasoning has 2.3 to 5 characters per token (English), at least as many as the
// answer; a summary has 0.07 to 3.4 characters per token, at most half as many as the answer.

/** A typical token in twelfths: a Latin letter counts 3, a letter of another alphabet 6, a Chinese character 8. */
export const USUAL_TOKEN = 12;

/** Counts of one complete answer. Lengths are in the unit of `usualLength`. */
export interface ReasoningFacts {
  /** Output tokens by the provider's count, reasoning included. */
  output: number;
  /** Reasoning tokens by the provider's count. */
  reasoning: number;
  /** Length of the reasoning text. */
  thinkingLength: number;
  /** Length of all other content: answer text and tool calls. */
  otherLength: number;
}

/** Complete reasoning has at least this share of the length that its tokens would have in the answer. */
const SHOWN_SHARE = 0.6;
/** An answer with fewer tokens is too short to derive the length of a token from it. */
const ENOUGH_TOKENS = 32;
/** Assumed length of a token in short answers: 3.2 English characters. */
const SHORT_ANSWER_LENGTH = 0.8 * USUAL_TOKEN;
/** Bounds of the length of a token derived from an answer: its tokens may include more than its text. */
const MIN_LENGTH = 0.5 * USUAL_TOKEN;
const MAX_LENGTH = 1.5 * USUAL_TOKEN;

/**
 * Reasoning tokens that were generated but not sent as text: all of them or none. If the text is too short for the number of
 * reasoning tokens, it is a summary, and none of them was sent.
 */
export function hiddenReasoning({ output, reasoning, thinkingLength, otherLength }: ReasoningFacts): number {
  if (thinkingLength === 0) return reasoning;
  const other = output - reasoning;
  const length =
    other < ENOUGH_TOKENS
      ? SHORT_ANSWER_LENGTH
      : Math.min(MAX_LENGTH, Math.max(MIN_LENGTH, otherLength / other));
  return thinkingLength < SHOWN_SHARE * length * reasoning ? reasoning : 0;
}

// Code units from here on are Chinese, Japanese, Korean, and emoji.
const FIRST_CJK = 0x2e80;
const FIRST_BEYOND_LATIN = 0x250;

/**
 * Estimated tokens of a text, in twelfths: to compare two texts of one model that may be in different languages. A token is
 * four Latin letters, two letters of other alphabets, or one and a half Chinese, Japanese or Korean characters. HOT PATH:
 * called for each chunk; integers, because adding fractions would allocate.
 */
export function usualLength(text: string): number {
  let length = 3 * text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= FIRST_BEYOND_LATIN) length += code < FIRST_CJK ? 3 : 5;
  }
  return length;
}

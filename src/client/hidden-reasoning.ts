// Providers count reasoning as output, also what they do not send. OpenAI sends none of it or a summary, Gemini and xAI send
// summaries, most open models send all of it. Nothing in the wire formats tells a summary from the reasoning itself, so the
// length of the text decides. In recorded streams, reasoning that is sent whole has 2.3 to 5 characters a token (English),
// and per token as many as the answer has or more; a summary has 0.07 to 3.4, and per token at most half of the answer's.

/** Twelfths make one usual token: of these a Latin letter has 3, one of another alphabet 6, a Chinese character 8. */
export const USUAL_TOKEN = 12;

/** What is known of one answer when it is over. Texts are measured by `usualLength`. */
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

/** The text of the reasoning is at least this share of the length that its tokens would have in the answer. */
const SHOWN_SHARE = 0.6;
/** With fewer tokens an answer does not tell how long the text of a token is. */
const ENOUGH_TOKENS = 32;
/** The length of a token in short answers: 3.2 English characters. */
const SHORT_ANSWER_LENGTH = 0.8 * USUAL_TOKEN;
/** An answer's own length of a token is believed within these bounds: an answer may hold more than its text. */
const MIN_LENGTH = 0.5 * USUAL_TOKEN;
const MAX_LENGTH = 1.5 * USUAL_TOKEN;

/**
 * Reasoning tokens that were generated but not sent as text: all of them or none. Where the text is too short to be the
 * reasoning, it is a summary of it, and none of the reasoning tokens was sent.
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

// Code units at and above this are Chinese, Japanese, Korean, and emoji.
const FIRST_CJK = 0x2e80;
const FIRST_BEYOND_LATIN = 0x250;

/**
 * About how many tokens a text is, in twelfths: for comparing two texts of one model that may be in two languages. Four
 * Latin letters are a token, two of other alphabets, one and a half of Chinese, Japanese and Korean. HOT PATH: called for
 * each piece, and whole numbers add up without making objects.
 */
export function usualLength(text: string): number {
  let length = 3 * text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= FIRST_BEYOND_LATIN) length += code < FIRST_CJK ? 3 : 5;
  }
  return length;
}

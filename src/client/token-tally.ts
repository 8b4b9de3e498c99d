import type { ServerToolCallEvent, ToolCallEvent, UsageEvent } from '../model/events.ts';
import type { Mode, Observation } from '../model/record.ts';

/** Counts the characters and the tokens of one answer, and how many of the tokens were visible. HOT PATH. */
export class TokenTally {
  /** Characters of answer text and of reasoning. */
  readonly chars = { answer: 0, thinking: 0 };
  private toolChars = 0;
  /** Length of the reasoning and of all other content, in the unit of `usualLength`. */
  private readonly length = { thinking: 0, other: 0 };
  private readonly first = new FirstRead();
  /** The same for content other than reasoning. */
  private firstOther = new FirstRead();
  /** Counts of the current frame. */
  private frame = { chars: 0, otherChars: 0, hasOther: false };
  private usage: UsageEvent | undefined;

  addAnswer(text: string): void {
    this.chars.answer += text.length;
    this.addOther(text, text.length);
  }

  addThinking(text: string): void {
    this.chars.thinking += text.length;
    this.length.thinking += usualLength(text);
    this.frame.chars += text.length;
  }

  addTool(piece: ToolCallEvent | ServerToolCallEvent): void {
    const size = piece.arguments.length + (piece.name?.length ?? 0);
    this.toolChars += size;
    this.addOther(piece.arguments, size);
  }

  /** Audio or an image: content whose size is unrelated to its tokens. */
  addMedia(): void {
    this.frame.hasOther = true;
  }

  addUsage(usage: UsageEvent): void {
    this.usage = { ...this.usage, ...usage };
  }

  /** The text so far was reasoning, not answer, except its last `strip` characters, which are markup. */
  startAnswer(strip: number): void {
    const { chars, length, frame } = this;
    chars.thinking += Math.max(0, chars.answer - strip);
    chars.answer = 0;
    length.thinking += length.other;
    length.other = 0;
    this.firstOther = new FirstRead();
    frame.otherChars = 0;
    frame.hasOther = false;
  }

  /** A frame with content ended. It came with read number `read` at `at`. */
  endFrame(at: number, read: number): void {
    const { frame } = this;
    this.first.add(at, read, frame.chars);
    if (frame.hasOther) this.firstOther.add(at, read, frame.otherChars);
    frame.chars = 0;
    frame.otherChars = 0;
    frame.hasOther = false;
  }

  /** The token counts of the answer. Without usage, the `contentEvents` of a stream are counted as its tokens. */
  tokens(mode: Mode, contentEvents: number): Observation['tokens'] {
    const { usage = {} as Partial<UsageEvent>, chars } = this;
    const { inputTokens, outputTokens, reasoningTokens, cachedInputTokens, refused } = usage;
    const hidden = this.hidden();
    const whole = mode === 'non-streaming';
    const output = outputTokens ?? (whole || contentEvents === 0 ? null : contentEvents);
    const tokens: Observation['tokens'] = { output, source: outputTokens === undefined ? 'chunks' : 'usage' };
    if (inputTokens !== undefined) tokens.input = inputTokens;
    if (reasoningTokens !== undefined) tokens.reasoning = reasoningTokens;
    if (cachedInputTokens !== undefined) tokens.cachedInput = cachedInputTokens;
    if (hidden !== undefined) tokens.hiddenReasoning = hidden;
    if (refused !== undefined) tokens.refused = [...refused];
    if (output === null || contentEvents === 0 || whole) return tokens;

    // Neither the text of a summary nor its time counts for visible tokens: they begin with the first other content.
    const isSummary = !!hidden && chars.thinking > 0 && this.firstOther.events > 0;
    const from = isSummary ? this.firstOther : this.first;
    if (isSummary) tokens.visibleAfterMs = from.at - this.first.at;
    // The tokens of the first read are not part of the time after it. Estimated by its share of the characters; without
    // usage, by its events.
    const total = chars.answer + this.toolChars + (isSummary ? 0 : chars.thinking);
    const visible = Math.max(0, output - (hidden ?? 0));
    tokens.first = outputTokens === undefined || total === 0 ? from.events : (visible * from.chars) / total;
    return tokens;
  }

  private addOther(text: string, chars: number): void {
    this.length.other += usualLength(text);
    this.frame.chars += chars;
    this.frame.otherChars += chars;
    this.frame.hasOther = true;
  }

  private hidden(): number | undefined {
    const { outputTokens: output, reasoningTokens: reasoning } = this.usage ?? {};
    if (output === undefined || reasoning === undefined) return undefined;
    const { thinking: thinkingLength, other: otherLength } = this.length;
    return hiddenReasoning({ output, reasoning, thinkingLength, otherLength });
  }
}

/** The content events of one kind in the first read that had any. */
class FirstRead {
  at = 0;
  events = 0;
  chars = 0;
  private read = -1;

  /** Adds a content event; those of later reads are ignored. */
  add(at: number, read: number, chars: number): void {
    if (this.events === 0) {
      this.at = at;
      this.read = read;
    } else if (read !== this.read) return;
    this.events++;
    this.chars += chars;
  }
}

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

import type { ServerToolCallEvent, ToolCallEvent, UsageEvent } from '../model/events.ts';
import type { Mode, Observation } from '../model/record.ts';
import { hiddenReasoning, usualLength } from './hidden-reasoning.ts';

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

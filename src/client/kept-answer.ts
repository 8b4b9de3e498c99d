import type { ServerToolCallEvent, ToolCallEvent } from '../model/events.ts';
import type { Observation } from '../model/record.ts';

/** Text, reasoning and tool calls together: as many characters are kept. */
const MOST_KEPT_CHARS = 16 * 2 ** 20;

/** The texts of one answer, where they are to be kept. A stream without end is cut: its beginning is kept. */
export class KeptText {
  private readonly keep: boolean;
  private readonly most: number;
  private answer = '';
  private thinking = '';
  private tool = '';
  private chars = 0;

  constructor(keep: boolean, most = MOST_KEPT_CHARS) {
    this.keep = keep;
    this.most = most;
  }

  addAnswer(text: string): void {
    if (this.keep) this.answer += this.room(text);
  }

  addThinking(text: string): void {
    if (this.keep) this.thinking += this.room(text);
  }

  addTool({ name = '', arguments: args }: ToolCallEvent | ServerToolCallEvent): void {
    if (this.keep) this.tool += this.room(`${name}${args}`);
  }

  /** What was taken for the answer was reasoning, but for its last `strip` characters, which are no text. */
  startAnswer(strip: number): void {
    this.thinking += this.answer.slice(0, Math.max(0, this.answer.length - strip));
    this.answer = '';
  }

  /** The fields of an observation. */
  fields(): Pick<Observation, 'text' | 'thinking' | 'toolText' | 'textCut'> {
    return {
      ...(this.keep && { text: this.answer }),
      ...(this.thinking !== '' && { thinking: this.thinking }),
      ...(this.tool !== '' && { toolText: this.tool }),
      ...(this.chars > this.most && { textCut: true as const }),
    };
  }

  /** As much of a text as there is room for. */
  private room(text: string): string {
    this.chars += text.length;
    return this.chars <= this.most
      ? text
      : text.slice(0, Math.max(0, text.length - (this.chars - this.most)));
  }
}

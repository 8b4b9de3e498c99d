import type { StreamEvent } from '../model/events.ts';

/** What an encoder does when the answer passes from one block to the next. */
export interface Passage {
  /** Number of the block that the event belongs to. */
  index: number;
  /** True when the block begins with this event. */
  opened: boolean;
  /** The block that ends before this event. */
  closed?: { index: number; kind: BlockKind };
}

/** A run of answer text, a run of reasoning, or one tool call. */
export type BlockKind = 'text' | 'thinking' | 'tool';

/** Numbers the blocks of an answer, for dialects that wrap runs of like events into blocks with a start and a stop. */
export class Blocks {
  private count = 0;
  private open: { index: number; kind: BlockKind; call?: number } | undefined;

  /** The passage that leads to this event; undefined for events that are in no block. */
  enter(event: StreamEvent): Passage | undefined {
    const kind = KIND[event.type];
    if (kind === undefined) return undefined;
    const call = event.type === 'tool_call' ? event.index : undefined;
    const current = this.open;
    if (current !== undefined && current.kind === kind && current.call === call) {
      return { index: current.index, opened: false };
    }
    const index = this.count++;
    this.open = call === undefined ? { index, kind } : { index, kind, call };
    return current === undefined ? { index, opened: true } : { index, opened: true, closed: current };
  }

  /** Ends the open block, if there is one. */
  leave(): { index: number; kind: BlockKind } | undefined {
    const current = this.open;
    this.open = undefined;
    return current;
  }
}

const KIND: Partial<Record<StreamEvent['type'], BlockKind>> = {
  message_chunk: 'text',
  thinking: 'thinking',
  tool_call: 'tool',
};

import type { StreamEvent } from '../model/events.ts';

/** Which block an event belongs to, and which blocks start and end with it. */
export interface BlockTransition {
  /** Index of the block that the event belongs to, from 0. */
  index: number;
  /** True for the first event of the block. */
  opened: boolean;
  /** The block that ends before this event. */
  closed?: { index: number; kind: BlockKind };
}

/** A block is consecutive answer text, consecutive reasoning, or one tool call. */
export type BlockKind = 'text' | 'thinking' | 'tool';

/** Numbers the blocks of an answer, for dialects that send a start and a stop for each block. */
export class BlockTracker {
  private count = 0;
  private open: { index: number; kind: BlockKind; call?: number } | undefined;

  /** The transition at this event; undefined for events outside blocks. */
  enter(event: StreamEvent): BlockTransition | undefined {
    const kind = KIND[event.type];
    if (kind === undefined) return undefined;
    const call = event.type === 'tool_call' ? event.index : undefined;
    const current = this.open;
    if (current !== undefined && current.kind === kind && current.call === call) {
      return { index: current.index, opened: false };
    }
    const index = this.count++;
    this.open = { index, kind, call };
    return { index, opened: true, closed: current };
  }

  /** Ends and returns the open block, if any. */
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

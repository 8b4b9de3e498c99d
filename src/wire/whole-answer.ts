import type { CompleteEvent, ErrorEvent, StreamEvent, ToolCallEvent, UsageEvent } from '../model/events.ts';
import { parseJson } from './json.ts';

/** Stream events put together again: what a whole answer, or a dialect that sends calls whole, has to write. */

/** One tool call, whole. */
export interface WholeCall {
  index: number;
  id?: string;
  name?: string;
  /** JSON text. */
  arguments: string;
}

/** All that the events of one answer say. */
export interface GatheredAnswer {
  text: string;
  thinking: string;
  calls: WholeCall[];
  /** The last value stated for each field. */
  usage?: UsageEvent;
  complete?: CompleteEvent;
  error?: ErrorEvent;
}

/** The answer that the events make up. */
export function gather(events: readonly StreamEvent[]): GatheredAnswer {
  const answer: GatheredAnswer = { text: '', thinking: '', calls: [] };
  const calls = new Map<number, WholeCall>();
  for (const event of events) {
    switch (event.type) {
      case 'message_chunk':
        answer.text += event.text;
        break;
      case 'thinking':
        answer.thinking += event.text;
        break;
      case 'answer_start':
        answer.thinking += answer.text.slice(0, Math.max(0, answer.text.length - event.strip));
        answer.text = '';
        break;
      case 'tool_call':
        addPiece(calls, event);
        break;
      case 'usage':
        answer.usage = { ...answer.usage, ...event };
        break;
      case 'complete':
        answer.complete = event;
        break;
      case 'error':
        answer.error = event;
        break;
      default:
        break;
    }
  }
  answer.calls = [...calls.values()];
  return answer;
}

function addPiece(calls: Map<number, WholeCall>, piece: ToolCallEvent): void {
  let call = calls.get(piece.index);
  if (call === undefined) {
    call = { index: piece.index, arguments: '' };
    calls.set(piece.index, call);
  }
  if (piece.id !== undefined) call.id = piece.id;
  if (piece.name !== undefined) call.name = piece.name;
  call.arguments += piece.arguments;
}

/** A call's arguments as the value they stand for: an empty text is `{}`, broken JSON stays text. */
export function argumentsValue(text: string): unknown {
  return text.trim() === '' ? {} : (parseJson(text) ?? text);
}

/**
 * Keeps the pieces of tool calls back until each call is whole, for dialects that cannot send pieces. Give it every
 * event before encoding it: it answers with the calls that are complete now.
 */
export class CallBuffer {
  private open: ToolCallEvent[] = [];

  take(event: StreamEvent): readonly WholeCall[] {
    if (event.type === 'tool_call' && (this.open.length === 0 || this.open[0]!.index === event.index)) {
      this.open.push(event);
      return [];
    }
    if (this.open.length === 0 || event.type === 'usage') return [];
    const { calls } = gather(this.open);
    this.open = event.type === 'tool_call' ? [event] : [];
    return calls;
  }
}

import type { CompleteEvent, ErrorEvent, StreamEvent, ToolCallEvent, UsageEvent } from '../model/events.ts';
import type { Message } from '../model/request.ts';
import { parseJson } from './json.ts';

// Combines stream events, for whole answers and for dialects that send whole tool calls.

/** One tool call, whole. */
export interface WholeCall {
  index: number;
  id?: string;
  name?: string;
  /** JSON text. */
  arguments: string;
}

/** The content of one answer, combined from its events. */
export interface GatheredAnswer {
  text: string;
  thinking: string;
  calls: WholeCall[];
  /** The last value stated for each field. */
  usage?: UsageEvent;
  complete?: CompleteEvent;
  error?: ErrorEvent;
}

/** Combines the events of one answer. */
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

/**
 * An answer as a message of the conversation: its text and its tool calls. Add a message of the role `tool` for each call, then
 * ask again. A call without an id gets one.
 */
export function answerMessage(events: readonly StreamEvent[]): Message {
  const { text, calls } = gather(events);
  const toolCalls = calls.map(({ index, id = `call_${index}`, name = '', arguments: args }) => {
    return { id, name, arguments: args };
  });
  return { role: 'assistant', content: text, toolCalls: calls.length > 0 ? toolCalls : undefined };
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

/** Parses a call's arguments. An empty text is `{}`; text that is not JSON is returned as text. */
export function argumentsValue(text: string): unknown {
  return text.trim() === '' ? {} : (parseJson(text) ?? text);
}

/**
 * Collects the pieces of tool calls, for dialects that can only send whole calls. Pass every event before encoding it.
 * `take` returns the calls that are complete.
 */
export class CallBuffer {
  private open: ToolCallEvent[] = [];

  take(event: StreamEvent): readonly WholeCall[] {
    const [first] = this.open;
    if (event.type === 'tool_call' && (first === undefined || first.index === event.index)) {
      this.open.push(event);
      return [];
    }
    if (first === undefined || event.type === 'usage') return [];
    const { calls } = gather(this.open);
    this.open = event.type === 'tool_call' ? [event] : [];
    return calls;
  }
}

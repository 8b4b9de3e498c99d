import type { StreamEvent } from '../../model/events.ts';
import { type Redactor, redactValue, type TextRedactor } from '../../model/redaction/redactor.ts';

type TextType = 'message_chunk' | 'thinking';
type CallType = 'tool_call' | 'server_tool_call';

// Most calls whose arguments are redacted across chunks. Each chunk of further calls is redacted by itself.
const MAX_CALLS = 64;

/** The events without secrets. Text is redacted across chunks, so that a secret in two chunks is found. The order of text of one type stays. */
export async function* redactEvents(
  events: AsyncIterable<StreamEvent>,
  redactor: Redactor,
): AsyncGenerator<StreamEvent, void, undefined> {
  const texts: Record<TextType, TextRedactor> = {
    thinking: redactor.stream(),
    message_chunk: redactor.stream(),
  };
  const calls = new Map<string, { type: CallType; index: number; text: TextRedactor }>();

  function argumentsOf(type: CallType, index: number, text: string): string {
    const key = `${type} ${index}`;
    let call = calls.get(key);
    if (call === undefined) {
      if (calls.size >= MAX_CALLS) return redactor.message(text);
      call = { type, index, text: redactor.stream() };
      calls.set(key, call);
    }
    return call.text.push(text);
  }

  function* flush(): Generator<StreamEvent> {
    for (const type of ['thinking', 'message_chunk'] as const) {
      const text = texts[type].end();
      if (text !== '') yield { type, text };
    }
    for (const { type, index, text: redacted } of calls.values()) {
      const text = redacted.end();
      if (text !== '') yield { type, index, arguments: text };
    }
    calls.clear();
  }

  // HOT PATH: runs for every event of a model with a key.
  for await (const event of events) {
    switch (event.type) {
      case 'message_chunk':
      case 'thinking': {
        const text = texts[event.type].push(event.text);
        if (text === event.text) yield event;
        else if (text !== '') yield { ...event, text };
        break;
      }
      case 'tool_call':
      case 'server_tool_call': {
        const { arguments: args, ...call } = event;
        yield { ...redactEvent(call, redactor), arguments: argumentsOf(event.type, event.index, args) };
        break;
      }
      case 'answer_start': {
        // `strip` counts from the end of the text before it.
        const text = texts.message_chunk.end();
        if (text !== '') yield { type: 'message_chunk', text };
        yield event;
        break;
      }
      case 'tool_result':
        // The arguments of its call must precede it.
        yield* flush();
        yield redactEvent(event, redactor);
        break;
      case 'complete':
      case 'error':
        yield* flush();
        yield redactEvent(event, redactor);
        break;
      case 'start':
      case 'media':
      case 'step_complete':
      case 'memory_update':
      case 'metadata':
      case 'usage':
      case 'unknown':
        yield redactEvent(event, redactor);
        break;
      default:
        event satisfies never;
    }
  }
  yield* flush();
}

/** An event with all its texts redacted, except `type` and `finish`. */
function redactEvent<T extends StreamEvent | Omit<StreamEvent, 'arguments'>>(
  event: T,
  redactor: Redactor,
): T {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => [
      name,
      name === 'type' || name === 'finish' ? value : redactValue(value, redactor.message),
    ]),
  ) as T;
}

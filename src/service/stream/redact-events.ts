import type { StreamEvent } from '../../model/events.ts';
import { type Redactor, redactValue, type TextRedactor } from '../../model/redaction/redactor.ts';

type TextType = 'message_chunk' | 'thinking';
type CallType = 'tool_call' | 'server_tool_call';

// Most calls whose arguments are redacted across chunks. Each chunk of further calls is redacted by itself.
const MAX_CALLS = 64;

/**
 * The events without secrets. Text is redacted across chunks, so that a secret that is split over two of them is found.
 * The order of the text of each type stays.
 */
export async function* redactEvents(
  events: AsyncIterable<StreamEvent>,
  redactor: Redactor,
): AsyncGenerator<StreamEvent, void, undefined> {
  const chunks = new ChunkRedactor(redactor);
  // HOT PATH: runs for every event of a model with a key.
  for await (const event of events) {
    switch (event.type) {
      case 'message_chunk':
      case 'thinking': {
        const text = chunks.text(event.type, event.text);
        if (text === event.text) yield event;
        else if (text !== '') yield { ...event, text };
        break;
      }
      case 'tool_call':
      case 'server_tool_call': {
        const { arguments: args, ...call } = event;
        yield {
          ...redactEvent(call, redactor),
          arguments: chunks.callArguments(event.type, event.index, args),
        };
        break;
      }
      case 'answer_start':
        // `strip` counts from the end of the text before it.
        yield* chunks.flushText('message_chunk');
        yield event;
        break;
      case 'tool_result':
      case 'complete':
      case 'error':
        // All text, and the arguments of a result's call, must precede these.
        yield* chunks.flush();
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
  yield* chunks.flush();
}

/** Redacts the texts of one answer across their chunks. */
class ChunkRedactor {
  private readonly redactor: Redactor;
  private readonly texts: Record<TextType, TextRedactor>;
  private readonly calls = new Map<string, { type: CallType; index: number; text: TextRedactor }>();

  constructor(redactor: Redactor) {
    this.redactor = redactor;
    this.texts = { thinking: redactor.stream(), message_chunk: redactor.stream() };
  }

  /** Adds a chunk of text and returns the text that is ready. */
  text(type: TextType, text: string): string {
    return this.texts[type].push(text);
  }

  /** Adds a chunk of a call's arguments and returns the arguments that are ready. */
  callArguments(type: CallType, index: number, text: string): string {
    const key = `${type} ${index}`;
    let call = this.calls.get(key);
    if (call === undefined) {
      if (this.calls.size >= MAX_CALLS) return this.redactor.message(text);
      call = { type, index, text: this.redactor.stream() };
      this.calls.set(key, call);
    }
    return call.text.push(text);
  }

  *flushText(type: TextType): Generator<StreamEvent> {
    const text = this.texts[type].end();
    if (text !== '') yield { type, text };
  }

  *flush(): Generator<StreamEvent> {
    yield* this.flushText('thinking');
    yield* this.flushText('message_chunk');
    for (const { type, index, text: redacted } of this.calls.values()) {
      const text = redacted.end();
      if (text !== '') yield { type, index, arguments: text };
    }
    this.calls.clear();
  }
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

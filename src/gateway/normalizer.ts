import type { CompleteEvent, StreamEvent, ToolCallEvent } from '../model/events.ts';
import type { Dialect } from '../wire/dialect.ts';
import { parseJson } from '../wire/json.ts';

// Two dialects agree on the meaning of an event, not on what must be there. What one provider omits, another one's client
// library requires: a start event, ids of tool calls, one call after the other, a known finish reason.

/** Options of `AnswerNormalizer`. */
export interface NormalizerOptions {
  /** The dialect that the events are encoded in. */
  dialect: Dialect;
  /** Start of the ids of tool calls without one. */
  id: string;
  /** Receives each event that the dialect cannot express. */
  onLost(event: StreamEvent): void;
}

/**
 * Makes the events of one answer complete for another dialect. Pure. After it, the answer has one `start`, first, if the
 * dialect has that event; each tool call has an id, and its pieces are consecutive; the last event is `complete` or `error`.
 */
export class AnswerNormalizer {
  /** True after `complete` or `error`. */
  ended = false;
  private readonly options: NormalizerOptions;
  private readonly calls: CallSequence;
  private started = false;
  /** The service has run a tool itself: its calls are not for the client. */
  private hasResults = false;

  constructor(options: NormalizerOptions) {
    this.options = options;
    this.calls = new CallSequence(options.id, options.dialect.mixesCalls === true);
  }

  /** The events to encode in place of this one. */
  push(event: StreamEvent): readonly StreamEvent[] {
    if (this.ended) {
      this.options.onLost(event);
      return [];
    }
    const { dialect } = this.options;
    const out: StreamEvent[] = [];
    if (!this.started) {
      this.started = true;
      if (event.type !== 'start' && dialect.carries.has('start')) out.push({ type: 'start' });
    } else if (event.type === 'start') return out;
    switch (event.type) {
      case 'tool_call':
        if (!dialect.carries.has('tool_call')) {
          this.options.onLost(event);
          break;
        }
        out.push(...this.calls.add(event));
        this.ended = out.at(-1)?.type === 'error';
        break;
      case 'complete':
        this.ended = true;
        out.push(...this.calls.rest(), this.completion(event));
        break;
      case 'error':
        // A frame that cannot be decoded does not end the answer at the source. It ends it here: text is missing.
        this.ended = true;
        out.push(event);
        break;
      case 'start':
        if (dialect.carries.has('start')) out.push(event);
        break;
      default:
        this.hasResults ||= event.type === 'tool_result';
        if (dialect.carries.has(event.type)) out.push(event);
        else this.options.onLost(event);
    }
    return out;
  }

  /** The source has ended. An answer without `complete` was cut: a reader must not take it for a whole one. */
  end(): readonly StreamEvent[] {
    if (this.ended) return [];
    return this.push({ type: 'error', message: 'the answer was cut off', code: 'truncated' });
  }

  // A finish reason of another provider is not a word of this dialect. Of an answer with tool calls some servers say "stop".
  private completion({ finish, raw }: CompleteEvent): StreamEvent {
    const words = this.options.dialect.finishWords ?? {};
    // Of calls there is one form in the encoded answer, so there is one word for them (OpenAI has an older one, function_call).
    if (finish !== 'tool_calls' && raw !== undefined && Object.hasOwn(words, raw) && words[raw] === finish)
      return { type: 'complete', finish, raw };
    if (finish === 'error' && !Object.values(words).includes('error')) {
      return { type: 'error', message: `the model stopped with an error${raw ? `: ${raw}` : ''}`, code: raw };
    }
    if (finish === 'stop' && this.calls.count > 0 && !this.hasResults)
      return { type: 'complete', finish: 'tool_calls' };
    return { type: 'complete', finish: finish === 'other' ? 'stop' : finish };
  }
}

/**
 * Puts the pieces of tool calls in order, call by call, for dialects that send one call as one block. The first call is passed
 * on as it arrives. Pieces of the next one wait until the arguments of the open call are complete JSON.
 */
class CallSequence {
  private readonly idPrefix: string;
  private readonly mixed: boolean;
  /** Index of each call -> its arguments so far. */
  private readonly texts = new Map<number, string>();
  private readonly closed = new Set<number>();
  private open: number | undefined;
  private waiting: ToolCallEvent[] = [];

  constructor(idPrefix: string, mixed: boolean) {
    this.idPrefix = idPrefix;
    this.mixed = mixed;
  }

  /** Number of calls so far. */
  get count(): number {
    return this.texts.size;
  }

  add(given: ToolCallEvent): StreamEvent[] {
    const piece = this.identified(given);
    const { index } = piece;
    if (this.closed.has(index)) {
      if (piece.arguments.trim() === '') return [];
      return [
        { type: 'error', malformed: true, message: `tool call ${index} continues after its arguments ended` },
      ];
    }
    this.texts.set(index, (this.texts.get(index) ?? '') + piece.arguments);
    if (this.mixed) return [piece];
    this.open ??= index;
    const out: StreamEvent[] = [];
    if (this.open === index) out.push(piece);
    else this.waiting.push(piece);
    while (this.waiting.length > 0 && this.isComplete()) out.push(...this.next());
    return out;
  }

  /** The end of the answer: the pieces that wait, and the arguments of calls that have none. */
  rest(): StreamEvent[] {
    const out: StreamEvent[] = [];
    while (this.waiting.length > 0) out.push(...this.next());
    for (const index of this.texts.keys()) if (!this.closed.has(index)) out.push(...this.close(index));
    return out;
  }

  // Clients answer a call by its id, so each needs one.
  private identified(piece: ToolCallEvent): ToolCallEvent {
    const { index } = piece;
    const isFirst = !this.texts.has(index);
    return isFirst && piece.id === undefined ? { ...piece, id: `${this.idPrefix}_call_${index}` } : piece;
  }

  private isComplete(): boolean {
    const text = this.open === undefined ? '' : (this.texts.get(this.open) ?? '').trimEnd();
    return text.endsWith('}') && parseJson(text) !== undefined;
  }

  // Of a tool without parameters some providers send no arguments. Clients parse them as JSON, and an empty text is not JSON.
  private close(index: number): StreamEvent[] {
    this.closed.add(index);
    if ((this.texts.get(index) ?? '').trim() !== '') return [];
    return [{ type: 'tool_call', index, arguments: '{}' }];
  }

  /** Closes the open call and opens the one that waits first. */
  private next(): StreamEvent[] {
    const out: StreamEvent[] = this.open === undefined ? [] : this.close(this.open);
    const index = this.waiting[0]?.index;
    this.open = index;
    out.push(...this.waiting.filter((piece) => piece.index === index));
    this.waiting = this.waiting.filter((piece) => piece.index !== index);
    return out;
  }
}

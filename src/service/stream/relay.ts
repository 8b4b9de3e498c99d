import type { Clock } from '../../model/clock.ts';
import { isContent, type StreamEvent, type UsageEvent } from '../../model/events.ts';
import type { Encoder } from '../../wire/dialect.ts';
import { FRAMINGS } from '../../wire/framing/framings.ts';
import type { Completion } from '../service-metrics.ts';
import type { AnswerWriter } from './answer-writer.ts';
import type { EventStream } from './event-stream.ts';
import { STOP_MESSAGES } from './failure.ts';
import { isText, isWanted, type StreamOptions, TextBuffer } from './shape.ts';

/** An answer that is sent to a client. */
export interface Relay {
  events: AsyncIterable<StreamEvent> | Iterable<StreamEvent>;
  out: EventStream;
  encode: Encoder;
  /** Writes the answer to the store; absent if it is not stored. */
  writer?: AnswerWriter;
  options: StreamOptions;
  /** Sent right after `start`. */
  prologue: readonly StreamEvent[];
  /** The last `metadata` event of a complete answer. */
  epilogue(counts: RelayCounts): StreamEvent;
  /** Sends a comment with the time before every event. */
  debug: boolean;
  clock: Clock;
  /** When the request arrived, on that clock. */
  receivedAtMs: number;
  /** The model has stated its token counts. */
  onUsage(event: UsageEvent): void;
  /** Called for every write; `content` is true if it contains generated content. */
  onSent(content: boolean): void;
}

/** What was sent. */
export interface RelayCounts {
  chunks: number;
  characters: number;
  /** From the request to the first content; absent without content. */
  firstTokenMs?: number;
  elapsedMs: number;
}

/** How the answer ended. */
export interface RelayEnd extends RelayCounts {
  status: Completion;
  /** The model's error message. */
  message?: string;
  /** What was thrown, for `internal_error`. */
  fault?: unknown;
}

/**
 * Sends the events of an answer to the client as they arrive, with back-pressure, and writes the text to the store. The
 * store has the complete answer before the client receives `complete`. Never rejects: an exception ends the answer with
 * the status `internal_error` and an `error` event.
 */
export async function relay(relay: Relay): Promise<RelayEnd> {
  const sender = new Sender(relay);
  try {
    return await relayEvents(relay, sender);
  } catch (fault) {
    relay.writer?.finish('internal_error');
    sender.writeLast({ type: 'error', code: 'internal_error', message: STOP_MESSAGES.internal_error });
    return { ...sender.counts(), status: 'internal_error', fault };
  }
}

async function relayEvents(relay: Relay, sender: Sender): Promise<RelayEnd> {
  const { out, writer, options } = relay;
  const buffer = new TextBuffer(options.textBufferSize);
  let started = false;
  const ended = (status: Completion, message?: string): RelayEnd => ({
    ...sender.counts(),
    status,
    message,
  });

  // HOT PATH: runs for every event of the model.
  for await (const event of relay.events) {
    if (out.stopped !== undefined) break;
    switch (event.type) {
      case 'error': {
        for (const held of buffer.end()) await sender.send(held);
        writer?.finish(`upstream_error: ${event.message}`);
        await sender.send(event);
        return ended('upstream_error', event.message);
      }
      case 'complete':
        for (const held of buffer.end()) await sender.send(held);
        if (out.stopped !== undefined) break;
        writer?.finish();
        if (options.emitMetadata) await sender.send(relay.epilogue(sender.counts()));
        await sender.send(event);
        return ended('ok');
      default:
        // The service has sent its own start.
        if (event.type === 'start' && started) break;
        for (const ready of buffer.push(event)) {
          const waiting = sender.send(ready);
          // Awaiting undefined would also cost a turn of the microtask queue.
          if (waiting !== undefined) await waiting;
        }
        if (event.type === 'usage') relay.onUsage(event);
        if (event.type !== 'start') break;
        started = true;
        for (const first of relay.prologue) await sender.send(first);
        // A dialect may encode none of these events. The headers show the client at once that the answer has started.
        out.flush();
    }
  }

  const reason = out.stopped;
  if (reason === undefined) {
    const message = 'the model closed its stream without a final event';
    writer?.finish(`upstream_error: ${message}`);
    await sender.send({ type: 'error', code: 'truncated', message });
    return ended('upstream_error', message);
  }
  for (const held of buffer.end()) writer?.add(held);
  writer?.finish(reason);
  if (reason !== 'client_gone' && reason !== 'client_stalled') {
    sender.writeLast({ type: 'error', code: reason, message: STOP_MESSAGES[reason] });
  }
  return ended(reason);
}

class Sender {
  private readonly relay: Relay;
  private chunks = 0;
  private characters = 0;
  private firstTokenMs: number | undefined;
  private lastTextAtMs: number | undefined;

  constructor(relay: Relay) {
    this.relay = relay;
  }

  /** Sends one event after its delay. Returns a promise where it has to wait, for the delay or for a client that is behind. */
  send(event: StreamEvent): Promise<void> | undefined {
    const { options, out, clock } = this.relay;
    if (!isWanted(event, options)) return undefined;
    if (options.textDeltaDelayMs === 0 || this.lastTextAtMs === undefined || !isText(event)) {
      return this.sendNow(event);
    }
    // From text to text: a model that is slower than the delay is not slowed down further.
    const ms = this.lastTextAtMs + options.textDeltaDelayMs - clock.now();
    return pause(ms, out.signal).then(() => this.sendNow(event));
  }

  private sendNow(event: StreamEvent): Promise<void> | undefined {
    const { out, writer, clock, receivedAtMs } = this.relay;
    const text = isText(event);
    const sentAtMs = clock.now();
    if (text) this.lastTextAtMs = sentAtMs;
    const now = sentAtMs - receivedAtMs;
    const ready = out.stopped !== undefined || this.write(event, now);
    if (isContent(event)) {
      this.chunks++;
      this.firstTokenMs ??= now;
      if (text) this.characters += event.text.length;
    }
    writer?.add(event);
    return ready ? undefined : out.drained();
  }

  write(event: StreamEvent, atMs: number): boolean {
    const { encode, out, debug, onSent } = this.relay;
    let bytes = debug ? `: ${atMs.toFixed(3)} ms ${event.type}\n` : '';
    for (const frame of encode(event)) bytes += out.replay?.encode(frame) ?? FRAMINGS.sse.write(frame);
    if (bytes === '') return true;
    onSent(isContent(event));
    return out.write(bytes);
  }

  /** Writes the last event if that is still possible. */
  writeLast(event: StreamEvent): void {
    try {
      this.write(event, this.relay.clock.now() - this.relay.receivedAtMs);
    } catch {
      // The encoder itself fails: the stream ends without an error event.
    }
  }

  counts(): RelayCounts {
    const { clock, receivedAtMs } = this.relay;
    const { chunks, characters, firstTokenMs } = this;
    const elapsedMs = clock.now() - receivedAtMs;
    return { chunks, characters, firstTokenMs, elapsedMs };
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted || ms <= 0) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

import type { Clock } from '../../model/clock.ts';
import { isContent, type StreamEvent } from '../../model/events.ts';
import type { Encoder } from '../../wire/dialect.ts';
import { FRAMINGS } from '../../wire/framing/framings.ts';
import type { Completion } from '../service-metrics.ts';
import type { EventStream, StopReason } from './event-stream.ts';
import type { AnswerKeeper } from './keeper.ts';
import { isWanted, type StreamOptions, TextBuffer } from './shape.ts';

/** An answer on its way to a client. */
export interface Relay {
  events: AsyncIterable<StreamEvent> | Iterable<StreamEvent>;
  out: EventStream;
  encode: Encoder;
  /** Keeps the answer's text; absent where nothing is stored. */
  keeper?: AnswerKeeper;
  options: StreamOptions;
  /** Sent right after `start`. */
  prologue: readonly StreamEvent[];
  /** What is said about the answer when it is whole, for those who want `metadata`. */
  epilogue(counts: RelayCounts): StreamEvent;
  /** A comment before every event that says when it came. */
  debug: boolean;
  clock: Clock;
  /** When the request came in, on that clock. */
  receivedAtMs: number;
  /** Called for every write; `content` tells that generated content is in it. */
  onSent(content: boolean): void;
}

/** What went out. */
export interface RelayCounts {
  chunks: number;
  characters: number;
  /** From the request to the first content; absent without content. */
  firstTokenMs?: number;
  elapsedMs: number;
}

/** How it ended. */
export interface RelayEnd extends RelayCounts {
  status: Completion;
  /** What the model's failure said. */
  message?: string;
  /** What was thrown, for `internal_error`. */
  fault?: unknown;
}

/**
 * Sends the events of an answer to the client as they come, at the client's own pace, and keeps the text. What is
 * stored is stored before the client is told that the answer is whole. Never rejects: what is thrown on the way ends
 * this answer as `internal_error`, and the client is told so.
 */
export async function relay(relay: Relay): Promise<RelayEnd> {
  const sender = new Sender(relay);
  try {
    return await relayEvents(relay, sender);
  } catch (fault) {
    relay.keeper?.finish('internal_error');
    sender.writeLast({ type: 'error', code: 'internal_error', message: 'the service failed' });
    return { ...sender.counts(), status: 'internal_error', fault };
  }
}

async function relayEvents(relay: Relay, sender: Sender): Promise<RelayEnd> {
  const { out, keeper, options } = relay;
  const buffer = new TextBuffer(options.textBufferSize);
  const ended = (status: Completion, message?: string): RelayEnd => ({
    ...sender.counts(),
    status,
    message,
  });

  // HOT PATH: one turn for every event of the model's.
  for await (const event of relay.events) {
    if (out.signal.aborted) break;
    switch (event.type) {
      case 'error': {
        for (const held of buffer.end()) await sender.send(held);
        keeper?.finish(`upstream_error: ${event.message}`);
        await sender.send(event);
        return ended('upstream_error', event.message);
      }
      case 'complete':
        for (const held of buffer.end()) await sender.send(held);
        if (out.signal.aborted) break;
        keeper?.finish();
        if (options.emitMetadata) await sender.send(relay.epilogue(sender.counts()));
        await sender.send(event);
        return ended('ok');
      default:
        for (const ready of buffer.push(event)) await sender.send(ready);
        if (event.type !== 'start') break;
        for (const told of relay.prologue) await sender.send(told);
        // A dialect may have no words for all that; the client is to know at once that its answer has begun.
        out.flush();
    }
  }

  const reason = out.stopped;
  if (reason === undefined) {
    const message = 'the model ended its answer without saying so';
    keeper?.finish(`upstream_error: ${message}`);
    await sender.send({ type: 'error', code: 'truncated', message });
    return ended('upstream_error', message);
  }
  for (const held of buffer.end()) keeper?.add(held);
  keeper?.finish(reason);
  const told = TOLD[reason];
  if (told !== undefined) sender.writeLast({ type: 'error', code: reason, message: told });
  return ended(reason);
}

/** What a client that is still there is told of the end. */
const TOLD: Readonly<Record<StopReason, string | undefined>> = {
  client_gone: undefined,
  client_stalled: undefined,
  shutdown: 'the service is shutting down',
  too_large: 'the answer is larger than this service lets through',
  internal_error: 'the service failed',
};

class Sender {
  private readonly relay: Relay;
  private chunks = 0;
  private characters = 0;
  private firstTokenMs: number | undefined;

  constructor(relay: Relay) {
    this.relay = relay;
  }

  /** Sends one event, in time and at the reader's pace. */
  async send(event: StreamEvent): Promise<void> {
    const { options, out, keeper, clock, receivedAtMs } = this.relay;
    if (!isWanted(event, options)) return;
    const text = event.type === 'message_chunk' || event.type === 'thinking';
    if (text && options.textDeltaDelayMs > 0 && this.chunks > 0) {
      await pause(options.textDeltaDelayMs, out.signal);
    }
    const now = clock.now() - receivedAtMs;
    const ready = out.signal.aborted || this.write(event, now);
    if (isContent(event)) {
      this.chunks++;
      this.firstTokenMs ??= now;
      if (text) this.characters += event.text.length;
    }
    keeper?.add(event);
    if (!ready) await out.drained();
  }

  write(event: StreamEvent, atMs: number): boolean {
    const { encode, out, debug, onSent } = this.relay;
    let bytes = debug ? `: ${atMs.toFixed(3)} ms ${event.type}\n` : '';
    for (const frame of encode(event)) bytes += FRAMINGS.sse.write(frame);
    if (bytes === '') return true;
    onSent(isContent(event));
    return out.write(bytes);
  }

  /** Writes the last event, as far as that is still possible. */
  writeLast(event: StreamEvent): void {
    try {
      this.write(event, this.relay.clock.now() - this.relay.receivedAtMs);
    } catch {
      // The encoder is what has failed: the stream ends without a word.
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
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

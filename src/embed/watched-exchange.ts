import { exchange } from '../client/exchange.ts';
import type { Connection, ConnectionSink } from '../client/transport/connection.ts';
import { DEFAULT_LIMITS, type Timeouts } from '../model/plan.ts';
import type { Observing } from './observing.ts';
import type { Reading } from './recognition.ts';
import { type Asked, askedOf, endpointOf, type SeenRequest } from './seen-request.ts';

/** The library that sends the request applies its own time limits. */
const NO_TIMEOUTS: Timeouts = {
  connectMs: Number.POSITIVE_INFINITY,
  firstByteMs: Number.POSITIVE_INFINITY,
  idleMs: Number.POSITIVE_INFINITY,
  totalMs: Number.POSITIVE_INFINITY,
};

/**
 * Observes one request that another library sends and reads, and reports its observation once, at its end. Until the dialect is
 * known, the reads wait with their stamps. No method throws.
 */
export class WatchedExchange {
  private readonly observing: Observing;
  private readonly request: SeenRequest;
  private readonly startedAt: number;
  private readonly stop = new AbortController();
  private readonly report: ReturnType<Observing['reporter']>;
  private asked: Asked = {};
  private sentAt: number | undefined;
  private head: { atMs: number; status: number; headers: Record<string, string> } | undefined;
  private waiting: { atMs: number; chunk: Uint8Array }[] = [];
  private waitingBytes = 0;
  /** The dialect is looked for again when so many bytes wait. */
  private nextTryBytes = 1;
  private sink: ConnectionSink | undefined;
  private reads = 0;
  private readonly onOver: (() => void)[] = [];
  /** True once the request has ended: nothing more is observed. */
  isOver = false;

  constructor(observing: Observing, request: SeenRequest, startedAt: number) {
    this.observing = observing;
    this.request = request;
    this.startedAt = startedAt;
    this.report = observing.reporter();
  }

  /** `onOver` is called when the request has ended, to release what observes it. */
  whenOver(onOver: () => void): void {
    this.onOver.push(onOver);
  }

  /** The request was written, or handed over for writing. */
  sent(atMs: number): void {
    this.sentAt = atMs;
  }

  /** Status and headers have arrived; names in lower case. */
  headers(atMs: number, status: number, headers: Record<string, string>): void {
    this.guard(() => {
      this.head = { atMs, status, headers };
      this.asked = askedOf(this.request);
      this.tryToStart(false);
    });
  }

  /** Bytes of the body. HOT PATH. */
  read(chunk: Uint8Array): void {
    if (this.isOver) return;
    try {
      const atMs = this.observing.clock.now();
      if (this.sink !== undefined) {
        this.sink.onRead(atMs, chunk, this.reads++);
        return;
      }
      // A copy, because the reader owns the chunk.
      this.waiting.push({ atMs, chunk: Uint8Array.from(chunk) });
      this.waitingBytes += chunk.byteLength;
      if (this.waitingBytes < this.nextTryBytes) return;
      // Each try takes a millisecond: few, also where the reads are small.
      this.nextTryBytes = this.waitingBytes * 1.5;
      this.tryToStart(false);
    } catch (error) {
      this.giveUp(error);
    }
  }

  /** The body has ended. */
  end(): void {
    this.finish((sink, atMs) => sink.onEnd(atMs));
  }

  /** The request or its response failed. */
  fail(error: unknown): void {
    const cause = rootOf(error);
    this.finish((sink, atMs) => sink.onError(atMs, cause));
  }

  /** The reader has cancelled the response. */
  cancel(reason?: unknown): void {
    this.finish(() => this.stop.abort(reasonOf(reason)));
  }

  private finish(tell: (sink: ConnectionSink, atMs: number) => void): void {
    if (this.isOver) return;
    this.guard(() => {
      const atMs = this.observing.clock.now();
      const sink = this.sink ?? this.tryToStart(true);
      this.over();
      if (sink !== undefined) tell(sink, atMs);
    });
  }

  /** Lets go of all that was kept: an application may keep its response, and with it this object. */
  private over(): void {
    this.isOver = true;
    this.waiting = [];
    this.sink = undefined;
    this.head = undefined;
    this.request.body = undefined;
    for (const onOver of this.onOver.splice(0)) onOver();
  }

  /** Starts the exchange if the dialect is known; if the request has `ended`, in any case. */
  private tryToStart(ended: boolean): ConnectionSink | undefined {
    const { head, request, asked } = this;
    if (head === undefined) {
      if (!ended) return undefined;
      this.asked = askedOf(request);
    }
    const facts = {
      url: request.url,
      asked: this.asked,
      status: head?.status ?? 0,
      headers: head?.headers ?? {},
      prefix: this.prefix(),
      ended,
    };
    const { recognition } = this.observing;
    const reading = recognition.decide(facts);
    if (reading === undefined) return undefined;
    return this.start(reading, asked.model ?? this.asked.model, () => recognition.forget(facts));
  }

  private prefix(): string {
    const utf8 = new TextDecoder();
    return this.waiting.map(({ chunk }) => utf8.decode(chunk, { stream: true })).join('');
  }

  private start(
    { dialect, mode }: Reading,
    model: string | undefined,
    forget: () => void,
  ): ConnectionSink | undefined {
    const { observing, request, startedAt, head } = this;
    const connection: Connection = {
      usable: true,
      send: (_request, sink) => {
        this.sink = sink;
      },
      pause() {},
      resume() {},
      destroy() {},
    };
    const { method, url, headers } = request;
    const observed = exchange(connection, {
      dialect,
      stream: mode === 'streaming',
      request: { method: method === 'GET' ? 'GET' : 'POST', path: url, headers: { ...headers } },
      timeouts: NO_TIMEOUTS,
      limits: DEFAULT_LIMITS,
      clock: observing.clock,
      originAt: startedAt,
      scheduledAt: startedAt,
      startedAt,
      passive: true,
      stamp: observing.stamp,
      keepText: observing.keepText,
      redactor: observing.redactorFor(request),
      signal: this.stop.signal,
    });
    observed.then((observation) => {
      if (!this.isOver) this.over();
      if (observation.outcome.kind === 'not_a_stream' || observation.outcome.kind === 'malformed') forget();
      this.report(observation, endpointOf(url, dialect.name, model));
    }, observing.warn);
    const { sink } = this;
    if (sink === undefined) return undefined;
    if (this.sentAt !== undefined) sink.onSent(this.sentAt);
    if (head !== undefined) sink.onHeaders(head.atMs, head.status, head.headers);
    for (const { atMs, chunk } of this.waiting) sink.onRead(atMs, chunk, this.reads++);
    this.waiting = [];
    return sink;
  }

  private guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.giveUp(error);
    }
  }

  private giveUp(error: unknown): void {
    if (!this.isOver) this.over();
    this.observing.warn(error);
  }
}

/** The innermost error: `fetch` and client libraries wrap the system's, which has the code. */
function rootOf(error: unknown): Error {
  let root = error;
  for (let depth = 0; depth < 5 && root instanceof Error && root.cause instanceof Error; depth++) {
    root = root.cause;
  }
  return root instanceof Error ? root : new Error(String(root));
}

function reasonOf(reason: unknown): string {
  if (typeof reason === 'string') return reason;
  if (reason instanceof Error && reason.name !== 'AbortError') return reason.message;
  return 'the reader left';
}

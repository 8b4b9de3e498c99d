import type { StreamEvent } from '../model/events.ts';
import type { ConnectionInfo, Observation, Outcome, StampSource } from '../model/record.ts';
import { type Redactor, redactValue } from '../model/redaction/redactor.ts';
import type { Marks } from '../model/timeline.ts';
import type { Dialect } from '../wire/dialect.ts';
import type { PayloadFacts } from '../wire/payload-paths.ts';
import { recogniseStream } from '../wire/recognise.ts';
import { AnswerTally, type CompleteEvent } from './answer-tally.ts';
import { ChunkTally } from './chunk-tally.ts';
import { BodyPrefix, keptHeaders } from './kept-answer.ts';
import type { Ending, RequestFacts } from './outcome/evidence.ts';
import { outcomeOf } from './outcome/outcome.ts';
import type { ConnectPhases, ResponseHeaders } from './transport/connection.ts';

/**
 * Builds the Observation of one request from what happens to it. Reads no clock: every time is an argument, on the machine's
 * clock, and is kept as milliseconds from `originAt`.
 */
export class ObservationBuilder {
  private readonly marks: Marks;
  private readonly request: RequestFacts;
  private readonly originAt: number;
  private readonly redactor: Redactor;
  private readonly stamp: StampSource | undefined;

  private connection: ConnectionInfo | undefined;
  private status: number | undefined;
  private headers: Record<string, string> | undefined;
  private reads = 0;
  private socketRead: number | undefined;
  private reconnected: true | undefined;
  private bytes = 0;
  private events = 0;
  private comments = 0;
  private readonly answer: AnswerTally;
  private readonly chunks: ChunkTally | undefined;
  private cutAfter: CompleteEvent | undefined;
  private payload: Observation['payload'];
  private readonly prefix = new BodyPrefix();
  private inflates = false;
  private lastReadMs: number | undefined;

  constructor(options: {
    request: RequestFacts;
    scheduledAt: number;
    startedAt: number;
    originAt: number;
    keepText: boolean;
    keepChunks?: boolean;
    redactor: Redactor;
    stamp?: StampSource;
  }) {
    this.stamp = options.stamp;
    this.originAt = options.originAt;
    this.request = options.request;
    this.redactor = options.redactor;
    this.marks = { scheduled: this.ms(options.scheduledAt), started: this.ms(options.startedAt) };
    this.answer = new AnswerTally(this.marks, options.keepText);
    if (options.keepChunks) this.chunks = new ChunkTally(this.marks.started);
  }

  /** How long the consumer paused the response in total; undefined if it never did. */
  pausedMs: number | undefined;

  /** True once the observation was built: later events are not counted. */
  isFinished = false;

  /** True once `complete` was seen: the answer is whole, whatever happens to the connection. */
  get isComplete(): boolean {
    return this.answer.complete !== undefined;
  }

  /** True if the answer is whole or has failed: reading on would not change the outcome. */
  get isDecided(): boolean {
    return this.isComplete || this.answer.failure !== undefined;
  }

  /** True if cancelling would not change the outcome: it is decided, or the status is that of an error. */
  get isSettled(): boolean {
    return this.isDecided || (this.status ?? 0) >= 300;
  }

  onSocket(info: ConnectionInfo, phases: ConnectPhases | undefined): void {
    this.connection = info;
    if (phases === undefined) return;
    const { startedAt, dnsAt, tcpAt, tlsAt } = phases;
    this.marks.connectStart = this.ms(startedAt);
    if (dnsAt !== undefined) this.marks.dns = this.ms(dnsAt);
    if (tcpAt !== undefined) this.marks.tcp = this.ms(tcpAt);
    if (tlsAt !== undefined) this.marks.tls = this.ms(tlsAt);
  }

  onSent(atMs: number): void {
    this.marks.sent = this.ms(atMs);
  }

  /** The request is sent again, before any byte of a response: its marks are those of the second attempt. */
  onResend(): void {
    this.reconnected = true;
    delete this.marks.sent;
  }

  onHeaders(atMs: number, status: number, headers: ResponseHeaders): void {
    const headersMs = this.ms(atMs);
    this.marks.headers = headersMs;
    // Over HTTP/2 the kernel may confirm that the request was written after the response was read.
    if ((this.marks.sent ?? headersMs) > headersMs) this.marks.sent = headersMs;
    this.status = status;
    const kept = keptHeaders(headers);
    this.headers = kept;
    if (status >= 300 || kept['content-type']?.includes('application/json')) this.prefix.expectDocument();
  }

  /**
   * Body bytes were read. Returns the number of the read: the reads of a socket that brought bytes of this body are
   * numbered from 0. `socketRead` is the socket's own number for the read, which distinguishes it from the one before.
   */
  onRead(atMs: number, chunk: Uint8Array, socketRead: number): number {
    const readMs = this.ms(atMs);
    if (this.reads === 0) this.marks.firstByte = readMs;
    if (socketRead !== this.socketRead) {
      this.socketRead = socketRead;
      this.reads++;
    }
    this.bytes += chunk.byteLength;
    this.lastReadMs = readMs;
    if (!this.inflates) this.prefix.add(chunk);
    return this.reads - 1;
  }

  /** The body is decompressed: its prefix is kept in decompressed form. */
  onInflate(): void {
    this.inflates = true;
  }

  /** Decompressed bytes of a body. */
  onInflated(bytes: Uint8Array): void {
    this.prefix.add(bytes);
  }

  onComment(): void {
    this.comments++;
  }

  /** The events of one frame, whose last byte came with read number `read` at `atMs`. HOT PATH. */
  onFrame(events: readonly StreamEvent[], atMs: number, read: number): void {
    const ms = this.ms(atMs);
    if (this.events++ === 0) this.marks.firstEvent = ms;
    this.answer.add(events, ms, read);
    this.chunks?.add(events, ms);
  }

  /** Events without a frame: those that the end of the body produces. */
  onEvents(events: readonly StreamEvent[], atMs: number, read: number): void {
    const ms = this.ms(atMs);
    this.answer.add(events, ms, read);
    this.chunks?.addReleased(events, ms);
  }

  /** What the payloads of a plain dialect contain. `dialect`: one object for each client. */
  onPayloads(facts: PayloadFacts, dialect: Dialect): void {
    if (this.request.textPath !== undefined && this.answer.contentEvents > 0) return;
    const recognised = recogniseOnce(dialect, this.prefix.text(), this.headers ?? {});
    this.payload = { ...facts, dialect: recognised };
  }

  /** The finish reason came, and the body was cut before the terminator. */
  onCutAfter(event: CompleteEvent): void {
    // Without a finish reason only the end of the body could have completed the answer.
    if (event.raw !== undefined) this.cutAfter = event;
  }

  /** The request has ended: builds its observation. */
  finish(atMs: number, ending: Ending): Observation {
    this.isFinished = true;
    const { answer, marks, request } = this;
    const { contentEvents } = answer;
    const endMs = this.ms(atMs);
    const completedMs = marks.end ?? endMs;
    // Content may follow the event that marked the end of the answer.
    marks.end = Math.max(completedMs, marks.lastToken ?? completedMs);
    // Redaction is off the hot path: once for all that the server sent, before any of it is cut.
    const tokens = answer.tokens(request.mode);
    const headers = this.clean(this.headers);
    const complete = this.clean(answer.complete ?? this.cutAfter);
    const outcome = this.outcome(ending, headers, tokens.hiddenReasoning, endMs);
    const hasFlush = contentEvents > 0 && request.mode === 'streaming';
    return this.redactor.value<Observation>({
      mode: request.mode,
      stamp: this.stamp,
      outcome,
      cut: ending.kind === 'planned_cut' && outcome.kind === 'ok' && !this.isComplete ? true : undefined,
      marks,
      connection: this.connection,
      reconnected: this.reconnected,
      status: this.status,
      headers,
      reads: this.reads,
      events: this.events,
      comments: this.comments,
      contentEvents,
      coalesced: answer.coalesced,
      bytes: this.bytes,
      chars: answer.chars,
      gaps: answer.gaps,
      gapsLeftOut: answer.gapsLeftOut > 0 ? answer.gapsLeftOut : undefined,
      chunks: this.chunks?.result(),
      pausedMs: this.pausedMs,
      payload: this.clean(this.payload),
      flush: hasFlush ? answer.largestFlush() : undefined,
      secondTokenGap: answer.secondTokenGap,
      tokens,
      finish: complete && { reason: complete.finish, raw: complete.raw },
      partial: outcome.kind !== 'ok' && contentEvents > 0 ? true : undefined,
      ...answer.texts(),
    });
  }

  /** A minimal observation, for the case that `finish` itself fails. */
  bare(atMs: number, outcome: Outcome): Observation {
    this.isFinished = true;
    const { scheduled, started } = this.marks;
    return {
      mode: this.request.mode,
      stamp: this.stamp,
      outcome,
      marks: { scheduled, started, end: this.ms(atMs) },
      reads: this.reads,
      events: this.events,
      comments: this.comments,
      contentEvents: 0,
      coalesced: 0,
      bytes: this.bytes,
      chars: { answer: 0, thinking: 0 },
      gaps: [],
      tokens: { output: null, source: 'chunks' },
    };
  }

  private outcome(
    ending: Ending,
    headers: Record<string, string> = {},
    hiddenReasoning: number | undefined,
    endMs: number,
  ): Outcome {
    const { prefix, redactor } = this;
    const outcome = outcomeOf({
      request: this.request,
      ending,
      status: this.status,
      headers,
      bytes: this.bytes,
      // Decoded and redacted only where it is read: not for a successful answer.
      get bodyPrefix() {
        return redactor.message(prefix.text(), { cut: prefix.isCut });
      },
      events: this.events,
      contentEvents: this.answer.contentEvents,
      failure: this.clean(this.answer.failure),
      complete: this.clean(this.answer.complete),
      hiddenReasoning,
      cutAfter: this.clean(this.cutAfter),
      payload: this.clean(this.payload),
      inflated: this.inflates,
      silenceMs: endMs - (this.lastReadMs ?? this.marks.sent ?? endMs),
    });
    // Messages of the system may contain a secret too.
    return this.clean(outcome);
  }

  private clean<T>(value: T): T {
    return redactValue(value, (text) => this.redactor.message(text)) as T;
  }

  private ms(atMs: number): number {
    return atMs - this.originAt;
  }
}

const recognised = new WeakMap<Dialect, string | undefined>();

/**
 * The known dialect that can read a stream which a plain dialect reads; undefined if there is none. Every dialect tries the
 * beginning of the body, which takes a millisecond: so this is done for the first stream of a dialect object only, and a
 * client has one such object.
 */
function recogniseOnce(
  dialect: Dialect,
  prefix: string,
  headers: Readonly<Record<string, string>>,
): string | undefined {
  if (!recognised.has(dialect)) {
    const found = recogniseStream(prefix, headers, dialect.name);
    recognised.set(dialect, found === 'own' ? undefined : found?.dialect);
  }
  return recognised.get(dialect);
}

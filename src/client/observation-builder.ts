import type { StreamEvent } from '../model/events.ts';
import type { ConnectionInfo, Observation, Outcome } from '../model/record.ts';
import { type Redactor, redactValue } from '../model/redaction/redactor.ts';
import type { Marks } from '../model/timeline.ts';
import type { Dialect } from '../wire/dialect.ts';
import type { PayloadFacts } from '../wire/payload-paths.ts';
import { FlushTally } from './flush-tally.ts';
import { BodyPrefix, KeptText, keptHeaders } from './kept-answer.ts';
import type { Asked, Ending } from './outcome/evidence.ts';
import { outcomeOf } from './outcome/outcome.ts';
import { recogniseOnce } from './recognise-once.ts';
import { TokenTally } from './token-tally.ts';
import type { ConnectPhases, ResponseHeaders } from './transport/connection.ts';

/** A record with all gaps of an endless, fast stream could not be written. */
const MAX_GAPS = 1_000_000;

/**
 * Turns what happens to one request into its Observation. It reads no clock: every time is an argument, on the
 * machine's clock, and is kept as milliseconds from `originAt`.
 */
export class ObservationBuilder {
  private readonly marks: Marks;
  private readonly asked: Asked;
  private readonly originAt: number;
  private readonly redactor: Redactor;

  private connection: ConnectionInfo | undefined;
  private status: number | undefined;
  private headers: Record<string, string> | undefined;
  private reads = 0;
  private socketRead: number | undefined;
  private reconnected: true | undefined;
  private bytes = 0;
  private events = 0;
  private comments = 0;
  private contentEvents = 0;
  private coalesced = 0;
  private readonly gaps: number[] = [];
  private secondTokenGap: number | undefined;
  private readonly flush = new FlushTally();
  private readonly tally = new TokenTally();
  private lastRead = -1;
  private lastAt = 0;
  private failure: Extract<StreamEvent, { type: 'error' }> | undefined;
  private complete: Extract<StreamEvent, { type: 'complete' }> | undefined;
  private cutAfter: Extract<StreamEvent, { type: 'complete' }> | undefined;
  private readonly text: KeptText;
  private gapsLeftOut = 0;
  private payload: Observation['payload'];
  private readonly prefix = new BodyPrefix();
  private inflates = false;
  private lastReadMs: number | undefined;

  constructor(options: {
    asked: Asked;
    scheduledAt: number;
    startedAt: number;
    originAt: number;
    keepText: boolean;
    redactor: Redactor;
  }) {
    this.originAt = options.originAt;
    this.asked = options.asked;
    this.text = new KeptText(options.keepText);
    this.redactor = options.redactor;
    this.marks = { scheduled: this.ms(options.scheduledAt), started: this.ms(options.startedAt) };
  }

  /** How long the consumer held the response back, in all; undefined where it did not. */
  pausedMs: number | undefined;

  /** True once the observation was made: what still comes is not counted. */
  isFinished = false;

  /** True once `complete` was seen: the answer is whole, whatever happens to the connection. */
  get isComplete(): boolean {
    return this.complete !== undefined;
  }

  onSocket(info: ConnectionInfo, phases: ConnectPhases | undefined): void {
    this.connection = info;
    if (phases !== undefined) this.onPhases(phases);
  }

  onPhases({ startedAt, dnsAt, tcpAt, tlsAt }: ConnectPhases): void {
    this.marks.connectStart = this.ms(startedAt);
    if (dnsAt !== undefined) this.marks.dns = this.ms(dnsAt);
    if (tcpAt !== undefined) this.marks.tcp = this.ms(tcpAt);
    if (tlsAt !== undefined) this.marks.tls = this.ms(tlsAt);
  }

  onSent(atMs: number): void {
    this.marks.sent = this.ms(atMs);
  }

  /** Nothing of the response has come, and the request is sent again: its marks are those of the second time. */
  onResend(): void {
    this.reconnected = true;
    delete this.marks.sent;
  }

  onHeaders(atMs: number, status: number, headers: ResponseHeaders): void {
    this.marks.headers = this.ms(atMs);
    // Over HTTP/2, the kernel's word that the request has been written may be heard after the answer was read.
    if (this.marks.sent! > this.marks.headers) this.marks.sent = this.marks.headers;
    this.status = status;
    const kept = keptHeaders(headers);
    this.headers = kept;
    if (status >= 300 || kept['content-type']?.includes('application/json')) this.prefix.expectDocument();
  }

  /**
   * Body bytes were read. Returns the number of the read: the reads of a socket that brought bytes of this body are
   * numbered from 0. `socketRead` is the socket's own number for it, which tells a read from the one before.
   */
  onRead(atMs: number, chunk: Uint8Array, socketRead: number): number {
    if (this.reads === 0) this.marks.firstByte = this.ms(atMs);
    if (socketRead !== this.socketRead) {
      this.socketRead = socketRead;
      this.reads++;
    }
    this.bytes += chunk.byteLength;
    this.lastReadMs = this.ms(atMs);
    if (!this.inflates) this.prefix.add(chunk);
    return this.reads - 1;
  }

  /** The body is decompressed: what is kept of it is what comes out. */
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
    if (this.events++ === 0) this.marks.firstEvent = this.ms(atMs);
    this.onEvents(events, atMs, read);
  }

  /** Events that belong to no frame of their own: those that the end of the body gives. */
  onEvents(events: readonly StreamEvent[], atMs: number, read: number): void {
    const at = this.ms(atMs);
    let content = false;
    for (const event of events) {
      switch (event.type) {
        case 'message_chunk':
          this.marks.firstAnswer ??= at;
          this.tally.addAnswer(event.text);
          this.text.addAnswer(event.text);
          content = true;
          break;
        case 'thinking':
          this.tally.addThinking(event.text);
          this.text.addThinking(event.text);
          content = true;
          break;
        case 'tool_call':
        case 'server_tool_call':
          this.tally.addTool(event);
          this.text.addTool(event);
          content = true;
          break;
        case 'media':
          this.marks.firstAnswer ??= at;
          this.tally.addMedia();
          content = true;
          break;
        case 'answer_start':
          this.onAnswerStart(event.strip);
          break;
        case 'usage':
          this.tally.addUsage(event);
          break;
        case 'complete':
          this.complete = event;
          this.marks.end = at;
          break;
        case 'error':
          this.failure ??= event;
          break;
        case 'start':
        case 'tool_result':
        case 'step_complete':
        case 'memory_update':
        case 'metadata':
        case 'unknown':
          break;
        default:
          event satisfies never;
      }
    }
    if (content) this.onContent(at, read);
  }

  // What was taken for the answer was reasoning. It was content all the same: only what is said of the answer changes.
  private onAnswerStart(strip: number): void {
    this.tally.startAnswer(strip);
    this.marks.firstAnswer = undefined;
    this.text.startAnswer(strip);
  }

  /** What the payloads of a plain dialect hold. `dialect`: that dialect, one object for each client. */
  onPayloads(facts: PayloadFacts, dialect: Dialect): void {
    if (this.asked.textPath !== undefined && this.contentEvents > 0) return;
    this.payload = { ...facts, dialect: recogniseOnce(dialect, this.prefix.text(), this.headers ?? {}) };
  }

  /** The finish reason came, and the body was cut before the terminator. */
  onCutAfter(event: Extract<StreamEvent, { type: 'complete' }>): void {
    // Without a finish reason it is only the end of the body that would have completed the answer.
    if (event.raw !== undefined) this.cutAfter = event;
  }

  private onContent(at: number, read: number): void {
    if (this.contentEvents === 0) {
      this.marks.firstToken = at;
    } else {
      const gap = at - this.lastAt;
      if (this.contentEvents === 1) this.secondTokenGap = gap;
      if (read === this.lastRead) this.coalesced++;
      else if (this.gaps.length < MAX_GAPS) this.gaps.push(gap);
      else this.gapsLeftOut++;
    }
    this.tally.endFrame(at, read);
    this.flush.add(at, this.marks.sent ?? at);
    this.contentEvents++;
    this.marks.lastToken = at;
    this.lastRead = read;
    this.lastAt = at;
  }

  /** The request is over. */
  finish(atMs: number, ending: Ending): Observation {
    this.isFinished = true;
    // Content may follow what was taken for the end of the answer.
    this.marks.end = Math.max(
      this.marks.end ?? this.ms(atMs),
      this.marks.lastToken ?? Number.NEGATIVE_INFINITY,
    );
    // Off the hot path: what a server sent is looked through once, before anything of it is cut.
    const tokens = this.tally.tokens(this.asked.mode, this.contentEvents);
    const headers = this.clean(this.headers);
    const complete = this.clean(this.complete ?? this.cutAfter);
    const outcome = this.outcome(ending, headers, tokens.hiddenReasoning, this.ms(atMs));
    const partial = outcome.kind !== 'ok' && this.contentEvents > 0;
    return this.redactor.value<Observation>({
      mode: this.asked.mode,
      outcome,
      marks: this.marks,
      connection: this.connection,
      ...(this.reconnected && { reconnected: this.reconnected }),
      status: this.status,
      headers,
      reads: this.reads,
      events: this.events,
      comments: this.comments,
      contentEvents: this.contentEvents,
      coalesced: this.coalesced,
      bytes: this.bytes,
      chars: this.tally.chars,
      gaps: this.gaps,
      ...(this.gapsLeftOut > 0 && { gapsLeftOut: this.gapsLeftOut }),
      ...(this.pausedMs !== undefined && { pausedMs: this.pausedMs }),
      ...(this.payload && { payload: this.clean(this.payload) }),
      ...(this.contentEvents > 0 && this.asked.mode === 'streaming' && { flush: this.flush.result() }),
      secondTokenGap: this.secondTokenGap,
      tokens,
      ...(complete === undefined
        ? {}
        : {
            finish: { reason: complete.finish, raw: complete.raw },
          }),
      ...(partial ? { partial: true as const } : {}),
      ...this.text.fields(),
    });
  }

  /** What is left to say where `finish` itself fails. */
  bare(atMs: number, outcome: Outcome): Observation {
    this.isFinished = true;
    const { scheduled, started } = this.marks;
    return {
      mode: this.asked.mode,
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
    const outcome = outcomeOf({
      asked: this.asked,
      ending,
      status: this.status,
      headers,
      bytes: this.bytes,
      bodyPrefix: this.redactor.message(this.prefix.text(), { cut: this.prefix.isCut }),
      events: this.events,
      contentEvents: this.contentEvents,
      failure: this.clean(this.failure),
      complete: this.clean(this.complete),
      hiddenReasoning,
      cutAfter: this.clean(this.cutAfter),
      payload: this.clean(this.payload),
      inflated: this.inflates,
      silenceMs: endMs - (this.lastReadMs ?? this.marks.sent ?? endMs),
    });
    // The system's own errors are among what it says.
    return this.clean(outcome);
  }

  private clean<T>(value: T): T {
    return redactValue(value, (text) => this.redactor.message(text)) as T;
  }

  private ms(atMs: number): number {
    return atMs - this.originAt;
  }
}

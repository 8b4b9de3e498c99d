import { type Clock, monotonicClock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import type { StreamEvent } from '../model/events.ts';
import { environment, hasNodeSockets } from '../model/node-modules.ts';
import { type AuthScheme, DEFAULT_TIMEOUTS, type Limits, type Timeouts } from '../model/plan.ts';
import type { Observation, StampSource } from '../model/record.ts';
import { createRedactor, type Redactor } from '../model/redaction/redactor.ts';
import { headerSecrets, type Secret } from '../model/redaction/secrets.ts';
import { urlSecrets } from '../model/redaction/url-secrets.ts';
import type { ChatRequest } from '../model/request.ts';
import type { Dialect } from '../wire/dialect.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { joinPatches } from '../wire/json.ts';
import { provider } from '../wire/providers.ts';
import { checkRequest } from '../wire/request-check.ts';
import { type Placeholder, writtenPlaceholders } from '../wire/template.ts';
import { addressOf } from './address.ts';
import { AnswerStream, type Start } from './answer-stream.ts';
import { type Authorize, authorizer, signed } from './authorization.ts';
import {
  type ClientOptions,
  chatRequest,
  limitsOf,
  type MeasuredRequest,
  type RequestOptions,
} from './client-options.ts';
import { lastEventIdHeader } from './event-ids.ts';
import { exchange } from './exchange.ts';
import type { ExchangeOptions } from './exchange-options.ts';
import { plannedCancel } from './planned-cancel.ts';
import { requireSuccess } from './request-failure.ts';
import { lowerCased, requestWriter, type WrittenRequest } from './request-writer.ts';
import { joinedListener, measureResuming, waitUnlessAborted } from './resumption.ts';
import { checkAuthority } from './transport/authority.ts';
import { checkFetchOptions, fetchTransport } from './transport/fetch-transport.ts';
import { LazyPool } from './transport/lazy-pool.ts';
import { proxyFor } from './transport/proxy.ts';
import type { OpenTransport } from './transport/transport.ts';

/** A whole answer and its observation. */
export interface Answer {
  /** The answer's events, in order. */
  events: readonly StreamEvent[];
  /** The answer text. */
  text: string;
  /** Marks, counts and outcome. A failure is reported here. */
  observation: Observation;
}

/** A client for one endpoint. Its connections are kept open between requests, unless `connect` says otherwise. */
export interface StreamClient {
  /**
   * Requests a streaming answer. Returns at once; a failure is reported as an `error` event and in `result`. See
   * `AnswerStream`.
   */
  stream(request: RequestOptions): AnswerStream;
  /**
   * Requests one whole answer. A failed request does not reject, unless `throwOnFailure` is set: see
   * `observation.outcome`. Rejects with what `onBytes` throws.
   */
  complete(request: RequestOptions): Promise<Answer>;
  /** Sends a request and returns its observation, without its events. Never rejects. */
  measure(measured: MeasuredRequest): Promise<Observation>;
  /** Opens connections ahead of need. Rejects with the cause when one cannot be opened. */
  warm(connections: number): Promise<void>;
  /** Closes the idle connections: the next requests open new ones. */
  drop(): void;
  /**
   * A client for another endpoint, with the time limits, limits, connection options, secrets and clock of this one, unless
   * the options say otherwise. Key, headers and model are not passed on. It is closed with this one. Throws as `createClient`.
   */
  at(endpoint: ClientOptions): StreamClient;
  /** Closes the connections. */
  close(): void;
}

/**
 * Creates a client for an endpoint. Throws a `UserError` for an unknown provider or dialect, a missing or invalid address,
 * invalid limits, and an invalid proxy or certificate authority. On Node.js the sockets are loaded with the first request, unless
 * `open` is given.
 */
export function createClient(options: ClientOptions, open?: OpenTransport): StreamClient {
  const row = options.provider === undefined ? undefined : provider(options.provider);
  const baseUrl = options.baseUrl ?? row?.baseUrl;
  const dialectName = options.dialect ?? row?.dialect;
  if (baseUrl === undefined) {
    const hint = 'give baseUrl, or a provider that has one';
    throw new UserError('usage', { message: 'no address to send requests to', hint });
  }
  if (dialectName === undefined) {
    const hint = 'give a dialect such as "openai-chat", or a provider';
    throw new UserError('usage', { message: 'no dialect', hint });
  }
  const { textPath, thinkTags } = options;
  const dialect = getDialect(dialectName, { textPath, thinkTags });
  const requestFields = { ...row?.requestFields, ...options.requestFields };
  const auth = options.auth ?? row?.auth ?? 'bearer';
  return new Client({ ...options, requestFields }, dialect, { baseUrl, auth, open });
}

type Listeners = Pick<ExchangeOptions, 'onEvents' | 'onBytes' | 'onFlow' | 'decode'>;

type SendOptions = Omit<MeasuredRequest, 'request' | 'behaviour' | 'resume' | 'onToolCall'> &
  Pick<ExchangeOptions, 'readBytesPerSecond' | 'eventIds' | 'stamp'>;

class Client implements StreamClient {
  private readonly options: ClientOptions;
  private readonly dialect: Dialect;
  private readonly write: (chat: ChatRequest) => WrittenRequest;
  /** What is sent of a request whose body is not the dialect's own. */
  private readonly template: ReadonlySet<Placeholder> | undefined;
  private readonly clock: Clock;
  private readonly timeouts: Timeouts;
  private readonly limits: Limits;
  private readonly secrets: readonly Secret[];
  private redactor: Redactor;
  private tokens: readonly Secret[] = [];
  private readonly others: StreamClient[] = [];
  private readonly pool: LazyPool;
  private readonly stamp: StampSource;
  private readonly authorize: Authorize;

  constructor(
    options: ClientOptions,
    dialect: Dialect,
    { baseUrl, auth, open }: { baseUrl: string; auth: AuthScheme; open?: OpenTransport },
  ) {
    this.options = options;
    this.dialect = dialect;
    const { path, body, method, apiKey, connect = {} } = options;
    this.write = requestWriter(dialect, { baseUrl, path, body, method });
    if (body !== undefined || method === 'GET')
      this.template = writtenPlaceholders({ url: baseUrl, body, method });
    this.clock = options.clock ?? monotonicClock;
    this.timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.limits = limitsOf(options.limits);
    this.authorize = authorizer(auth, apiKey, this.clock, (token) => this.onToken(token));
    const { origin } = addressOf(baseUrl, dialect, '');
    const usesFetch = options.fetch !== undefined || !hasNodeSockets();
    if (usesFetch) checkFetchOptions(connect);
    this.stamp = usesFetch ? 'reader' : 'socket';
    const env = environment();
    const proxy = connect.unix === undefined ? proxyFor(origin, connect.proxy, env) : undefined;
    if (connect.ca !== undefined && (origin.protocol === 'https:' || proxy?.secure))
      checkAuthority(connect.ca);
    const { connectMs } = this.timeouts;
    const settings = { origin, connect, connectMs, headerBytes: this.limits.headerBytes, env };
    this.pool = new LazyPool(this.clock, settings, usesFetch ? fetchTransport(options.fetch) : open);
    this.secrets = [
      ...(options.secrets ?? []),
      ...(apiKey === undefined ? [] : [{ name: '[key]', value: apiKey }]),
      ...headerSecrets(options.headers ?? {}),
      ...urlSecrets(baseUrl).map((value) => ({ name: '[url]', value })),
      ...(proxy?.secrets ?? []).map((value) => ({ name: '[proxy]', value })),
    ];
    this.redactor = createRedactor(this.secrets);
  }

  // A service may quote the token that was derived from a key. The previous token stays in use for a while.
  private onToken(value: string): void {
    this.tokens = [...this.tokens.slice(-1), { name: '[token]', value }];
    this.redactor = createRedactor([...this.secrets, ...this.tokens]);
  }

  stream(request: RequestOptions): AnswerStream {
    const stop = new AbortController();
    const signal =
      request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
    const { onBytes, keepText, aheadBytes = this.limits.aheadBytes, resume } = request;
    const { throwOnFailure = this.options.throwOnFailure } = request;
    const chat = this.chat(request, true);
    const start: Start = ({ onEvents, onFlow }) => {
      if (resume === undefined)
        return this.sendNow(chat, signal, { onEvents, onFlow, onBytes }, { keepText });
      const joined = joinedListener(onEvents);
      const listeners = { onEvents: joined.onEvents, onFlow, onBytes };
      const originAt = this.clock.now();
      return measureResuming(
        (eventIds, lastEventId) => {
          joined.reconnected();
          return this.sendNow(chat, signal, listeners, { keepText, originAt, eventIds }, lastEventId);
        },
        resume,
        (ms) => waitUnlessAborted(ms, signal),
      );
    };
    return new AnswerStream(start, stop, { aheadBytes, throwOnFailure });
  }

  async complete(request: RequestOptions): Promise<Answer> {
    const events: StreamEvent[] = [];
    const observation = await this.sendNow(this.chat(request, false), request.signal, {
      onEvents(more) {
        for (const event of more) events.push(event);
      },
      onBytes: request.onBytes,
    });
    if (request.throwOnFailure ?? this.options.throwOnFailure) requireSuccess(observation);
    return { events, text: observation.text ?? '', observation };
  }

  measure({ request, behaviour, resume, onToolCall, ...rest }: MeasuredRequest): Promise<Observation> {
    if (behaviour?.kind === 'slow') {
      return this.send(request, { ...rest, readBytesPerSecond: behaviour.bytesPerSecond });
    }
    if (behaviour === undefined && resume !== undefined && request.stream) {
      return measureResuming(
        (eventIds, lastEventId) => this.send(request, { ...rest, eventIds }, {}, lastEventId),
        resume,
        (ms) => waitUnlessAborted(ms, rest.signal),
      );
    }
    if (behaviour === undefined) return this.send(request, rest, onToolCall && toolCallListener(onToolCall));
    const { signal, onEvents, close } = plannedCancel(behaviour.after, rest.signal);
    return this.send(request, { ...rest, signal }, { onEvents }).finally(close);
  }

  async warm(connections: number): Promise<void> {
    return (await this.pool.get()).warm(connections, this.timeouts.connectMs);
  }

  drop(): void {
    this.pool.drop();
  }

  at(endpoint: ClientOptions): StreamClient {
    const { timeouts, limits, connect, secrets, clock } = this.options;
    const { throwOnFailure, unsupportedOptions, fetch } = this.options;
    const shared = { timeouts, limits, connect, secrets, clock, throwOnFailure, unsupportedOptions, fetch };
    const other = createClient({ ...shared, ...endpoint });
    this.others.push(other);
    return other;
  }

  close(): void {
    this.pool.close();
    for (const other of this.others.splice(0)) other.close();
  }

  private chat(request: RequestOptions, stream: boolean): ChatRequest {
    const chat = chatRequest(request, this.options.model, stream);
    const { unsupportedOptions: unsupported } = this.options;
    checkRequest(chat, this.dialect, { template: this.template, unsupported });
    return chat;
  }

  /** Sends a request whose marks count from now, or from `originAt`. */
  private sendNow(
    request: ChatRequest,
    signal: AbortSignal | undefined,
    listeners: Listeners,
    { keepText = true, originAt = this.clock.now(), eventIds }: Partial<SendOptions> = {},
    lastEventId?: string,
  ): Promise<Observation> {
    const marks = { originAt, scheduledAt: originAt, stamp: this.stamp };
    return this.send(request, { ...marks, keepText, signal, eventIds }, listeners, lastEventId);
  }

  private async send(
    chat: ChatRequest,
    { trace, ...rest }: SendOptions,
    listeners: Listeners = {},
    lastEventId?: string,
  ): Promise<Observation> {
    const { options, dialect } = this;
    const written = this.write({
      ...chat,
      fields: options.requestFields,
      extra: joinPatches(options.extra, chat.extra),
    });
    const { method, path, appendedPath, body } = written;
    if (lastEventId !== undefined)
      written.headers = { ...written.headers, 'last-event-id': lastEventIdHeader(lastEventId) };
    // Resolved before a connection is taken: a token may have to be signed first.
    const pending = this.headersFor(written);
    const headers = pending instanceof Promise ? await pending : pending;
    if (trace !== undefined) headers.traceparent = `00-${trace.traceId}-${trace.spanId}-01`;
    const tap = options.tap?.({
      ...{ method, path, headers, body, origin: written.origin.origin },
      ...{ dialect: dialect.name, textPath: options.textPath, stream: chat.stream, redactor: this.redactor },
    });
    const loaded = this.pool.get();
    const pool = loaded instanceof Promise ? await loaded : loaded;
    let connection = pool.acquire();
    const observing = exchange(connection, {
      ...rest,
      dialect,
      stream: chat.stream,
      request: { method, path, headers, body },
      assumptions: {
        appendedPath,
        methodGuessed: options.methodGuessed === true,
        textPath: options.textPath,
      },
      timeouts: this.timeouts,
      limits: this.limits,
      clock: this.clock,
      redactor: this.redactor,
      tap,
      reconnect: (unanswered) => {
        connection = pool.replace(unanswered);
        return connection;
      },
      ...listeners,
    });
    try {
      return await observing;
    } finally {
      pool.release(connection);
    }
  }

  /** All headers of a request; the user's own override the others. A promise only where a token has to be signed. */
  private headersFor(request: WrittenRequest): Record<string, string> | Promise<Record<string, string>> {
    const { method, path, origin, body = '' } = request;
    const headers: Record<string, string> = {
      'user-agent': 'streambench',
      // Nothing is decompressed between the socket and the stamp, and a compressor would hold chunks back.
      'accept-encoding': 'identity',
      ...request.headers,
    };
    const key = this.authorize({ method, url: new URL(path, origin), headers: signed(headers), body });
    const join = (more: Readonly<Record<string, string>>) =>
      Object.assign(headers, more, lowerCased(this.options.headers ?? {}));
    return key instanceof Promise ? key.then(join) : join(key);
  }
}

function toolCallListener(onToolCall: NonNullable<MeasuredRequest['onToolCall']>): Listeners {
  return {
    onEvents(events) {
      for (const event of events) if (event.type === 'tool_call') onToolCall(event);
    },
    // As without a listener: events are decoded when no data waits to be read.
    decode: 'later',
  };
}

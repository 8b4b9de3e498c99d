import { type Clock, monotonicClock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import type { StreamEvent } from '../model/events.ts';
import {
  type AuthScheme,
  type ConnectOptions,
  DEFAULT_TIMEOUTS,
  type Limits,
  type PathUse,
  type Timeouts,
} from '../model/plan.ts';
import type { Observation } from '../model/record.ts';
import { createRedactor, type Redactor } from '../model/redaction/redactor.ts';
import { headerSecrets, type Secret } from '../model/redaction/secrets.ts';
import { urlSecrets } from '../model/redaction/url-secrets.ts';
import type { ChatRequest, Message, RequestFields } from '../model/request.ts';
import type { Dialect } from '../wire/dialect.ts';
import { getDialect } from '../wire/dialects/index.ts';
import { joinPatches } from '../wire/json.ts';
import { provider } from '../wire/providers.ts';
import { addressOf } from './address.ts';
import { AnswerStream } from './answer-stream.ts';
import { type Authorize, authorizer } from './authorization.ts';
import { exchange } from './exchange.ts';
import { type ExchangeOptions, limitsOf } from './exchange-options.ts';
import { requestWriter, type WrittenRequest } from './request-writer.ts';
import type { ConnectionPool } from './transport/connection.ts';
import { connectionPool } from './transport/connection-pool.ts';
import { Dialer } from './transport/dialer.ts';

/** Where a client sends its requests, and how. */
export interface ClientOptions {
  /** Name of a provider, such as `openai` or `zhipu`: gives base URL, dialect and how the key travels. */
  provider?: string;
  /** The API's base URL, or the full URL when it ends in the dialect's own path. Default: the provider's. */
  baseUrl?: string;
  /** `exact`: requests go to `baseUrl` as it is, whatever the dialect. Default: `dialect`, its path is added. */
  path?: PathUse;
  /** Name of a dialect, such as `openai-chat`. Default: the provider's. */
  dialect?: string;
  /** The key. It is sent, and never shown or stored. */
  apiKey?: string;
  /** How the key travels. Default: the provider's, `bearer` without one. */
  auth?: AuthScheme;
  /** The model, for requests that name none. */
  model?: string;
  /** Further request headers; they win over all others. */
  headers?: Readonly<Record<string, string>>;
  /** Which of the fields in which providers differ are sent. Default: the provider's, else the usual ones. */
  requestFields?: RequestFields;
  /** Further fields of every request body, as a JSON Merge Patch: objects are merged, `null` removes a field. */
  extra?: Readonly<Record<string, unknown>>;
  /** For the plain `sse` and `ndjson` dialects: where in an event's JSON the text is. */
  textPath?: string;
  /** Tell `<think>` blocks in the answer's text as reasoning, where a dialect's text can hold them. Default: true. */
  thinkTags?: boolean;
  /**
   * The request body, instead of the one that the dialect would write. `{{prompt}}`, `{{messages}}`, `{{maxTokens}}`,
   * `{{model}}`, `{{stream}}` and `{{nonce}}` stand for what is asked, here and in the query of `baseUrl`.
   */
  body?: string;
  /** For plain endpoints: the method. Default: POST with a body or a prompt, else GET. */
  method?: 'GET' | 'POST';
  /** True when `method` was concluded from the kind of endpoint: the hint for a 404 or 405 then says so. Default: false. */
  methodGuessed?: boolean;
  /** Time limits in ms. Default: connect 10 s, first byte and total 5 min, idle 60 s. */
  timeouts?: Partial<Timeouts>;
  /**
   * What the server may send, in bytes. Default: an event 16 MiB, a whole answer 64 MiB, headers 64 KiB, a stream any size;
   * 1 MiB may wait for a consumer that iterates. A request whose response passes one ends as `too_large`.
   */
  limits?: Partial<Limits>;
  /** How connections are made. Default: HTTP/1.1, directly, kept open. */
  connect?: ConnectOptions;
  /** Values that must not appear in any outcome, beside the key and the headers. */
  secrets?: readonly Secret[];
  /** Default: the machine's monotonic clock. */
  clock?: Clock;
}

/** One request. `prompt` is short for a single user message. */
export interface RequestOptions {
  prompt?: string;
  messages?: readonly Message[];
  model?: string;
  /** Upper limit of the answer's length in tokens. */
  maxTokens?: number;
  temperature?: number;
  /** Makes the prompt unique, so that no server has it in a cache: see `ChatRequest.nonce`. Default: none. */
  nonce?: string;
  /** Further fields of the request body, as a JSON Merge Patch, after those of the client. */
  extra?: Readonly<Record<string, unknown>>;
  /** Cancels the request; its outcome is then `cancelled`. */
  signal?: AbortSignal;
  /** For a stream: what may wait for its consumer, in bytes of memory. Default: `limits.aheadBytes` of the client. */
  aheadBytes?: number;
  /** False when the observation needs no text, which is memory saved. Default true. */
  keepText?: boolean;
  /** Called with the body's bytes as they were read, before they are decoded. What it throws ends the request. */
  onBytes?: (chunk: Uint8Array) => void;
}

/** A whole answer and what was observed of it. */
export interface Answer {
  /** The answer's events, in order. */
  events: readonly StreamEvent[];
  /** The answer text. */
  text: string;
  /** Marks, counts and outcome; a failure is told here. */
  observation: Observation;
}

/** What a measuring caller decides for a request beyond its content. */
export interface Measured {
  request: ChatRequest;
  /** When it was due, on the client's clock. */
  scheduledAt: number;
  /** What its marks count from, on the client's clock. */
  originAt: number;
  keepText: boolean;
  signal?: AbortSignal;
}

/** A client for one endpoint. Its connections are kept open between requests, unless `connect` says otherwise. */
export interface StreamClient {
  /** Asks for a streaming answer. Returns at once; failures come as an `error` event and in `result`. See `AnswerStream`. */
  stream(request: RequestOptions): AnswerStream;
  /**
   * Asks for one whole answer. Does not reject for a failed request: see `observation.outcome`. Rejects with what `onBytes`
   * throws.
   */
  complete(request: RequestOptions): Promise<Answer>;
  /** Sends a request and returns what was observed of it, without its events. Never rejects. */
  measure(measured: Measured): Promise<Observation>;
  /** Opens connections ahead of need. Rejects with the cause when one cannot be opened. */
  warm(connections: number): Promise<void>;
  /** Closes the connections that are idle: the next requests open their own. */
  drop(): void;
  /** Closes the connections. */
  close(): void;
}

/**
 * Makes a client for an endpoint. Throws a `UserError` for an unknown provider or dialect, for an address that is missing
 * or no URL, and for a proxy or authorities that are none.
 */
export function createClient(options: ClientOptions): StreamClient {
  const row = options.provider === undefined ? undefined : provider(options.provider);
  const baseUrl = options.baseUrl ?? row?.baseUrl;
  const dialectName = options.dialect ?? row?.dialect;
  if (baseUrl === undefined) {
    throw new UserError('usage', {
      message: 'no address to send requests to',
      hint: 'give baseUrl, or a provider that has one',
    });
  }
  if (dialectName === undefined) {
    throw new UserError('usage', {
      message: 'no dialect',
      hint: 'give a dialect such as "openai-chat", or a provider',
    });
  }
  const { textPath, thinkTags } = options;
  const dialect = getDialect(dialectName, { textPath, thinkTags });
  const requestFields = { ...row?.requestFields, ...options.requestFields };
  return new Client({ ...options, requestFields }, dialect, baseUrl, options.auth ?? row?.auth ?? 'bearer');
}

type Listeners = Pick<ExchangeOptions, 'onEvents' | 'onBytes' | 'onFlow'>;

class Client implements StreamClient {
  private readonly options: ClientOptions;
  private readonly dialect: Dialect;
  private readonly write: (chat: ChatRequest) => WrittenRequest;
  private readonly clock: Clock;
  private readonly timeouts: Timeouts;
  private readonly limits: Limits;
  private readonly secrets: readonly Secret[];
  private redactor: Redactor;
  private tokens: readonly Secret[] = [];
  private readonly pool: ConnectionPool;
  private readonly authorize: Authorize;

  constructor(options: ClientOptions, dialect: Dialect, baseUrl: string, auth: AuthScheme) {
    this.options = options;
    this.dialect = dialect;
    const { path, body, method } = options;
    this.write = requestWriter(dialect, { baseUrl, path, body, method });
    this.clock = options.clock ?? monotonicClock;
    this.timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    this.limits = limitsOf(options.limits);
    this.authorize = authorizer(auth, options.apiKey, this.clock, (token) => this.onToken(token));
    const connect = options.connect ?? {};
    const dialer = new Dialer(addressOf(baseUrl, dialect, '').origin, this.clock, connect, process.env);
    this.pool = connectionPool(dialer, this.clock, connect, {
      connectMs: this.timeouts.connectMs,
      headerBytes: this.limits.headerBytes,
    });
    this.secrets = [
      ...(options.secrets ?? []),
      ...(options.apiKey === undefined ? [] : [{ name: '[key]', value: options.apiKey }]),
      ...headerSecrets(options.headers ?? {}),
      ...urlSecrets(baseUrl).map((value) => ({ name: '[url]', value })),
      ...(dialer.proxy?.secrets ?? []).map((value) => ({ name: '[proxy]', value })),
    ];
    this.redactor = createRedactor(this.secrets);
  }

  // A service may quote the token that a key was turned into. The one before it is still in use for a while.
  private onToken(value: string): void {
    this.tokens = [...this.tokens.slice(-1), { name: '[token]', value }];
    this.redactor = createRedactor([...this.secrets, ...this.tokens]);
  }

  stream(request: RequestOptions): AnswerStream {
    const stop = new AbortController();
    const signal =
      request.signal === undefined ? stop.signal : AbortSignal.any([request.signal, stop.signal]);
    const { onBytes, keepText, aheadBytes = this.limits.aheadBytes } = request;
    return new AnswerStream(
      (listeners) => this.now(this.chat(request, true), signal, { ...listeners, onBytes }, keepText),
      stop,
      aheadBytes,
    );
  }

  async complete(request: RequestOptions): Promise<Answer> {
    const events: StreamEvent[] = [];
    const observation = await this.now(this.chat(request, false), request.signal, {
      onEvents(more) {
        for (const event of more) events.push(event);
      },
      onBytes: request.onBytes,
    });
    return { events, text: observation.text ?? '', observation };
  }

  measure({ request, ...rest }: Measured): Promise<Observation> {
    return this.send(request, rest);
  }

  warm(connections: number): Promise<void> {
    return this.pool.warm(connections, this.timeouts.connectMs);
  }

  drop(): void {
    this.pool.drop();
  }

  close(): void {
    this.pool.close();
  }

  private chat(
    { prompt, messages, model, maxTokens, temperature, nonce, extra }: RequestOptions,
    stream: boolean,
  ): ChatRequest {
    return {
      model: model ?? this.options.model,
      messages: messages ?? (prompt === undefined ? [] : [{ role: 'user', content: prompt }]),
      maxTokens,
      temperature,
      nonce,
      extra,
      stream,
    };
  }

  /** A request whose marks count from now. */
  private now(
    request: ChatRequest,
    signal: AbortSignal | undefined,
    listeners: Listeners,
    keepText = true,
  ): Promise<Observation> {
    const originAt = this.clock.now();
    return this.send(request, { originAt, scheduledAt: originAt, keepText, signal }, listeners);
  }

  private async send(
    chat: ChatRequest,
    rest: Omit<Measured, 'request'>,
    listeners: Listeners = {},
  ): Promise<Observation> {
    const { options, dialect } = this;
    const { method, origin, path, appended, body, ...wire } = this.write({
      ...chat,
      fields: options.requestFields,
      extra: joinPatches(options.extra, chat.extra),
    });
    const headers: Record<string, string> = {
      'user-agent': 'streambench',
      // Nothing decompresses between the socket and the stamp, and a compressor would hold chunks back.
      'accept-encoding': 'identity',
      ...wire.headers,
    };
    const key = this.authorize({
      method,
      url: new URL(path, origin),
      headers: signed(headers),
      body: body ?? '',
    });
    Object.assign(headers, key instanceof Promise ? await key : key, lowerCased(options.headers ?? {}));
    let connection = this.pool.acquire();
    const observing = exchange(connection, {
      ...rest,
      dialect,
      stream: chat.stream,
      request: {
        method,
        path,
        headers,
        body,
      },
      about: {
        appended,
        methodGuessed: options.methodGuessed === true,
        textPath: options.textPath,
      },
      timeouts: this.timeouts,
      limits: this.limits,
      clock: this.clock,
      redactor: this.redactor,
      reconnect: (unanswered) => {
        connection = this.pool.replace(unanswered);
        return connection;
      },
      ...listeners,
    });
    try {
      return await observing;
    } finally {
      this.pool.release(connection);
    }
  }
}

/** The headers that a signature covers: not those that something on the way may change. */
function signed(headers: Readonly<Record<string, string>>): Record<string, string> {
  const type = headers['content-type'];
  return type === undefined ? {} : { 'content-type': type };
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

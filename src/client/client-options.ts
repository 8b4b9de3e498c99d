import type { RequestBehaviour, ResumePolicy } from '../model/behaviour.ts';
import type { Clock } from '../model/clock.ts';
import { UserError } from '../model/errors.ts';
import type { ToolCallEvent } from '../model/events.ts';
import { formatSizeLimit } from '../model/format.ts';
import {
  type AuthScheme,
  type ConnectOptions,
  DEFAULT_LIMITS,
  type Limits,
  MAX_LIMIT_BYTES,
  type PathUse,
  type Target,
  type Timeouts,
} from '../model/plan.ts';
import type { TraceContext } from '../model/record.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import type { ChatRequest, Message, RequestFields } from '../model/request.ts';
import type { OpenTap } from './exchange-tap.ts';
import type { FetchFunction } from './transport/fetch-transport.ts';

/** Where a client sends its requests, and how. */
export interface ClientOptions {
  /** Name of a provider, such as `openai` or `zhipu`: sets base URL, dialect and authentication scheme. */
  provider?: string;
  /** The API's base URL, or the full URL when it ends in the dialect's own path. Default: the provider's. */
  baseUrl?: string;
  /** `exact`: requests go to `baseUrl` unchanged, whatever the dialect. Default: `dialect`, its path is appended. */
  path?: PathUse;
  /** Name of a dialect, such as `openai-chat`. Default: the provider's. */
  dialect?: string;
  /** The API key. Never shown or stored. */
  apiKey?: string;
  /** How the key is sent. Default: the provider's scheme, or `bearer`. */
  auth?: AuthScheme;
  /** The model for requests that do not name one. */
  model?: string;
  /** Additional request headers; they override all others. */
  headers?: Readonly<Record<string, string>>;
  /** Which of the fields in which providers differ are sent. Default: the provider's, or the usual ones. */
  requestFields?: RequestFields;
  /**
   * Options of a request that the dialect cannot express (`maxTokens`, `temperature`, `stop`, `n`, `seed`, `reasoningEffort`):
   * `error` throws a `UserError`; `omit` leaves them out, for services that pass on what their own clients send. Default: `error`.
   */
  unsupportedOptions?: 'error' | 'omit';
  /** Additional fields of every request body, as a JSON Merge Patch: objects are merged, `null` removes a field. */
  extra?: Readonly<Record<string, unknown>>;
  /** For the plain `sse` and `ndjson` dialects: path of the text in an event's JSON. */
  textPath?: string;
  /** Report `<think>` blocks in the answer's text as reasoning, for dialects whose text may contain them. Default: true. */
  thinkTags?: boolean;
  /**
   * The request body, instead of the one that the dialect would write. The placeholders `{{prompt}}`, `{{messages}}`,
   * `{{maxTokens}}`, `{{model}}`, `{{stream}}` and `{{nonce}}` are replaced, here and in the query of `baseUrl`.
   */
  body?: string;
  /** For plain endpoints: the method. Default: POST with a body or a prompt, else GET. */
  method?: 'GET' | 'POST';
  /** True when `method` was inferred from the kind of endpoint: the hint for a 404 or 405 then says so. Default: false. */
  methodGuessed?: boolean;
  /** Time limits in ms. Default: connect 10 s, first byte and total 5 min, idle 60 s. */
  timeouts?: Partial<Timeouts>;
  /**
   * Limits of what the server may send, in bytes. Default: an event 16 MiB, a whole answer 64 MiB, headers 64 KiB, a stream
   * unlimited; 1 MiB may wait for a consumer that iterates. A response over a limit ends as `too_large`.
   */
  limits?: Partial<Limits>;
  /** How connections are made. Default: HTTP/1.1, direct, keep-alive. Not with `fetch`. */
  connect?: ConnectOptions;
  /**
   * Sends the requests by this function instead of sockets. Stamps are then the reader's (`stamp` in the observation), and
   * nothing is known of the connection. Default: sockets on Node.js, else the platform's `fetch`.
   */
  fetch?: FetchFunction;
  /** Values to redact from every outcome, in addition to the key and the headers. */
  secrets?: readonly Secret[];
  /** Receives the bytes of each exchange, for recordings. Default: none. */
  tap?: OpenTap;
  /** Default: the machine's monotonic clock. */
  clock?: Clock;
  /** See `RequestOptions.throwOnFailure`. Default: false. */
  throwOnFailure?: boolean;
}

/**
 * One request. `prompt` is short for a single user message after `messages`. A field that the dialect cannot express is a
 * `UserError`: docs/requests.md lists what each one can.
 */
export interface RequestOptions
  extends Pick<
    ChatRequest,
    | 'model'
    | 'maxTokens'
    | 'temperature'
    | 'stop'
    | 'n'
    | 'seed'
    | 'reasoningEffort'
    | 'tools'
    | 'answerSchema'
  > {
  prompt?: string;
  messages?: readonly Message[];
  /** Instructions to the model, sent before the messages. */
  system?: string;
  /** Makes the prompt unique, so that it is in no server's cache: see `ChatRequest.nonce`. Default: none. */
  nonce?: string;
  /** Additional fields of the request body, as a JSON Merge Patch, applied after those of the client. */
  extra?: Readonly<Record<string, unknown>>;
  /** Cancels the request; its outcome is then `cancelled`. */
  signal?: AbortSignal;
  /** For a stream: how much may wait for its consumer, in bytes of memory. Default: `limits.aheadBytes` of the client. */
  aheadBytes?: number;
  /**
   * Throw a `RequestFailure` for a failed request: from `complete()`, and of a stream from its iteration, `text()` and
   * `toolCalls()`. `result` and `finished` resolve all the same. Default: that of the client.
   */
  throwOnFailure?: boolean;
  /**
   * For a stream of events with ids: continue it with `Last-Event-ID` if its connection breaks. Default: it ends there.
   */
  resume?: ResumePolicy;
  /** False to leave the text out of the observation, which saves memory. Default: true. */
  keepText?: boolean;
  /** Called with the body's bytes as they were read, before they are decoded. An exception from it ends the request. */
  onBytes?: (chunk: Uint8Array) => void;
}

/** The request with its system prompt and its prompt as messages. `model`: for requests that name none. */
export function chatRequest(
  request: RequestOptions,
  model: string | undefined,
  stream: boolean,
): ChatRequest {
  const { system, messages = [], prompt, maxTokens, temperature, nonce, extra } = request;
  const { stop, n, seed, reasoningEffort, tools, answerSchema } = request;
  const all = [...messages];
  if (system !== undefined) all.unshift({ role: 'system', content: system });
  if (prompt !== undefined) all.push({ role: 'user', content: prompt });
  return {
    ...{ model: request.model ?? model, messages: all, maxTokens, temperature, nonce, extra, stream },
    ...{ stop, n, seed, reasoningEffort, tools, answerSchema },
  };
}

/** A request of a measuring caller. */
export interface MeasuredRequest {
  request: ChatRequest;
  /** When it was due, on the client's clock. */
  scheduledAt: number;
  /** Origin of its marks, on the client's clock. */
  originAt: number;
  keepText: boolean;
  /** Keeps the arrival of every chunk. Default: false. */
  keepChunks?: boolean;
  /** The stream is cut this long after the request was sent, as planned, and is `ok`. Default: it ends by itself. */
  cutAfterMs?: number;
  signal?: AbortSignal;
  /** Receives the pieces of tool calls. Default: they are not kept. */
  onToolCall?(call: ToolCallEvent): void;
  /** Continues an event stream whose connection breaks, with Last-Event-ID. Default: it does not. */
  resume?: ResumePolicy;
  /** What the client does on purpose. Default: it reads as fast as the answer arrives. */
  behaviour?: RequestBehaviour;
  /** Sent in the `traceparent` header. Default: no such header. */
  trace?: TraceContext;
}

/**
 * The limits with their defaults filled in. Throws a `UserError` for a limit that is not a positive number of bytes, or that
 * exceeds the maximum length of a string.
 */
export function limitsOf(options: Partial<Limits> = {}): Limits {
  const limits: Limits = { ...DEFAULT_LIMITS };
  for (const [name, bytes] of Object.entries(options)) {
    if (bytes === undefined) continue;
    // A stream is not kept in memory.
    const max = name === 'streamBytes' ? Number.POSITIVE_INFINITY : MAX_LIMIT_BYTES;
    if (!(bytes > 0 && bytes <= max)) {
      throw new UserError('usage', {
        message: `limits.${name} is ${bytes}`,
        hint: `give a number of bytes above 0 and at most ${MAX_LIMIT_BYTES} (${formatSizeLimit(MAX_LIMIT_BYTES)})`,
      });
    }
    limits[name as keyof Limits] = bytes;
  }
  return limits;
}

/** The client options for a target of a plan, without those that the run sets (time limits, clock, secrets). */
export function targetOptions(target: Target): ClientOptions {
  const { baseUrl, path, dialect, auth, apiKey, headers, requestFields, extra } = target;
  const { textPath, body, method, connect } = target;
  return {
    ...{ baseUrl, path, dialect, auth, apiKey, headers, requestFields, extra },
    ...{ textPath, body, method, connect },
  };
}

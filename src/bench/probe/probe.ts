import { lengthTest } from '../../analysis/streaming/length-test.ts';
import { lintResponse } from '../../analysis/streaming/response-lint.ts';
import { verdictFigures } from '../../analysis/streaming/stream-figures.ts';
import type { VerdictContext } from '../../analysis/streaming/streaming-verdict.ts';
import { judgeStreams, summarizeVerdicts } from '../../analysis/streaming/verdict-collector.ts';
import { createClient, type StreamClient } from '../../client/client.ts';
import { targetOptions } from '../../client/client-options.ts';
import type { OpenTap } from '../../client/exchange-tap.ts';
import { requestWriter } from '../../client/request-writer.ts';
import { createNonces } from '../../engine/executor.ts';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { UserError } from '../../model/errors.ts';
import { isPlainDialect, MAX_LIMIT_BYTES, type Target } from '../../model/plan.ts';
import type { Prompt } from '../../model/prompt.ts';
import type { Mode } from '../../model/record.ts';
import { createRedactor } from '../../model/redaction/redactor.ts';
import {
  connectionGroup,
  type ProbeReport,
  type ProbeRequest,
  succeeded,
  wholeAnswers,
} from '../../report/probe-report.ts';
import { maskUrl } from '../../scenario/document.ts';
import { assumedDialect } from '../../scenario/from-flags.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { planScenario } from '../../scenario/plan.ts';
import { dialectOfUrl, getDialect } from '../../wire/dialects/index.ts';
import type { FramingName } from '../../wire/framing/frame.ts';
import { startBackends } from '../backends.ts';
import { readEnvironment } from '../environment.ts';
import { drawSalt } from '../prepare.ts';
import { warmCode } from '../warm-code.ts';
import { type ProbeTurn, probeOnce } from './probe-request.ts';

/**
 * The dialect of a URL, by its path. Default `sse`: an unknown endpoint that streams most likely sends Server-Sent Events. With
 * a model, the URL may be the base URL of an API.
 */
export function dialectOf(url: string, model?: string): string {
  return dialectOfUrl(url) ?? (model === undefined ? undefined : assumedDialect(url)) ?? 'sse';
}

/** Options of a probe. */
export interface ProbeOptions {
  /** Number of requests, one after the other: the first connects, the others reuse the connection. Default 1. */
  requests?: number;
  /**
   * Answer lengths in tokens, two or more: after one normal request, `requests` more for each length, interleaved, test whether
   * longer answers begin later. Default: none.
   */
  lengths?: readonly number[];
  /** Streams that take longer, from the request on, are stopped; in ms. Default: never. */
  forMs?: number;
  /** Stops the current request, which is reported, and sends no other. */
  signal?: AbortSignal;
  /** True where the dialect was derived from the URL; the report shows it. Default false. */
  guessed?: boolean;
  /** True where the method was derived from the dialect; the hint of a rejected request mentions it. Default false. */
  methodGuessed?: boolean;
  /** Called with the bytes of each stream, as they were read. */
  onBytes?: (chunk: Uint8Array) => void;
  /** The target that is probed. Default: the first of the scenario. */
  target?: string;
  /** Receives the bytes of each exchange. Default: nothing does. */
  tap?: OpenTap;
  /** Called before each request, counted from 1. */
  onRequest?: (number: number) => void;
  /** Default: the machine's clock. */
  clock?: Clock;
}

/**
 * Sends requests of a scenario's first target and prompt and reports each. Where the scenario has both modes, a non-streaming request
 * follows each streaming one. Failed requests are in the report; after a network error no other is sent. Rejects with a `UserError`
 * where the target is invalid.
 */
export async function probe(loaded: LoadedScenario, options: ProbeOptions = {}): Promise<ProbeReport> {
  const {
    clock = monotonicClock,
    guessed = false,
    methodGuessed = false,
    forMs = Number.POSITIVE_INFINITY,
  } = options;
  const backends = await startBackends(loaded);
  const secrets = [...loaded.secrets, ...backends.secrets];
  try {
    const plan = planScenario(loaded, { ...backends, salt: drawSalt() });
    const target = plan.targets.find(({ name }) => name === options.target) ?? plan.targets[0]!;
    const prompt = plan.prompts[0]!;
    if (options.lengths !== undefined) rejectLengths(target);
    const modes = inOrder(loaded.scenario.modes);
    const { url, method } = requestLine(target, prompt, modes[0]!);
    const probedAt = clock.wallTime().toISOString();
    const timeouts = { ...plan.timeouts, totalMs: Math.max(plan.timeouts.totalMs, finite(forMs) + 1000) };
    // A probe only collects events: unlimited read-ahead, so that the server sees no backpressure.
    const limits = { ...plan.limits, aheadBytes: MAX_LIMIT_BYTES };
    const client = createClient({
      ...targetOptions(target),
      methodGuessed,
      // As in a run: an endpoint with a protocol of its own has no limit.
      unsupportedOptions: 'omit',
      timeouts,
      limits,
      secrets,
      clock,
      tap: options.tap,
    });
    try {
      await warmCode(target.dialect, target.connect?.http);
      const dialect = getDialect(target.dialect, { textPath: target.textPath });
      const nonces = createNonces(plan.seed, plan.salt ?? '', { index: 0, of: 1 });
      const turn = {
        target,
        prompt,
        dialect,
        nonces,
        forMs,
        signal: options.signal,
        onBytes: options.onBytes,
      };
      const sent = await sendRequests(client, turn, modes, options);
      const whole = modes.length > 1 ? wholeAnswers(sent) : undefined;
      const shown = whole === undefined ? sent : sent.filter(({ record }) => record.mode === 'streaming');
      const lengths = options.lengths === undefined ? undefined : lengthsOf(sent);
      const context = { whole: wholeOf(whole), lengths: lengths ?? undefined };
      const requests = judged(shown, dialect.framing, context);
      const { streambench, node, undici } = await readEnvironment();
      return createRedactor(secrets).value<ProbeReport>({
        schema: 'streambench/probe@1',
        probedAt,
        target: {
          method,
          url: maskUrl(url),
          provider: target.provider,
          dialect: target.dialect,
          model: target.model,
          mode: modes[0]!,
          guessed,
          unique: plan.same?.every(({ target: name }) => name !== target.name) ?? false,
        },
        software: { streambench, node, undici },
        requests,
        cold: connectionGroup(requests, false),
        warm: connectionGroup(requests, true),
        whole,
        lengths,
      });
    } finally {
      client.close();
    }
  } finally {
    await backends.close();
  }
}

/** Rejects lengths for a plain dialect, unless the body or the query of the URL has a placeholder for them. */
function rejectLengths(target: Target): void {
  const { dialect, body } = target;
  const takesLength = body === undefined ? !isPlainDialect(dialect) : true;
  if (takesLength && (body === undefined || body.includes('{{maxTokens}}'))) return;
  if (target.baseUrl.includes('{{maxTokens}}')) return;
  throw new UserError('usage', {
    message: `--lengths: ${body === undefined ? `the dialect ${dialect}` : 'the body'} has no length parameter`,
    hint: 'put {{maxTokens}} in --body or in the query of the URL',
  });
}

function inOrder(modes: readonly Mode[]): readonly Mode[] {
  return modes.length > 1 ? ['streaming', 'non-streaming'] : modes;
}

async function sendRequests(
  client: StreamClient,
  turn: ProbeTurn & { nonces: () => string },
  modes: readonly Mode[],
  { requests = 1, lengths, onRequest }: ProbeOptions,
): Promise<ProbeRequest[]> {
  // One normal request opens the connection; then the lengths alternate, so that drift affects all equally.
  const requested: (number | undefined)[] =
    lengths === undefined
      ? new Array(Math.max(1, requests)).fill(undefined)
      : [undefined, ...Array.from({ length: requests }, () => lengths).flat()];
  const sent: ProbeRequest[] = [];
  const keeps = turn.target.connect?.connection !== 'per-request';
  for (let seq = 0; seq < requested.length * modes.length; seq++) {
    // A stopped stream closes its connection. Where no new one can be opened, the request reports why.
    if (seq > 0 && keeps) await client.warm(1).catch(() => {});
    const mode = modes[seq % modes.length]!;
    if (mode === modes[0]) onRequest?.(seq / modes.length + 1);
    const nonce = turn.prompt.unique ? turn.nonces() : undefined;
    const length = requested[Math.floor(seq / modes.length)];
    const request = await probeOnce(client, turn, { seq, mode, nonce, length });
    sent.push(request);
    if (turn.signal?.aborted || request.record.outcome.kind === 'network') break;
  }
  return sent;
}

function wholeOf(whole: ProbeReport['whole']): VerdictContext['whole'] {
  if (whole === undefined || whole.totalMs === null) return undefined;
  return { totalMs: whole.totalMs, n: whole.requests.filter(succeeded).length };
}

function lengthsOf(sent: readonly ProbeRequest[]): ProbeReport['lengths'] {
  return lengthTest(figuresOf(ofLength(sent, Math.min)), figuresOf(ofLength(sent, Math.max))) ?? null;
}

/** Successful streams of the shortest or the longest requested length. */
function ofLength(sent: readonly ProbeRequest[], pick: (...lengths: number[]) => number): ProbeRequest[] {
  const streams = sent.filter(({ record }) => record.mode === 'streaming' && record.outcome.kind === 'ok');
  const length = pick(...streams.flatMap((request) => request.length ?? []));
  return streams.filter((request) => request.length === length);
}

function figuresOf(requests: readonly ProbeRequest[]) {
  return requests.map(({ record }) => verdictFigures(record));
}

// Each request is judged by the medians over all of them and by the context.
function judged(
  requests: readonly ProbeRequest[],
  framing: FramingName,
  context: VerdictContext,
): ProbeRequest[] {
  const verdicts = judgeStreams(figuresOf(requests), context);
  // The long answers of a length test have the most evidence; the report shows the verdict on the first request.
  const long = ofLength(requests, Math.max);
  if (context.lengths !== undefined && long.length > 0) {
    const { verdict, evidence } = summarizeVerdicts(judgeStreams(figuresOf(long), context));
    verdicts[0] = { ...verdicts[0]!, verdict, evidence };
  }
  return requests.map((request, index) => {
    const { record, afterTerminator, wire } = request;
    if (record.mode === 'non-streaming' || record.status === undefined) return request;
    const { terminated, oddities: dataOddities } = wire ?? {};
    return {
      ...request,
      streaming: record.contentEvents === 0 ? undefined : verdicts[index],
      // The outcome already reports a response that is not a stream.
      lint:
        record.events === 0 || record.outcome.kind === 'not_a_stream'
          ? undefined
          : lintResponse({
              ...record,
              framing,
              eventsAfterTerminator: afterTerminator,
              terminated,
              dataOddities,
            }),
    };
  });
}

// Method and URL of the request as sent, without the credentials of the URL.
function requestLine(target: Target, { messages, maxTokens }: Prompt, mode: Mode) {
  const { baseUrl, path, dialect, model, textPath, body, method } = target;
  const write = requestWriter(getDialect(dialect, { textPath }), { baseUrl, path, body, method });
  const request = write({ messages, stream: mode === 'streaming', model, maxTokens });
  return { url: `${request.origin.origin}${request.path}`, method: request.method };
}

function finite(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}

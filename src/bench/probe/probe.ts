import { lengthTest } from '../../analysis/streaming/length-test.ts';
import { lintResponse } from '../../analysis/streaming/response-lint.ts';
import { verdictFigures } from '../../analysis/streaming/stream-figures.ts';
import type { VerdictContext } from '../../analysis/streaming/streaming-verdict.ts';
import { judgeStreams, summarizeVerdicts } from '../../analysis/streaming/verdict-collector.ts';
import { createClient, type StreamClient } from '../../client/client.ts';
import { targetOptions } from '../../client/client-options.ts';
import { requestWriter } from '../../client/request-writer.ts';
import { createNonces } from '../../engine/executor.ts';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { UserError } from '../../model/errors.ts';
import { isPlainDialect, MAX_LIMIT_BYTES, type Prompt, type Target } from '../../model/plan.ts';
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
 * The dialect that a URL speaks, by its path: the first that calls the path its own, or else `sse`, because any
 * endpoint that streams at all most likely sends Server-Sent Events.
 */
export function dialectOf(url: string): string {
  return dialectOfUrl(url) ?? 'sse';
}

/** How a target is probed. */
export interface ProbeOptions {
  /** Requests, one after the other: the first connects, the others find the connection open. Default 1. */
  requests?: number;
  /**
   * Lengths in tokens, two or more: after one request as it is, `requests` more for each of them, in turns, tell whether
   * longer answers begin later. Default: none.
   */
  lengths?: readonly number[];
  /** A stream that goes on longer than this, from the request on, is ended; in ms. Default: never. */
  forMs?: number;
  /** Ends the request that is running; what was seen of it is reported. No other is sent. */
  signal?: AbortSignal;
  /** True when the dialect was concluded from the URL alone; the report says so. Default false. */
  guessed?: boolean;
  /** True when the method was concluded from the dialect; the hint for a refusal says so. Default false. */
  methodGuessed?: boolean;
  /** Told before each request, counted from 1. */
  onRequest?: (number: number) => void;
  /** Default: the machine's clock. */
  clock?: Clock;
}

/**
 * Sends the requests of a scenario's first target and prompt, and reports what was seen of each; where the scenario has
 * both modes, each streaming request is followed by one for the whole answer. A failed request is in the report; after one
 * that found nobody there, no other is sent. Rejects with a `UserError` where the target itself is not valid.
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
    const [target, prompt] = [plan.targets[0]!, plan.prompts[0]!];
    if (options.lengths !== undefined) refuseLengths(target);
    const modes = inOrder(loaded.scenario.modes);
    const { url, method } = requestLine(target, prompt, modes[0]!);
    const probedAt = clock.wallTime().toISOString();
    const timeouts = { ...plan.timeouts, totalMs: Math.max(plan.timeouts.totalMs, finite(forMs) + 1000) };
    // The loop below only collects: however much comes at once, the server is not held back.
    const limits = { ...plan.limits, aheadBytes: MAX_LIMIT_BYTES };
    const client = createClient({
      ...targetOptions(target),
      methodGuessed,
      timeouts,
      limits,
      secrets,
      clock,
    });
    try {
      await warmCode(target.dialect, target.connect?.http);
      const dialect = getDialect(target.dialect, { textPath: target.textPath });
      const nonces = createNonces(plan.seed, plan.salt ?? '', { index: 0, of: 1 });
      const turn = { target, prompt, dialect, nonces, forMs, signal: options.signal };
      const sent = await inTurn(client, turn, modes, options);
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

/** Plain endpoints take no length, unless a body or a query of the user's own holds a place for it. */
function refuseLengths(target: Target): void {
  const { dialect, body } = target;
  const takesLength = body === undefined ? !isPlainDialect(dialect) : true;
  if (takesLength && (body === undefined || body.includes('{{maxTokens}}'))) return;
  if (target.baseUrl.includes('{{maxTokens}}')) return;
  throw new UserError('usage', {
    message: `--lengths: ${body === undefined ? `the dialect ${dialect}` : 'the body'} has no place for a length`,
    hint: 'put {{maxTokens}} in --body or in the query of the URL',
  });
}

function inOrder(modes: readonly Mode[]): readonly Mode[] {
  return modes.length > 1 ? ['streaming', 'non-streaming'] : modes;
}

async function inTurn(
  client: StreamClient,
  turn: ProbeTurn & { nonces: () => string },
  modes: readonly Mode[],
  { requests = 1, lengths, onRequest }: ProbeOptions,
): Promise<ProbeRequest[]> {
  // One request as it is, which opens the connection; then the lengths take turns, so that drift hits all alike.
  const asked: (number | undefined)[] =
    lengths === undefined
      ? new Array(Math.max(1, requests)).fill(undefined)
      : [undefined, ...Array.from({ length: requests }, () => lengths).flat()];
  const sent: ProbeRequest[] = [];
  const keeps = turn.target.connect?.connection !== 'per-request';
  for (let seq = 0; seq < asked.length * modes.length; seq++) {
    // A stream that we ended took its connection with it. When there is none to be had, the request will say why.
    if (seq > 0 && keeps) await client.warm(1).catch(() => {});
    const mode = modes[seq % modes.length]!;
    if (mode === modes[0]) onRequest?.(seq / modes.length + 1);
    const nonce = turn.prompt.unique ? turn.nonces() : undefined;
    const length = asked[Math.floor(seq / modes.length)];
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

/** Good streams of the shortest or the longest length that was asked for. */
function ofLength(sent: readonly ProbeRequest[], pick: (...lengths: number[]) => number): ProbeRequest[] {
  const streams = sent.filter(({ record }) => record.mode === 'streaming' && record.outcome.kind === 'ok');
  const length = pick(...streams.flatMap((request) => request.length ?? []));
  return streams.filter((request) => request.length === length);
}

function figuresOf(requests: readonly ProbeRequest[]) {
  return requests.map(({ record }) => verdictFigures(record));
}

// All requests together say what is usual for the target; each is judged against that, and against what was measured
// beside it.
function judged(
  requests: readonly ProbeRequest[],
  framing: FramingName,
  context: VerdictContext,
): ProbeRequest[] {
  const verdicts = judgeStreams(figuresOf(requests), context);
  // Of a length test the long answers show most; the first request stands for all that is shown.
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
      ...(record.contentEvents === 0 ? {} : { streaming: verdicts[index]! }),
      // What is no stream at all has been told already.
      ...(record.events === 0 || record.outcome.kind === 'not_a_stream'
        ? {}
        : {
            lint: lintResponse({
              ...record,
              framing,
              eventsAfterTerminator: afterTerminator,
              terminated,
              dataOddities,
            }),
          }),
    };
  });
}

// Method and address of the request as it really goes out. Name and password of the address are left behind.
function requestLine(target: Target, { messages, maxTokens }: Prompt, mode: Mode) {
  const { baseUrl, path, dialect, model, textPath, body, method } = target;
  const write = requestWriter(getDialect(dialect, { textPath }), { baseUrl, path, body, method });
  const request = write({ messages, stream: mode === 'streaming', model, maxTokens });
  return { url: `${request.origin.origin}${request.path}`, method: request.method };
}

function finite(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}

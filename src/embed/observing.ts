import { verdictFigures } from '../analysis/streaming/stream-figures.ts';
import { judgeStreams, summarizeVerdicts } from '../analysis/streaming/verdict-collector.ts';
import { type Clock, monotonicClock } from '../model/clock.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { UserError } from '../model/errors.ts';
import type { Observation, StampSource } from '../model/record.ts';
import { createRedactor, type Redactor } from '../model/redaction/redactor.ts';
import type { Secret } from '../model/redaction/secrets.ts';
import type { StreamingReport, VerdictKind } from '../model/report.ts';
import { Recognition } from './recognition.ts';
import { requestSecrets, type SeenRequest } from './seen-request.ts';

/** The observation of one response that another library requested and read. Marks are in ms from the call. */
export interface MeasuredObservation extends Observation {
  stamp: StampSource;
  endpoint: Endpoint;
  /** What this stream shows of being live, by itself. Absent for whole answers and failures. See `streamingVerdict`. */
  verdict?: { verdict: VerdictKind; evidence: string };
}

/** Options of `measuredFetch` and `measuredDispatcher`. */
export interface MeasureOptions {
  /**
   * Called once for each response or failed request, after its end. What it throws, or rejects with, is reported as one
   * process warning and has no other effect.
   */
  onObservation(observation: MeasuredObservation): unknown;
  /** The dialect of all responses. Default: it is recognised by URL, headers and first events. */
  dialect?: string;
  /** Texts to hide in observations, in addition to the credentials in the request's headers and URL. */
  redact?: readonly string[];
  /** Keep the texts of answers in the observations. Default: false. */
  keepText?: boolean;
  /** Default: the machine's monotonic clock. */
  clock?: Clock;
}

/** Credentials for which a redactor is kept ready: making one takes longer than decoding an answer. */
const MAX_REDACTORS = 16;

// Browsers have no such module.
const asyncHooks = globalThis.process?.getBuiltinModule?.('node:async_hooks');

/** What the exchanges of one measured `fetch` or dispatcher share. */
export class Observing {
  readonly clock: Clock;
  readonly keepText: boolean;
  readonly recognition: Recognition;
  readonly stamp: StampSource;
  private readonly options: MeasureOptions;
  private readonly redactors = new Map<string, Redactor>();
  private hasWarned = false;

  /** Throws a `UserError` if there is no callback, or the dialect is unknown. */
  constructor(options: MeasureOptions | undefined, stamp: StampSource) {
    // Without the check, a program in JavaScript would learn of it by a warning, or not at all.
    if (typeof options?.onObservation !== 'function') {
      throw new UserError('usage', {
        message: 'onObservation is not a function',
        hint: 'give { onObservation(observation) { ... } }',
      });
    }
    this.options = options;
    this.stamp = stamp;
    this.clock = options.clock ?? monotonicClock;
    this.keepText = options.keepText ?? false;
    this.recognition = new Recognition(options.dialect);
  }

  redactorFor(request: SeenRequest): Redactor {
    const { redact = [] } = this.options;
    const secrets: Secret[] = [
      ...redact.map((value) => ({ name: '[redacted]', value })),
      ...requestSecrets(request),
    ];
    const key = secrets.map(({ value }) => value).join('\n');
    let redactor = this.redactors.get(key);
    if (redactor === undefined) {
      redactor = createRedactor(secrets);
      if (this.redactors.size >= MAX_REDACTORS) this.redactors.clear();
      this.redactors.set(key, redactor);
    }
    return redactor;
  }

  /**
   * Passes an observation on, in the asynchronous context of this call, so that a span of the callback is a child of the
   * caller's. The function never throws.
   */
  reporter(): (observation: Observation, endpoint: Endpoint) => void {
    const report = (observation: Observation, endpoint: Endpoint) => this.report(observation, endpoint);
    return asyncHooks ? asyncHooks.AsyncResource.bind(report) : report;
  }

  private report(observation: Observation, endpoint: Endpoint): void {
    try {
      const measured: MeasuredObservation = { ...observation, stamp: this.stamp, endpoint };
      if (observation.outcome.kind === 'ok' && observation.mode === 'streaming') {
        const [judged] = judgeStreams([verdictFigures(observation)]);
        if (judged !== undefined) measured.verdict = { verdict: judged.verdict, evidence: judged.evidence };
      }
      const result = this.options.onObservation(measured);
      if (result instanceof Promise) result.catch((error: unknown) => this.warn(error));
    } catch (error) {
      this.warn(error);
    }
  }

  /** Reports a failure of the measurement, or of the callback, as a process warning: once. */
  readonly warn = (error: unknown): void => {
    if (this.hasWarned) return;
    this.hasWarned = true;
    const message = error instanceof Error ? error.message : String(error);
    // Browsers and workers have no process.
    globalThis.process?.emitWarning?.(`streambench could not report an observation: ${message}`, {
      type: 'StreambenchWarning',
      code: 'STREAMBENCH_OBSERVATION',
      detail: 'The response was not affected. Further failures are not reported.',
    });
  };
}

/**
 * Judges the streams of one endpoint together: whether they are live, or generated first and then sent. A single stream is
 * never enough to call an endpoint fake, five are. Failed requests and whole answers are ignored.
 */
export function streamingVerdict(observations: Iterable<Observation>): StreamingReport {
  const figures = [];
  for (const observation of observations) {
    if (observation.outcome.kind === 'ok' && observation.mode === 'streaming')
      figures.push(verdictFigures(observation));
  }
  return summarizeVerdicts(judgeStreams(figures));
}

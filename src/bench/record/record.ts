import type { Cassette, RecordedExchange } from '../../cassettes/cassette.ts';
import { redactExchange, UnhideableSecret } from '../../cassettes/redact-exchange.ts';
import { type Clock, monotonicClock } from '../../model/clock.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { formatSizeLimit } from '../../model/format.ts';
import type { ProbeReport } from '../../report/probe-report.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { packageVersion } from '../environment.ts';
import { type ProbeOptions, probe } from '../probe/probe.ts';
import { ExchangeRecorder } from './exchange-recorder.ts';

/** Options of a recording: those of a probe, whose requests it sends. */
export interface RecordOptions extends Omit<ProbeOptions, 'tap' | 'lengths'> {
  /** Body bytes that are recorded of each response; the rest is left out with a warning. Default 64 MiB. */
  maxBytes?: number;
}

/** What was recorded. */
export interface Recording {
  cassette: Cassette;
  /** The requests as a probe reports them. */
  report: ProbeReport;
  /** One sentence each. */
  warnings: string[];
}

const MAX_BYTES = 64 * 2 ** 20;

/**
 * Sends the requests of a probe and records each exchange, without secrets. Rejects with a `UserError` where the target is
 * invalid, no request could be sent (`unreachable`), or a response cannot be stored safely (`output_unwritable`).
 */
export async function record(
  loaded: LoadedScenario,
  { maxBytes = MAX_BYTES, clock = monotonicClock as Clock, ...options }: RecordOptions = {},
): Promise<Recording> {
  const recorders: ExchangeRecorder[] = [];
  const recordedAt = clock.wallTime().toISOString();
  const report = await probe(loaded, {
    ...options,
    clock,
    tap(request) {
      const recorder = new ExchangeRecorder(request, maxBytes);
      recorders.push(recorder);
      return recorder;
    },
  });
  const exchanges = recorders.flatMap((recorder) => stored(recorder) ?? []);
  if (exchanges.length === 0) throw unreachable(report);
  const warnings = recorders.some(({ isFull }) => isFull)
    ? [`only the first ${formatSizeLimit(maxBytes)} of a response are recorded`]
    : [];
  const program = `streambench ${packageVersion()}`;
  return { cassette: { program, recordedAt, exchanges }, report, warnings };
}

function stored(recorder: ExchangeRecorder): RecordedExchange | undefined {
  const exchange = recorder.result();
  if (exchange === undefined) return undefined;
  try {
    return redactExchange(exchange, recorder.redactor);
  } catch (error) {
    if (!(error instanceof UnhideableSecret)) throw error;
    throw new UserError(
      'output_unwritable',
      {
        message: `nothing was stored: the response ${error.message}`,
        hint: 'record with another key, which you then revoke, or have the service send neither compressed nor quoted keys',
      },
      EXIT.unwritten,
    );
  }
}

function unreachable({ requests }: ProbeReport): UserError {
  const { message = 'the request was not sent', hint } = requests[0]?.record.outcome ?? {};
  return new UserError(
    'unreachable',
    { message: `nothing was recorded: ${message}`, hint },
    EXIT.unreachable,
  );
}

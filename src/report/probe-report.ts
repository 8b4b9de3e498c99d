import type { LengthTest } from '../analysis/streaming/length-test.ts';
import type { LintFinding } from '../analysis/streaming/response-lint.ts';
import type { StreamVerdict } from '../analysis/streaming/verdict-collector.ts';
import { between, msPerToken } from '../metrics/formulas.ts';
import { percentileOf } from '../metrics/percentile.ts';
import { isPlainDialect } from '../model/plan.ts';
import type { Mode, RequestRecord } from '../model/record.ts';
import { MARK_ORDER, type MarkName, type Marks } from '../model/timeline.ts';
import { jsonText } from '../model/visible.ts';

/** The results of a probe. */
export interface ProbeReport {
  schema: 'streambench/probe@1';
  /** Start time; ISO 8601. */
  probedAt: string;
  target: ProbeTarget;
  software: { streambench: string; node: string; undici: string };
  /** In the order in which they were sent. At least one. */
  requests: readonly ProbeRequest[];
  /** Requests on new connections, and requests on reused connections. */
  cold: ConnectionGroup;
  warm: ConnectionGroup;
  /** The same requests without streaming; only with `--mode both`. */
  whole?: WholeAnswers;
  /** Short against long answers; null with too few successful requests. Only with `--lengths`. */
  lengths?: LengthTest | null;
}

/** The target of a probe. Contains no secrets. */
interface ProbeTarget {
  url: string;
  method: 'GET' | 'POST';
  provider: string;
  dialect: string;
  model?: string;
  mode: Mode;
  /** True if the dialect was derived from the URL alone. */
  guessed: boolean;
  /** Whether each request had its own nonce, so that no prefix cache can answer. Default: false. */
  unique?: boolean;
}

/** One request of a probe. */
export interface ProbeRequest {
  record: RequestRecord;
  /** Times at which content arrived, on the record's time scale, with the number of content events. */
  arrivals: readonly (readonly [atMs: number, events: number])[];
  /** Number of events after the protocol's terminator; absent if none. */
  afterTerminator?: number;
  /** Findings in the raw bytes of a successful stream. */
  wire?: { terminated?: boolean; oddities: readonly string[] };
  /** The requested length in a length test, in tokens; absent for other requests. */
  length?: number;
  /** The first 200 characters of the answer text. */
  preview?: string;
  /** Why the client ended the stream; its outcome is then `cancelled`. */
  stopped?: { by: 'time' | 'interrupt'; afterMs: number };
  /** The streaming verdict with its evidence. */
  streaming?: StreamVerdict;
  /** Problems and risks of the response, most severe first. */
  lint?: readonly LintFinding[];
}

/** Requests for whole answers; each is sent after one for a stream. */
interface WholeAnswers {
  requests: readonly ProbeRequest[];
  /** Median total of the successful requests, from `sent`; null if there are none. */
  totalMs: number | null;
}

/** Requests on new, or on reused, connections. */
interface ConnectionGroup {
  /** Number of successful requests. */
  n: number;
  /** Median time of each mark, in ms from the start of the request; absent if no request has the mark. */
  atMs: Partial<Record<MarkName, number>>;
}

/** The successful ones among `requests` whose connection was reused, or was not. */
export function connectionGroup(requests: readonly ProbeRequest[], reused: boolean): ConnectionGroup {
  const members = requests.filter(
    (request) => request.record.connection?.reused === reused && succeeded(request),
  );
  const atMs: ConnectionGroup['atMs'] = {};
  for (const mark of MARK_ORDER) {
    if (mark === 'scheduled' || mark === 'started' || mark === 'connectStart') continue;
    const times = members
      .map(({ record: { marks } }) => between(beginning(marks), marks[mark]))
      .filter((time) => time !== null);
    if (times.length > 0) {
      const median = percentileOf(
        times.sort((a, b) => a - b),
        0.5,
      );
      atMs[mark] = Math.round(median * 1000) / 1000;
    }
  }
  return { n: members.length, atMs };
}

/** The non-streaming ones among `requests`. */
export function wholeAnswers(requests: readonly ProbeRequest[]): WholeAnswers {
  const members = requests.filter(({ record }) => record.mode === 'non-streaming');
  const totals = members
    .filter(succeeded)
    .map(({ record: { marks } }) => between(marks.sent, marks.end))
    .filter((total) => total !== null)
    .sort((a, b) => a - b);
  return { requests: members, totalMs: totals.length === 0 ? null : percentileOf(totals, 0.5) };
}

/** True if the answer was complete, or was received without error until the client ended the stream. */
export function succeeded({ record, stopped }: ProbeRequest): boolean {
  if (record.outcome.kind === 'ok') return true;
  return stopped !== undefined && record.bytes > 0 && (record.status ?? 0) < 300;
}

/** The start of a request: the time at which its connection was started, or else its dispatch. */
export function beginning({ connectStart, started }: Marks): number {
  return connectStart ?? started;
}

/** What a request waits for during a step. */
export type StepKind = 'connect' | 'send' | 'wait' | 'think' | 'answer' | 'tail';

/** The time between two marks of a request, in ms from its start. */
export interface Step {
  mark: MarkName;
  title: string;
  kind: StepKind;
  fromMs: number;
  toMs: number;
}

const STEPS: readonly { mark: MarkName; title: string; kind: StepKind }[] = [
  { mark: 'dns', title: 'dns', kind: 'connect' },
  { mark: 'tcp', title: 'tcp', kind: 'connect' },
  { mark: 'tls', title: 'tls', kind: 'connect' },
  { mark: 'sent', title: 'request sent', kind: 'send' },
  { mark: 'headers', title: 'headers', kind: 'wait' },
  { mark: 'firstByte', title: 'first byte', kind: 'wait' },
  { mark: 'firstEvent', title: 'first event', kind: 'wait' },
  { mark: 'firstToken', title: 'first token', kind: 'wait' },
  { mark: 'firstAnswer', title: 'first answer', kind: 'think' },
  { mark: 'lastToken', title: 'last token', kind: 'answer' },
  { mark: 'end', title: 'end', kind: 'tail' },
];

const PLAIN_TITLES: Partial<Record<MarkName, string>> = {
  firstToken: 'first content',
  lastToken: 'last content',
};
const TOKEN_MARKS: readonly MarkName[] = ['firstEvent', 'firstToken', 'firstAnswer', 'lastToken'];

/** The marks to show, with their titles in this mode and dialect. */
export function stepTitles(mode: Mode, dialect: string): readonly Omit<Step, 'fromMs' | 'toMs'>[] {
  // The tokens of a whole answer have no times of their own.
  if (mode === 'non-streaming') {
    return STEPS.filter(({ mark }) => !TOKEN_MARKS.includes(mark)).map((step) =>
      step.mark === 'end' ? { ...step, kind: 'answer' } : step,
    );
  }
  if (!isPlainDialect(dialect)) return STEPS;
  // The content of a plain endpoint may be neither tokens nor an answer.
  return STEPS.filter(({ mark }) => mark !== 'firstAnswer').map((step) => ({
    ...step,
    title: PLAIN_TITLES[step.mark] ?? step.title,
  }));
}

/** The steps that a request reached, in order. */
export function stepsOf({ marks, mode }: RequestRecord, dialect: string): Step[] {
  const zero = beginning(marks);
  let reached = 0;
  return stepTitles(mode, dialect).flatMap((step) => {
    const mark = marks[step.mark];
    if (mark === undefined) return [];
    const fromMs = reached;
    // A server may answer before the whole request was sent, so a mark can be earlier than the one before it.
    reached = Math.max(reached, mark - zero);
    return [{ ...step, fromMs, toMs: reached }];
  });
}

/** The main figures of a request; TTFB, TTFT and total are from `sent`. */
interface Headline {
  ttfbMs: number | null;
  ttftMs: number | null;
  totalMs: number | null;
  tokensPerSecond: number | null;
  eventsPerSecond: number | null;
}

/** The main figures of a request, by the formulas of the metric table. */
export function headline(record: RequestRecord): Headline {
  const { marks, contentEvents } = record;
  const perToken = record.mode === 'streaming' ? msPerToken(record) : null;
  const span = between(marks.firstToken, marks.lastToken);
  return {
    ttfbMs: between(marks.sent, marks.headers),
    ttftMs: between(marks.sent, marks.firstToken),
    totalMs: between(marks.sent, marks.end),
    tokensPerSecond: perToken === null ? null : 1000 / perToken,
    eventsPerSecond: span !== null && span > 0 ? ((contentEvents - 1) * 1000) / span : null,
  };
}

/** The report as one indented JSON document, with lists of numbers on one line and a final line feed. */
export function probeJson(report: ProbeReport): string {
  const text = jsonText(report, 2).replaceAll(/\[\n[\d\s.,]+\]/g, (list) => list.replaceAll(/\s+/g, ''));
  return `${text}\n`;
}

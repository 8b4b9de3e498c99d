import type { LengthTest } from '../analysis/streaming/length-test.ts';
import type { LintFinding } from '../analysis/streaming/response-lint.ts';
import type { StreamVerdict } from '../analysis/streaming/verdict-collector.ts';
import { between, msPerToken } from '../metrics/formulas.ts';
import { percentileOf } from '../metrics/percentile.ts';
import { isPlainDialect } from '../model/plan.ts';
import type { Mode, RequestRecord } from '../model/record.ts';
import { MARK_ORDER, type MarkName, type Marks } from '../model/timeline.ts';
import { jsonText } from '../model/visible.ts';

/** What a probe found out: the document behind its drawing. */
export interface ProbeReport {
  schema: 'streambench/probe@1';
  /** When it began; ISO 8601. */
  probedAt: string;
  target: ProbeTarget;
  software: { streambench: string; node: string; undici: string };
  /** In the order in which they were sent, one after the other. At least one. */
  requests: readonly ProbeRequest[];
  /** Requests that had to connect first, and requests that found a connection open. */
  cold: ConnectionGroup;
  warm: ConnectionGroup;
  /** The same answers without streaming; only where both were asked for. */
  whole?: WholeAnswers;
  /** Short against long answers; null where too few ended well. Absent where no lengths were asked for. */
  lengths?: LengthTest | null;
}

/** What was probed. Holds no secret. */
interface ProbeTarget {
  url: string;
  method: 'GET' | 'POST';
  provider: string;
  dialect: string;
  model?: string;
  mode: Mode;
  /** True when the dialect was concluded from the URL alone. */
  guessed: boolean;
  /** Whether each request had a nonce, so that none is answered from a cache of prefixes. Default: false. */
  unique?: boolean;
}

/** One request of a probe. */
export interface ProbeRequest {
  record: RequestRecord;
  /** Milliseconds at which content arrived, on the record's own scale, and how many content events came then. */
  arrivals: readonly (readonly [atMs: number, events: number])[];
  /** Events that came after the protocol's terminator; absent where there were none. */
  afterTerminator?: number;
  /** What the raw bytes of a stream that ended well show. */
  wire?: { terminated?: boolean; oddities: readonly string[] };
  /** The length that was asked for in a length test, in tokens; absent for other requests. */
  length?: number;
  /** The beginning of the answer text, up to 200 characters. */
  preview?: string;
  /** Why a stream that would have gone on was ended; its outcome is then `cancelled`. */
  stopped?: { by: 'time' | 'interrupt'; afterMs: number };
  /** Whether it really streamed, and why we think so. */
  streaming?: StreamVerdict;
  /** What is wrong, or risky, with the response; gravest first. */
  lint?: readonly LintFinding[];
}

/** Requests for whole answers, each sent after one for a stream. */
interface WholeAnswers {
  requests: readonly ProbeRequest[];
  /** Median total of those that ended well, counted from `sent`; null where none did. */
  totalMs: number | null;
}

/** Requests on one kind of connection. */
interface ConnectionGroup {
  /** Requests that came well to their end. */
  n: number;
  /** Median time of each mark, in ms from the beginning of the request; absent where no request has it. */
  atMs: Partial<Record<MarkName, number>>;
}

/** The group of those among `requests` that ended well and whose connection was, or was not, open already. */
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

/** True when the answer came whole, or came well until we ended it ourselves. */
export function succeeded({ record, stopped }: ProbeRequest): boolean {
  if (record.outcome.kind === 'ok') return true;
  return stopped !== undefined && record.bytes > 0 && (record.status ?? 0) < 300;
}

/**
 * What the times of a request count from: the moment its connection was begun, or else the moment it was handed to
 * the transport.
 */
export function beginning({ connectStart, started }: Marks): number {
  return connectStart ?? started;
}

/** What a request was waiting for during a step. */
export type StepKind = 'connect' | 'send' | 'wait' | 'think' | 'answer' | 'tail';

/** From one mark of a request to the next, in ms from its beginning. */
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

/** The marks that are worth a line, with their names in this mode and dialect. */
export function stepTitles(mode: Mode, dialect: string): readonly Omit<Step, 'fromMs' | 'toMs'>[] {
  // A whole answer is there with its last byte: its tokens have no times of their own.
  if (mode === 'non-streaming') {
    return STEPS.filter(({ mark }) => !TOKEN_MARKS.includes(mark)).map((step) =>
      step.mark === 'end' ? { ...step, kind: 'answer' } : step,
    );
  }
  if (!isPlainDialect(dialect)) return STEPS;
  // What a plain endpoint sends need be neither a token nor an answer.
  return STEPS.filter(({ mark }) => mark !== 'firstAnswer').map((step) => ({
    ...step,
    title: PLAIN_TITLES[step.mark] ?? step.title,
  }));
}

/** The steps that a request came through, in their order. */
export function stepsOf({ marks, mode }: RequestRecord, dialect: string): Step[] {
  const zero = beginning(marks);
  let reached = 0;
  return stepTitles(mode, dialect).flatMap((step) => {
    const mark = marks[step.mark];
    if (mark === undefined) return [];
    const fromMs = reached;
    // A server may answer before it was sent all of the request; time does not run backwards for that.
    reached = Math.max(reached, mark - zero);
    return [{ ...step, fromMs, toMs: reached }];
  });
}

/** The headline figures of a request, where it has them: TTFB, TTFT and total count from `sent`. */
interface Headline {
  ttfbMs: number | null;
  ttftMs: number | null;
  totalMs: number | null;
  tokensPerSecond: number | null;
  eventsPerSecond: number | null;
}

/** The headline figures of a request, by the same formulas as in every other report. */
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

/** The report as one JSON document, indented, with lists of numbers on one line and a line feed at its end. */
export function probeJson(report: ProbeReport): string {
  const text = jsonText(report, 2).replaceAll(/\[\n[\d\s.,]+\]/g, (list) => list.replaceAll(/\s+/g, ''));
  return `${text}\n`;
}

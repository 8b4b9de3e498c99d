import { UserError } from '../model/errors.ts';
import type { Unit } from '../model/format.ts';
import type { Mode, RequestRecord } from '../model/record.ts';
import { suggest } from '../model/suggestions.ts';
import type { MarkName } from '../model/timeline.ts';
import { between, cachedShare, connecting, readingWait, stalledGaps } from './formulas.ts';
import { TOKEN_COUNTS, TOKEN_SPEEDS } from './token-metrics.ts';

/**
 * What every number means, as data: the one place where a metric gets its name, its unit and its formula. The
 * tables, the thresholds, the comparison and the manual read it from here.
 */

/** What a metric needs to know beside the record. */
export interface MetricContext {
  /** Gaps between content events of more than this are stalls. */
  stallMs: number;
}

/** One metric. */
export interface MetricDefinition {
  /** The name in reports and thresholds. */
  readonly name: string;
  /** The name in tables' headings. */
  readonly title: string;
  readonly unit: Unit;
  /** Which direction is an improvement; `none` for what only describes the answer. */
  readonly better: 'lower' | 'higher' | 'none';
  readonly formula: string;
  readonly note?: string;
  /** The modes in which it means anything. Default: both. */
  readonly modes?: readonly Mode[];
  /**
   * The record's value, its values where a request has several, or null where it has none. Never NaN, infinite or
   * negative. Looks at the marks alone: leaving out requests that failed is the caller's part.
   */
  values(record: RequestRecord, context: MetricContext): number | readonly number[] | null;
}

const STREAMING: readonly Mode[] = ['streaming'];

// The guard is put around every formula once, so that no formula has to think of it.
function define(definition: MetricDefinition): MetricDefinition {
  return {
    ...definition,
    values(record, context) {
      if (definition.modes && !definition.modes.includes(record.mode)) return null;
      const value = definition.values(record, context);
      if (typeof value === 'number') return isValue(value) ? value : null;
      if (value === null) return null;
      return value.every(isValue) ? value : value.filter(isValue);
    },
  };
}

function isValue(value: number): boolean {
  return Number.isFinite(value) && value >= 0;
}

// A client that waits for a slow service sends less, and the requests that it did not send are missing from the figures
// (coordinated omission). Counted from when they were due, they are there.
function fromDue(name: string, mark: MarkName): MetricDefinition {
  return {
    name: `${name}_scheduled`,
    title: `${name.toUpperCase().replace(/^(LATENCY|TOTAL)$/, (word) => word.toLowerCase())} since due`,
    unit: 'ms',
    better: 'lower',
    formula: `${mark} - scheduled`,
    note: 'open loop (a rate) only: waiting for a connection and the client are in it',
    values: ({ rate, marks }) => (rate === undefined ? null : between(marks.scheduled, marks[mark])),
  };
}

/** Every metric, in the order of the tables. */
export const METRICS: readonly MetricDefinition[] = (
  [
    {
      name: 'ttfb',
      title: 'TTFB',
      unit: 'ms',
      better: 'lower',
      formula: 'headers - sent',
      note: 'time to the status line and headers, without connecting',
      values: ({ marks }) => between(marks.sent, marks.headers),
    },
    {
      name: 'ttfb_body',
      title: 'first body byte',
      unit: 'ms',
      better: 'lower',
      formula: 'firstByte - sent',
      values: ({ marks }) => between(marks.sent, marks.firstByte),
    },
    {
      name: 'ttfe',
      title: 'first event',
      unit: 'ms',
      better: 'lower',
      formula: 'firstEvent - sent',
      note: 'the first event that is not a comment, with or without content',
      values: ({ marks }) => between(marks.sent, marks.firstEvent),
    },
    {
      name: 'ttft',
      title: 'TTFT',
      unit: 'ms',
      better: 'lower',
      formula: 'firstToken - sent',
      note: 'time to the first content; reasoning and tool calls count, also of tools that the service runs; a role-only chunk does not',
      values: ({ marks }) => between(marks.sent, marks.firstToken),
    },
    {
      name: 'ttfa',
      title: 'TTFA',
      unit: 'ms',
      better: 'lower',
      formula: 'firstAnswer - sent',
      note: 'time to the first answer text, sound or image: what a reader of a reasoning model waits for',
      values: ({ marks }) => between(marks.sent, marks.firstAnswer),
    },
    {
      name: 'ttst',
      title: 'second token',
      unit: 'ms',
      better: 'lower',
      formula: 'second content event - first content event',
      note: '0 when the two came in one read',
      modes: STREAMING,
      values: ({ secondTokenGap }) => secondTokenGap ?? null,
    },
    {
      name: 'gap',
      title: 'gap',
      unit: 'ms',
      better: 'lower',
      formula: 'between neighbouring content events of different reads',
      note: 'events that share a read have no arrival time of their own; they are counted as coalesced',
      modes: STREAMING,
      values: ({ gaps }) => gaps,
    },
    ...TOKEN_SPEEDS,
    {
      name: 'latency',
      title: 'latency',
      unit: 'ms',
      better: 'lower',
      formula: 'lastToken - sent',
      values: ({ marks }) => between(marks.sent, marks.lastToken),
    },
    {
      name: 'total',
      title: 'total',
      unit: 'ms',
      better: 'lower',
      formula: 'end - sent',
      values: ({ marks }) => between(marks.sent, marks.end),
    },
    {
      name: 'reader_wait',
      title: 'reader waits',
      unit: 'ms',
      better: 'lower',
      formula: 'time in which a reader of 24 characters a second has nothing to read',
      note: 'for the beginning, and wherever the text runs out; a whole answer is waited for whole',
      values: (record) => readingWait(record),
    },
    {
      name: 'tail',
      title: 'tail',
      unit: 'ms',
      better: 'lower',
      formula: 'end - lastToken',
      note: 'usage and terminator, after the answer is complete',
      modes: STREAMING,
      values: ({ marks }) => between(marks.lastToken, marks.end),
    },
    {
      name: 'connect',
      title: 'connect',
      unit: 'ms',
      better: 'lower',
      formula: 'dns + tcp + tls',
      note: 'new connections only',
      values: (record) => connecting(record, (m) => between(m.connectStart, m.tls ?? m.tcp)),
    },
    {
      name: 'dns',
      title: 'DNS',
      unit: 'ms',
      better: 'lower',
      formula: 'dns - connectStart',
      note: 'new connections only; none for an address given in figures',
      values: (record) => connecting(record, (m) => between(m.connectStart, m.dns)),
    },
    {
      name: 'tcp',
      title: 'TCP',
      unit: 'ms',
      better: 'lower',
      formula: 'tcp - dns',
      note: 'new connections only; from connectStart where no name was resolved',
      values: (record) => connecting(record, (m) => between(m.dns ?? m.connectStart, m.tcp)),
    },
    {
      name: 'tls',
      title: 'TLS',
      unit: 'ms',
      better: 'lower',
      formula: 'tls - tcp',
      note: 'new connections only',
      values: (record) => connecting(record, (m) => between(m.tcp, m.tls)),
    },
    {
      name: 'queue',
      title: 'queue',
      unit: 'ms',
      better: 'lower',
      formula: 'started - scheduled',
      note: "the client's own lateness",
      values: ({ marks }) => between(marks.scheduled, marks.started),
    },
    fromDue('ttfb', 'headers'),
    fromDue('ttft', 'firstToken'),
    fromDue('ttfa', 'firstAnswer'),
    fromDue('latency', 'lastToken'),
    fromDue('total', 'end'),
    {
      name: 'stalls',
      title: 'stalls',
      unit: 'count',
      better: 'lower',
      formula: 'number of gaps over the stall limit',
      note: 'per request',
      modes: STREAMING,
      values: (record, { stallMs }) => stalledGaps(record, stallMs)?.length ?? null,
    },
    {
      name: 'stalled_ms',
      title: 'stalled',
      unit: 'ms',
      better: 'lower',
      formula: 'sum of the gaps over the stall limit',
      note: 'per request',
      modes: STREAMING,
      values: (record, { stallMs }) =>
        stalledGaps(record, stallMs)?.reduce((sum, gap) => sum + gap, 0) ?? null,
    },
    {
      name: 'longest_gap',
      title: 'longest gap',
      unit: 'ms',
      better: 'lower',
      formula: 'the largest gap of a request',
      modes: STREAMING,
      values: ({ gaps }) =>
        gaps.length === 0 ? null : gaps.reduce((longest, gap) => Math.max(longest, gap), 0),
    },
    {
      name: 'chunks',
      title: 'chunks',
      unit: 'count',
      better: 'none',
      formula: 'content events',
      modes: STREAMING,
      values: ({ contentEvents }) => contentEvents,
    },
    ...TOKEN_COUNTS,
    {
      name: 'cached_share',
      title: 'cached',
      unit: 'ratio',
      better: 'none',
      formula: 'cached input tokens / input tokens',
      note: 'as the provider counts them; none where it does not tell',
      values: cachedShare,
    },
    {
      name: 'bytes',
      title: 'bytes',
      unit: 'bytes',
      better: 'none',
      formula: 'body bytes',
      values: ({ bytes }) => bytes,
    },
  ] satisfies MetricDefinition[]
).map(define);

const BY_NAME = new Map(METRICS.map((definition) => [definition.name, definition]));

/** The metric of that name. Throws a `UserError` (`unknown_metric`) that says which name was probably meant. */
export function metric(name: string): MetricDefinition {
  const definition = BY_NAME.get(name);
  if (definition) return definition;
  throw new UserError('unknown_metric', {
    message: `unknown metric "${name}"`,
    hint: suggest(
      name,
      METRICS.map((known) => known.name),
    ),
  });
}

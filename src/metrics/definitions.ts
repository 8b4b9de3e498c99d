import { UserError } from '../model/errors.ts';
import type { Unit } from '../model/format.ts';
import type { Unobserved } from '../model/origin.ts';
import type { Mode, RequestRecord } from '../model/record.ts';
import { suggest } from '../model/suggestions.ts';
import { CONNECTION_TIMES } from './connection-metrics.ts';
import { between, cachedShare, openGapMs, readingWait, stalledGaps } from './formulas.ts';
import { RETRY_METRICS, sinceDue } from './since-due-metrics.ts';
import type { Stamp } from './stamps.ts';
import { TOKEN_COUNTS, TOKEN_SPEEDS } from './token-metrics.ts';

/**
 * The metric table: name, unit, formula and all other facts of every metric. Tables, thresholds, comparisons and the manual
 * read them from here.
 */

/** What a metric needs in addition to the record. */
export interface MetricContext {
  /** Gaps between content events longer than this are stalls. */
  stallMs: number;
}

/** One metric. */
export interface MetricDefinition {
  /** The name in reports and thresholds. */
  readonly name: string;
  /** The name in table headings. */
  readonly title: string;
  readonly unit: Unit;
  /** Which direction is an improvement; `none` for a metric that only describes the answer. */
  readonly better: 'lower' | 'higher' | 'none';
  readonly formula: string;
  readonly note?: string;
  /** The modes in which it is defined. Default: both. */
  readonly modes?: readonly Mode[];
  /** For a time: the client's stamp that it ends with. Default: it does not depend on one. */
  readonly stamp?: Stamp;
  /** True for a rate over a whole answer: one late stamp is spread over all of its tokens. */
  readonly overSpan?: true;
  /** True for a time that counts from when the request was due, so that a late start of the client is part of it. */
  readonly sinceDue?: true;
  /** True for a property of the connection: a failed request says nothing about it. */
  readonly ofConnection?: true;
  /** True if a good answer may lack it: sent over an open connection, or in one piece. An objective is then met. */
  readonly optional?: true;
  /** True for a time of the whole answer: a stream that the client cut as planned has none. */
  readonly ofWhole?: true;
  /** Fields of the record that it needs: none where an imported record lacks one. Marks that are absent need no mention. */
  readonly needs?: readonly Unobserved[];
  /** True if it is also reported for cache hits and misses: the metrics that depend on the length of the prompt. */
  readonly byCache?: true;
  /**
   * The record's value, its values if a request has several, or null if it has none. Never NaN, infinite or negative. Failed
   * requests are not excluded: that is up to the caller.
   */
  values(record: RequestRecord, context: MetricContext): number | readonly number[] | null;
}

const STREAMING: readonly Mode[] = ['streaming'];

// Checks the mode and the range of values once for all formulas.
function define(definition: MetricDefinition): MetricDefinition {
  return {
    ...definition,
    values(record, context) {
      if (definition.modes && !definition.modes.includes(record.mode)) return null;
      if (definition.ofWhole && record.cut) return null;
      const { unobserved } = record;
      if (unobserved !== undefined && definition.needs?.some((field) => unobserved.includes(field)))
        return null;
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

/** Every metric, in the order of the tables. */
export const METRICS: readonly MetricDefinition[] = (
  [
    {
      name: 'ttfb',
      title: 'TTFB',
      unit: 'ms',
      better: 'lower',
      formula: 'headers - sent',
      stamp: 'headers',
      note: 'time to the status line and headers, without connecting',
      values: ({ marks }) => between(marks.sent, marks.headers),
    },
    {
      name: 'ttfb_body',
      title: 'first body byte',
      unit: 'ms',
      better: 'lower',
      formula: 'firstByte - sent',
      stamp: 'firstByte',
      values: ({ marks }) => between(marks.sent, marks.firstByte),
    },
    {
      name: 'ttfe',
      title: 'first event',
      unit: 'ms',
      better: 'lower',
      formula: 'firstEvent - sent',
      stamp: 'firstEvent',
      note: 'the first event other than a comment, with or without content',
      values: ({ marks }) => between(marks.sent, marks.firstEvent),
    },
    {
      name: 'ttft',
      title: 'TTFT',
      unit: 'ms',
      better: 'lower',
      formula: 'firstToken - sent',
      stamp: 'firstToken',
      byCache: true,
      note: 'time to the first content, including reasoning and tool calls (also of server-side tools); a role-only chunk does not count',
      values: ({ marks }) => between(marks.sent, marks.firstToken),
    },
    {
      name: 'ttfa',
      title: 'TTFA',
      unit: 'ms',
      better: 'lower',
      formula: 'firstAnswer - sent',
      stamp: 'firstAnswer',
      byCache: true,
      note: 'time to the first answer text, audio or image: for a reasoning model, the time until the answer begins',
      values: ({ marks }) => between(marks.sent, marks.firstAnswer),
    },
    {
      name: 'ttst',
      title: 'second token',
      unit: 'ms',
      better: 'lower',
      formula: 'second content event - first content event',
      stamp: 'content',
      optional: true,
      note: '0 if both came in one read',
      modes: STREAMING,
      values: ({ secondTokenGap }) => secondTokenGap ?? null,
    },
    {
      name: 'gap',
      title: 'gap',
      unit: 'ms',
      better: 'lower',
      formula: 'between neighbouring content events of different reads',
      stamp: 'content',
      optional: true,
      note: 'events that share a read have the same arrival time: they are counted as coalesced',
      modes: STREAMING,
      values: ({ gaps }) => gaps,
    },
    ...TOKEN_SPEEDS,
    {
      name: 'latency',
      needs: ['lastToken'],
      title: 'latency',
      unit: 'ms',
      better: 'lower',
      formula: 'lastToken - sent',
      stamp: 'lastToken',
      ofWhole: true,
      byCache: true,
      values: ({ marks }) => between(marks.sent, marks.lastToken),
    },
    {
      name: 'total',
      title: 'total',
      unit: 'ms',
      better: 'lower',
      formula: 'end - sent',
      stamp: 'end',
      ofWhole: true,
      note: 'none for a stream that was cut as planned',
      byCache: true,
      values: ({ marks }) => between(marks.sent, marks.end),
    },
    {
      name: 'reader_wait',
      needs: ['gaps', 'chars'],
      title: 'reader start',
      unit: 'ms',
      better: 'lower',
      formula: 'time until a reader can start and read without a pause, at 24 characters/s',
      note: 'latency for a non-streaming answer',
      stamp: 'content',
      ofWhole: true,
      values: (record) => readingWait(record),
    },
    {
      name: 'tail',
      needs: ['lastToken', 'end'],
      title: 'tail',
      unit: 'ms',
      better: 'lower',
      formula: 'end - lastToken',
      stamp: 'end',
      ofWhole: true,
      note: 'usage and terminator after the complete answer',
      modes: STREAMING,
      values: ({ marks }) => between(marks.lastToken, marks.end),
    },
    ...CONNECTION_TIMES,
    {
      name: 'queue',
      needs: ['scheduled'],
      title: 'queue',
      unit: 'ms',
      better: 'lower',
      formula: 'started - scheduled',
      note: "the client's own lateness",
      values: ({ marks }) => between(marks.scheduled, marks.started),
    },
    ...RETRY_METRICS,
    sinceDue('ttfb', 'headers'),
    sinceDue('ttft', 'firstToken'),
    sinceDue('ttfa', 'firstAnswer'),
    sinceDue('latency', 'lastToken'),
    sinceDue('total', 'end'),
    {
      name: 'stalls',
      needs: ['gaps'],
      title: 'stalls',
      unit: 'count',
      better: 'lower',
      formula: 'number of gaps over the stall limit',
      note: 'per request; of a stream that was cut as planned, also the silence before the cut',
      modes: STREAMING,
      values: (record, { stallMs }) => stalledGaps(record, stallMs)?.length ?? null,
    },
    {
      name: 'stalled_ms',
      needs: ['gaps'],
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
      needs: ['gaps'],
      title: 'longest gap',
      unit: 'ms',
      better: 'lower',
      formula: 'the largest gap of a request',
      note: 'of a stream that was cut as planned, also the silence before the cut',
      stamp: 'content',
      optional: true,
      modes: STREAMING,
      values(record) {
        const { gaps, cut } = record;
        if (gaps.length === 0 && !cut) return null;
        return gaps.reduce((longest, gap) => Math.max(longest, gap), openGapMs(record));
      },
    },
    {
      name: 'chunks',
      needs: ['contentEvents'],
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
      note: "by the provider's count; none if it reports none",
      values: cachedShare,
    },
    {
      name: 'bytes',
      needs: ['bytes'],
      title: 'bytes',
      unit: 'bytes',
      better: 'none',
      formula: 'body bytes',
      values: ({ bytes }) => bytes,
    },
  ] satisfies MetricDefinition[]
).map(define);

const BY_NAME = new Map(METRICS.map((definition) => [definition.name, definition]));

/** The metric of that name. Throws a `UserError` (`unknown_metric`) that suggests the closest name. */
export function metric(name: string): MetricDefinition {
  const definition = BY_NAME.get(name);
  if (definition) return definition;
  const hint = suggest(name, [...BY_NAME.keys()]);
  throw new UserError('unknown_metric', { message: `unknown metric "${name}"`, hint });
}

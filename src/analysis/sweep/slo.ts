import { METRICS, type MetricContext, type MetricDefinition } from '../../metrics/definitions.ts';
import { holds, meets, type Objective, type Operator } from '../../metrics/objective-check.ts';
import { UserError } from '../../model/errors.ts';
import type { Unit } from '../../model/format.ts';
import type { RequestRecord } from '../../model/record.ts';
import type { SweepSubject } from '../../model/sweep.ts';
import type { LabelName, Threshold } from '../thresholds/threshold-parser.ts';
import { parseThreshold } from '../thresholds/threshold-parser.ts';

/**
 * The objectives of a sweep. They are written as thresholds are. Those that a sweep can decide have a confidence interval and
 * become worse with the load: percentiles and means of metrics, and shares of requests.
 */

/** What reading a request's values needs. */
export interface SloContext extends MetricContext {
  /** The limits for single requests, for `goodput.rate`. */
  objectives: readonly Objective[];
}

/** An objective of a sweep. */
export interface Slo {
  threshold: Threshold;
  unit: Unit;
  /** The metric whose values are judged, or the family of a share. */
  family: string;
  /**
   * `percentile`: the share of values that violate the limit may be at most `allowed`. `share`: the values are 1 for a request
   * that violates and 0 for another. `mean`: the mean of the values.
   */
  kind: 'percentile' | 'share' | 'mean';
  /** Percentile, share: the share of values that may violate. */
  allowed: number;
  /** Added because no objective limits errors: a level is not broken before its interval shows it. */
  isImplied: boolean;
  /** The values of a request; empty where it has none. */
  read(record: RequestRecord, context: SloContext): readonly number[];
}

/** Added where no objective limits errors: a service that refuses most requests may answer the others fast. */
const IMPLIED_ERRORS = 'errors.rate < 1%';

const LESS: readonly Operator[] = ['<', '<='];
const MORE: readonly Operator[] = ['>', '>='];
const EXAMPLE = 'example: ttft.p95 < 800ms';

/** Parses an objective of a sweep. Throws a `UserError` (`usage`) with the expression, the column and the remedy. */
export function parseSlo(text: string): Slo {
  const threshold = parseThreshold(text);
  const { quantity, operator, labels, versus, limit } = threshold;
  const refused = labels.find(({ name }) => CHANGED_BY_SWEEP.includes(name));
  if (refused !== undefined)
    refuse(threshold, `a sweep chooses the ${refused.name} itself`, 'omit the label', refused.column);
  if (versus !== undefined)
    refuse(threshold, 'a sweep measures each target by itself: vs has no meaning', 'omit vs', versus.column);
  if (quantity.cacheGroup !== undefined)
    refuse(threshold, 'a sweep does not judge cache hits and misses apart', 'omit the label cache');
  if (quantity.turn !== undefined)
    refuse(threshold, 'a sweep does not judge the turns of sessions apart', 'omit the label turn');
  if (!LESS.includes(operator) && !MORE.includes(operator))
    refuse(threshold, `a limit of a sweep is < or >, not ${operator}`, EXAMPLE);
  const { name, family } = quantity;
  const share = SHARES[name];
  if (share !== undefined) {
    if (!(share.isViolation ? LESS : MORE).includes(operator))
      refuse(threshold, ...wrongWay(name, share.isViolation));
    const allowed = share.isViolation ? Number(limit) : 1 - Number(limit);
    return { ...base(threshold), kind: 'share', unit: 'ratio', family, allowed, read: share.read };
  }
  const metric = METRICS.find((known) => known.name === family);
  const isMean = name === `${family}.mean`;
  if (metric === undefined || (quantity.quantile === undefined && !isMean))
    refuse(threshold, ...undecidable(name));
  if (metric.better !== 'none' && !(metric.better === 'lower' ? LESS : MORE).includes(operator))
    refuse(threshold, ...wrongWay(name, metric.better === 'lower'));
  const read = (record: RequestRecord, context: SloContext) => valuesOf(metric, record, context);
  if (isMean) return { ...base(threshold), kind: 'mean', unit: metric.unit, family, allowed: 0, read };
  const { quantile = 0.5 } = quantity;
  const allowed = LESS.includes(operator) ? 1 - quantile : quantile;
  return { ...base(threshold), kind: 'percentile', unit: metric.unit, family, allowed, read };
}

/** The objectives of a sweep, with the one that limits errors where none does. */
export function parseSlos(texts: readonly string[]): Slo[] {
  const written = texts.map(parseSlo);
  if (written.some(({ family }) => family === 'errors')) return written;
  return [...written, { ...parseSlo(IMPLIED_ERRORS), isImplied: true }];
}

/** True where the objective is measured in the subject's mode and its labels select the subject. */
export function appliesTo({ threshold }: Slo, subject: SweepSubject): boolean {
  if (!threshold.quantity.modes.includes(subject.mode)) return false;
  return threshold.labels.every(({ name, value, not }) => {
    const own = name === 'target' || name === 'prompt' || name === 'mode' ? subject[name] : undefined;
    return (own === value) !== not;
  });
}

/** True where a value violates the limit of a percentile or mean. */
export function violates({ threshold: { operator, limit } }: Slo, value: number): boolean {
  return !holds(value, operator, limit);
}

/**
 * Limits for single requests out of the objectives' percentiles, for goodput where the scenario states none: `ttft < 800ms` out
 * of `ttft.p95 < 800ms`. Of several percentiles of a metric the highest counts.
 */
export function requestLimits(texts: readonly string[]): string[] {
  const widest = new Map<string, { quantile: number; expression: string }>();
  for (const { kind, family, unit, threshold } of texts.map(parseSlo)) {
    const { quantity, operator, expression, labels } = threshold;
    if (kind !== 'percentile' || unit === 'ratio' || labels.length > 0) continue;
    const { quantile = 0 } = quantity;
    const limit = expression.slice(expression.lastIndexOf(operator) + operator.length).trim();
    if (quantile > (widest.get(family)?.quantile ?? -1))
      widest.set(family, { quantile, expression: `${family} ${operator} ${limit}` });
  }
  return [...widest.values()].map(({ expression }) => expression);
}

/** The longest time that an objective limits, in ms; undefined where none limits a time. */
export function longestLimitMs(slos: readonly Slo[]): number | undefined {
  const times = slos.flatMap(({ unit, threshold }) => (unit === 'ms' ? [Number(threshold.limit)] : []));
  return times.length === 0 ? undefined : Math.max(...times);
}

const CHANGED_BY_SWEEP: readonly LabelName[] = ['concurrency', 'rate'];

interface Share {
  /** The share counts violations; otherwise it counts good requests. */
  isViolation: boolean;
  read: Slo['read'];
}

const SHARES: Readonly<Record<string, Share>> = {
  'errors.rate': {
    isViolation: true,
    read: ({ outcome }) => [outcome.kind === 'ok' ? 0 : 1],
  },
  'stalls.rate': {
    isViolation: true,
    read(record, context) {
      const stalls = METRICS.find(({ name }) => name === 'stalls');
      return stalls === undefined
        ? []
        : valuesOf(stalls, record, context).map((count) => (count >= 1 ? 1 : 0));
    },
  },
  'goodput.rate': {
    isViolation: false,
    read: (record, context) => [meets(record, context.objectives, context) ? 0 : 1],
  },
};

function valuesOf(
  metric: MetricDefinition,
  record: RequestRecord,
  context: MetricContext,
): readonly number[] {
  if (record.outcome.kind !== 'ok') return [];
  const value = metric.values(record, context);
  return value === null ? [] : typeof value === 'number' ? [value] : value;
}

function base(threshold: Threshold): Pick<Slo, 'threshold' | 'isImplied'> {
  return { threshold, isImplied: false };
}

function wrongWay(name: string, lowerIsBetter: boolean): [string, string] {
  return [
    `${name} becomes ${lowerIsBetter ? 'higher' : 'lower'} with the load, so this limit has no largest load`,
    `write: ${name} ${lowerIsBetter ? '<' : '>'} LIMIT`,
  ];
}

function undecidable(name: string): [string, string] {
  if (/^(throughput|goodput$)/.test(name))
    return [
      `"${name}" becomes higher with the load, so it has no largest load`,
      'limit what a request may take (ttft.p95 < 800ms), or the share of good requests (goodput.rate > 95%)',
    ];
  return [
    `a sweep cannot decide "${name}" by a confidence interval`,
    'use a percentile (ttft.p95), a mean (ttft.mean), errors.rate, stalls.rate or goodput.rate',
  ];
}

function refuse({ expression }: Threshold, message: string, hint: string, column = 1): never {
  throw new UserError('usage', {
    message: `${message} (column ${column})`,
    place: { file: expression, column },
    hint,
  });
}

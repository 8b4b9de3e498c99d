import { METRICS } from '../../metrics/definitions.ts';
import type { AcceptedRun } from '../../model/accepted-run.ts';
import { UserError } from '../../model/errors.ts';
import type { Unit } from '../../model/format.ts';
import type { Manifest } from '../../model/report.ts';
import { suggest } from '../../model/suggestions.ts';
import { quantileOf } from '../quantities.ts';
import { Scanner } from '../thresholds/scanner.ts';
import { readLimit } from '../thresholds/threshold-limit.ts';

/**
 * Which figures of a run are held against its baseline. A check is written as `FIGURE`, or `FIGURE: TOLERANCE`, or for times
 * `FIGURE: TOLERANCE and FLOOR`: `ttft.p95: 15% and 20ms`. It is a regression only when it is worse by more than both.
 */

/** A figure that is compared with the baseline. */
export interface GateCheck {
  /** `ttft.p50`, `errors.rate`, `goodput`. */
  figure: string;
  kind: 'metric' | 'errors' | 'goodput' | 'goodput-rate';
  /** Of a metric. */
  metric?: string;
  /** Of a metric: `p50`, `p99.9`, `mean`. */
  statistic?: string;
  /** Of a percentile, 0 to 1. */
  quantile?: number;
  unit: Unit;
  better: 'lower' | 'higher';
  /** By how much it may get worse: relative to the baseline; for shares the difference. */
  tolerance: number;
  /** A smaller difference is not a change, in `unit`. */
  floor: number;
}

const FLOOR_MS = 5;
/** The tolerance of shares, such as the error rate: one point. */
const SHARE_TOLERANCE = 0.01;

/** The checks unless others are chosen. */
export const DEFAULT_CHECKS: readonly string[] = [
  'ttft.p50',
  'ttft.mean',
  'ttft.p95',
  'total.p50',
  'total.mean',
  'gap.p95',
  'errors.rate',
];
/** The same where the models reason before they answer. */
export const REASONING_CHECKS: readonly string[] = [
  ...['ttfa.p50', 'ttfa.mean', 'ttft.p50', 'ttft.p95'],
  ...['total.p50', 'total.mean', 'gap.p95', 'errors.rate'],
];

const SHARES: Readonly<Record<string, Pick<GateCheck, 'kind' | 'unit' | 'better'>>> = {
  'errors.rate': { kind: 'errors', unit: 'ratio', better: 'lower' },
  'goodput.rate': { kind: 'goodput-rate', unit: 'ratio', better: 'higher' },
};

/** The checks without a choice of the user. `runs`: all runs that are compared. */
export function defaultChecks(runs: readonly AcceptedRun[]): GateCheck[] {
  const checks = (runs.length > 0 && runs.every(reasons) ? REASONING_CHECKS : DEFAULT_CHECKS).map(parseCheck);
  return runs.length > 0 && runs.every(cutsStreams) ? checks.filter((check) => !isOfWhole(check)) : checks;
}

/** True for a scenario that cuts its streams as planned: they have no time of a whole answer. */
function cutsStreams({ manifest: { scenario } }: AcceptedRun): boolean {
  const { document } = scenario;
  return typeof document === 'object' && document !== null && 'for' in document;
}

function isOfWhole({ metric }: GateCheck): boolean {
  return METRICS.some(({ name, ofWhole }) => name === metric && ofWhole === true);
}

/** True where the models of most requests reasoned, so that a reader waits for the answer, not for the first token. */
function reasons({ cells }: AcceptedRun): boolean {
  const sum = (of: (cell: AcceptedRun['cells'][number]) => number) =>
    cells.reduce((total, cell) => total + of(cell), 0);
  const succeeded = sum(({ requests, failed }) => requests - failed);
  return succeeded > 0 && sum(({ reasoned }) => reasoned) >= succeeded / 2;
}

/**
 * Reads a check. Throws a `UserError` (`usage`) with the expression as its place, the column, and what would be valid.
 */
export function parseCheck(text: string): GateCheck {
  const expression = text.trim();
  const scanner: Scanner = new Scanner(expression, 'regression');
  const figure = scanner.match(/[\p{L}_][\p{L}\p{N}_.]*/uy)?.[0];
  if (figure === undefined)
    scanner.fail(`expected a figure, found ${scanner.next()}`, 'a check looks like: ttft.p50: 10%');
  const check = checkOf(figure, scanner);
  if (!scanner.take(':')) {
    scanner.space();
    if (scanner.at < expression.length)
      scanner.fail(`expected ":", found ${scanner.next()}`, `write: ${figure}: 10%`);
    return check;
  }
  scanner.space();
  const [tolerance = '', floor, ...rest] = expression.slice(scanner.at).split(/\s+and\s+/);
  const limit = readLimit(tolerance, 'ratio');
  if ('problem' in limit) scanner.fail(limit.problem, `write: ${figure}: 10%`, scanner.at + limit.offset);
  if (limit.value <= 0) scanner.fail('a tolerance of 0', `any change would count; write: ${figure}: 5%`);
  if (floor === undefined) return { ...check, tolerance: limit.value };
  if (rest.length > 0 || check.unit !== 'ms')
    scanner.fail(
      check.unit === 'ms' ? 'more than one floor' : `"${figure}" has no floor: it is not a time`,
      `write: ${figure}: ${tolerance}`,
    );
  const least = readLimit(floor, 'ms');
  if ('problem' in least)
    scanner.fail(least.problem, `write: ${figure}: ${tolerance} and 20ms`, expression.indexOf(floor));
  return { ...check, tolerance: limit.value, floor: least.value };
}

/** Reads several checks. Throws a `UserError` (`usage`) with every problem, a repeated figure included. */
export function parseChecks(expressions: readonly string[]): GateCheck[] {
  const checks = expressions.map(parseCheck);
  for (const [index, { figure }] of checks.entries()) {
    if (checks.findIndex((one) => one.figure === figure) === index) continue;
    throw new UserError('usage', {
      message: `"${figure}" is checked twice`,
      place: { file: expressions[index] ?? figure },
      hint: 'list each figure once, with one tolerance',
    });
  }
  return checks;
}

/** The checks that a run states; undefined where the defaults apply. */
export function checksOf({ regressions = [] }: Pick<Manifest, 'regressions'>): GateCheck[] | undefined {
  return regressions.length === 0 ? undefined : parseChecks(regressions);
}

function checkOf(figure: string, scanner: Scanner): GateCheck {
  const share = Object.hasOwn(SHARES, figure) ? SHARES[figure] : undefined;
  if (share !== undefined) return { figure, ...share, tolerance: SHARE_TOLERANCE, floor: 0 };
  if (figure === 'goodput')
    return { figure, kind: 'goodput', unit: '1/s', better: 'higher', tolerance: 0.1, floor: 0 };
  const dot = figure.indexOf('.');
  const [metric, statistic] = dot === -1 ? [figure, ''] : [figure.slice(0, dot), figure.slice(dot + 1)];
  const definition = METRICS.find(({ name }) => name === metric);
  const fail = (message: string, hint: string): never => scanner.fail(message, hint, 0);
  if (definition === undefined)
    return fail(
      `unknown figure "${figure}"`,
      suggest(metric, [...CHECKABLE, ...Object.keys(SHARES), 'goodput']),
    );
  const { unit, better } = definition;
  if (better === 'none' || !isCheckable(unit))
    return fail(
      `"${metric}" cannot be a regression check: ${better === 'none' ? 'neither direction is better' : 'it is not a time or a rate'}`,
      'check a time or a rate, such as ttft.p50 or token_rate.p50; other figures can have a threshold',
    );
  const quantile = quantileOf(statistic);
  if (quantile === undefined && statistic !== 'mean')
    return fail(
      `"${figure}" does not name a percentile or the mean`,
      `write ${metric}.p50, ${metric}.p95 or ${metric}.mean`,
    );
  const tolerance = defaultTolerance(statistic);
  const floor = unit === 'ms' ? FLOOR_MS : 0;
  return { figure, kind: 'metric', metric, statistic, quantile, unit, better, tolerance, floor };
}

function isCheckable(unit: Unit): boolean {
  return unit === 'ms' || unit === '1/s';
}

const CHECKABLE = METRICS.filter(({ unit, better }) => better !== 'none' && isCheckable(unit)).map(
  ({ name }) => name,
);

/** The tolerance of a statistic, as a share, where none is stated: 0.1 for p50 and mean, 0.15 for other percentiles. */
export function defaultTolerance(statistic: string): number {
  return statistic === 'p50' || statistic === 'mean' ? 0.1 : 0.15;
}

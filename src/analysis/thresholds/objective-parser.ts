import { METRICS } from '../../metrics/definitions.ts';
import type { Objective } from '../../metrics/objective-check.ts';
import type { Problem } from '../../model/errors.ts';
import type { Mode } from '../../model/record.ts';
import { nearNames, suggest } from '../../model/suggestions.ts';
import { NAME, readOperator, Scanner } from './scanner.ts';
import { readLimit } from './threshold-limit.ts';

const BOTH: readonly Mode[] = ['streaming', 'non-streaming'];

// A metric without a better direction cannot be an objective.
const NAMES = METRICS.filter(({ better }) => better !== 'none').map(({ name }) => name);

/**
 * Parses an objective, a condition on a single request: `ttft < 500ms`. The grammar is that of thresholds, without aggregation and
 * labels. Throws a `UserError` (`usage`) with the expression, the column and the remedy.
 */
export function parseObjective(text: string): Objective {
  const expression = text.trim();
  // The annotation lets the compiler know that `fail` does not return.
  const scanner: Scanner = new Scanner(expression, 'objective');
  const name = scanner.match(NAME)?.[0];
  if (name === undefined) {
    scanner.fail(`expected a metric, found ${scanner.next()}`, 'example of an objective: ttft < 500ms');
  }
  const metric = METRICS.find((known) => known.name === name);
  if (metric === undefined) {
    const near = nearNames(name, NAMES);
    scanner.fail(`unknown metric "${name}"`, suggest(name, near.length > 0 ? near : NAMES), 0);
  }
  if (metric.better === 'none') {
    scanner.fail(
      `"${name}" cannot be an objective: neither direction is better`,
      `known: ${NAMES.join(', ')}`,
      0,
    );
  }
  const at = scanner.at;
  if (scanner.take('.')) {
    scanner.fail(
      'an objective applies to a single request, which has no percentile',
      `write: ${name} < LIMIT`,
      at,
    );
  }
  if (scanner.take('{')) {
    scanner.fail(
      'an objective applies to every request and takes no labels',
      'put the labels on the threshold: goodput.rate{target=NAME} > 95%',
    );
  }
  const operator = readOperator(scanner);
  scanner.space();
  const limit = readLimit(expression.slice(scanner.at), metric.unit);
  if ('problem' in limit) scanner.fail(limit.problem, limit.hint, scanner.at + limit.offset);
  return { expression, metric, operator, limit: limit.value };
}

/** The modes in which all of the objectives can be measured. */
export function modesOfObjectives(objectives: readonly Objective[]): Mode[] {
  return BOTH.filter((mode) => objectives.every(({ metric }) => (metric.modes ?? BOTH).includes(mode)));
}

/** The problems of objectives in a run of these modes: metrics that it will not measure. */
export function checkObjectives(objectives: readonly Objective[], modes: readonly Mode[]): Problem[] {
  return objectives.flatMap(({ expression, metric }) => {
    const measured = metric.modes ?? BOTH;
    if (modes.some((mode) => measured.includes(mode))) return [];
    return [
      {
        message: `"${metric.name}" is not measured in ${modes.join(' and ')} (column 1)`,
        place: { file: expression, column: 1 },
        hint: `it is measured in: ${measured.join(', ')}; this run measures: ${modes.join(', ')}`,
      },
    ];
  });
}

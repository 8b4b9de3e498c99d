import { checkObjectives, modesOfObjectives, parseObjective } from '../analysis/objectives.ts';
import { parseThreshold } from '../analysis/threshold-parser.ts';
import { checkThresholds, type ThresholdScope } from '../analysis/thresholds.ts';
import type { Objective } from '../metrics/objectives.ts';
import { type Problem, UserError } from '../model/errors.ts';
import type { LoadedScenario } from '../scenario/load.ts';

/**
 * Checks a scenario's objectives and thresholds before anything is sent: their grammar, and that their metrics and labels
 * are there. Throws one `UserError` (`scenario_invalid`) with every problem, placed in the file.
 */
export function checkGates({ scenario, placeOf }: LoadedScenario): void {
  const objectives: Objective[] = [];
  const placed = (kind: 'objective' | 'threshold', index: number, found: readonly Problem[]) =>
    found.map(({ message, place, hint }): Problem => {
      const expression = scenario[`${kind}s`][index];
      const column = place?.column === undefined ? '' : ` at column ${place.column}`;
      return {
        message: `${kind} "${expression}"${column}: ${message}`,
        place: placeOf([`${kind}s`, index]),
        ...(hint === undefined ? {} : { hint }),
      };
    });
  const problems = scenario.objectives.flatMap((expression, index) =>
    placed(
      'objective',
      index,
      problemsOf(() => {
        const objective = parseObjective(expression);
        objectives.push(objective);
        return checkObjectives([objective], scenario.modes);
      }),
    ),
  );
  const scope: ThresholdScope = {
    targets: scenario.targets.map(({ name }) => name),
    prompts: scenario.prompts.map(({ name }) => name),
    levels: scenario.load.levels,
    modes: scenario.modes,
    servers: scenario.targets
      .filter(({ service, metricsUrl }) => service !== undefined || metricsUrl !== undefined)
      .map(({ name }) => name),
    // One that cannot be read is told of already.
    objectiveModes: scenario.objectives.length === 0 ? [] : modesOfObjectives(objectives),
  };
  problems.push(
    ...scenario.thresholds.flatMap((expression, index) =>
      placed(
        'threshold',
        index,
        problemsOf(() => checkThresholds([parseThreshold(expression)], scope)),
      ),
    ),
  );
  if (problems.length > 0) throw new UserError('scenario_invalid', problems);
}

/** The problems that a check returns, or throws. */
function problemsOf(check: () => readonly Problem[]): readonly Problem[] {
  try {
    return check();
  } catch (error) {
    if (error instanceof UserError) return error.problems;
    throw error;
  }
}

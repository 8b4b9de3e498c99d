import { parseThreshold, type Threshold } from '../analysis/threshold-parser.ts';
import { checkThresholds } from '../analysis/thresholds.ts';
import { type Problem, UserError } from '../model/errors.ts';
import type { LoadedScenario } from '../scenario/load.ts';

/**
 * Checks a scenario's thresholds before anything is sent: their grammar, and that their metrics and labels are there.
 * Throws one `UserError` (`scenario_invalid`) with every problem, placed in the file.
 */
export function checkGates(loaded: LoadedScenario): void {
  const { scenario, placeOf } = loaded;
  const scope = {
    targets: scenario.targets.map(({ name }) => name),
    prompts: scenario.prompts.map(({ name }) => name),
    levels: scenario.load.levels,
    modes: scenario.modes,
  };
  const problems = scenario.thresholds.flatMap((expression, index): Problem[] => {
    const found: Problem[] = [];
    try {
      const threshold: Threshold = parseThreshold(expression);
      found.push(...checkThresholds([threshold], scope));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      found.push(...error.problems);
    }
    return found.map(({ message, place, hint }) => {
      const column = place?.column === undefined ? '' : ` at column ${place.column}`;
      return {
        message: `threshold "${expression}"${column}: ${message}`,
        place: placeOf(['thresholds', index]),
        ...(hint === undefined ? {} : { hint }),
      };
    });
  });
  if (problems.length > 0) throw new UserError('scenario_invalid', problems);
}

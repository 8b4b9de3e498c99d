import { levelInWords } from '../../model/cells.ts';
import { formatTimeLimit, formatValue } from '../../model/format.ts';
import type { ObjectiveFinding, SweepSearch, SweepSettings } from '../../model/sweep.ts';
import type { LevelEvidence } from './evidence.ts';
import type { Edge } from './search.ts';

/** Why a search ended, in words. */

interface StopFacts {
  settings: SweepSettings;
  /** The search has nothing more to measure. */
  isDone: boolean;
  isOverBudget: boolean;
  abortReason?: string;
}

/** Why the search for a subject ended. `levels`: lowest first. */
export function stopOf(
  edge: Edge,
  levels: readonly LevelEvidence[],
  { settings, isDone, isOverBudget, abortReason }: StopFacts,
): SweepSearch['stop'] {
  const known = knownSoFar(edge, levels);
  if (!isDone && isOverBudget) {
    const time = formatTimeLimit(settings.budgetMs);
    return {
      reason: 'budget',
      message: `the time limit of ${time} was over before the edge was found${known}`,
    };
  }
  if (!isDone)
    return { reason: 'interrupted', message: `${abortReason ?? 'the run did not finish'}${known}` };
  const at = (level: number | null) => levels.find(({ state }) => state.level === level);
  const client = at(edge.client);
  if (client !== undefined) {
    const reason = client.invalidReason ?? 'its load was too high';
    return {
      reason: 'client',
      message: `the client could not produce ${inWords(client)} (${reason}), so the server's capacity may be higher`,
    };
  }
  const broken = at(edge.broken);
  if (broken !== undefined) return brokenStop(broken);
  const top = levels.at(-1);
  const words = top === undefined ? 'the highest level' : inWords(top);
  return top?.state.level === edge.met
    ? { reason: 'limit', message: `${words}, the highest level of the sweep, meet all objectives` }
    : { reason: 'limit', message: `${words}, the highest level of the sweep, could not be decided${known}` };
}

function brokenStop(level: LevelEvidence): SweepSearch['stop'] {
  const broken = level.judgements.filter(({ verdict }) => verdict === 'broken');
  const errors = broken.find(({ expression }) => expression.startsWith('errors.'));
  const shown = errors ?? broken[0];
  const what = shown === undefined ? 'an objective is not met' : findingInWords(shown);
  const others = broken.length > 1 ? ` (and ${broken.length - 1} more of the objectives)` : '';
  return {
    reason: errors === undefined ? 'objective' : 'errors',
    message: `at ${inWords(level)} ${what}${others}`,
  };
}

/** `ttft.p95 is 950 ms (900 to 990 ms), not < 800ms`. */
export function findingInWords({ expression, value, unit, low, high }: ObjectiveFinding): string {
  const [, name = expression, condition = ''] = /^(.*?)\s*([<>]=?.*)$/.exec(expression) ?? [];
  const ends = [low, high].map((end) => (end === null ? 'open' : formatValue(end, unit)));
  return `${name} is ${formatValue(value, unit)} (${ends.join(' to ')}), not ${condition}`;
}

function knownSoFar(edge: Edge, levels: readonly LevelEvidence[]): string {
  const at = (level: number | null) => levels.find(({ state }) => state.level === level);
  const [met, broken] = [at(edge.met), at(edge.broken)];
  const parts = [
    ...(met === undefined ? [] : [`${inWords(met)} meet all objectives`]),
    ...(broken === undefined ? [] : [`${inWords(broken)} do not`]),
  ];
  return parts.length === 0 ? '' : `; known so far: ${parts.join(', ')}`;
}

function inWords({ cell }: LevelEvidence): string {
  return levelInWords(cell);
}

import { levelInWords } from '../../model/cells.ts';
import { formatTimeLimit, formatValue } from '../../model/format.ts';
import type { Cell } from '../../model/plan.ts';
import type { FailureSummary } from '../../model/report.ts';
import type { ObjectiveFinding, SweepSearch, SweepSettings } from '../../model/sweep.ts';
import type { LevelEvidence } from './evidence.ts';
import type { Edge } from './search.ts';

/** Why a search ended, in words. */

/** What the end of a search depends on beside its levels. */
export interface StopFacts {
  settings: SweepSettings;
  /** The search has nothing more to measure. */
  isDone: boolean;
  isOverBudget: boolean;
  abortReason?: string;
  /** The most frequent failure at a level. */
  failureAt(cell: Cell): FailureSummary | undefined;
}

/** Why the search for a subject ended. `levels`: lowest first. */
export function stopOf(
  edge: Edge,
  levels: readonly LevelEvidence[],
  { settings, isDone, isOverBudget, abortReason, failureAt }: StopFacts,
): SweepSearch['stop'] {
  const known = knownSoFar(edge, levels);
  if (!isDone && isOverBudget) {
    const time = formatTimeLimit(settings.budgetMs);
    return {
      reason: 'budget',
      message: `the time limit of ${time} was over before the edge was found${known}`,
    };
  }
  if (!isDone) return { reason: 'interrupted', message: `${interruption(abortReason)}${known}` };
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
  if (broken !== undefined) return brokenStop(broken, failureAt(broken.cell));
  const top = levels.at(-1);
  const words = top === undefined ? 'the highest level' : inWords(top);
  return top?.state.level === edge.met
    ? { reason: 'limit', message: `all objectives are met at ${words}, the highest level of the sweep` }
    : { reason: 'limit', message: `${words}, the highest level of the sweep, could not be decided${known}` };
}

function brokenStop(level: LevelEvidence, failure: FailureSummary | undefined): SweepSearch['stop'] {
  const broken = level.judgements.filter(({ verdict }) => verdict === 'broken');
  const errors = broken.find(({ expression }) => expression.startsWith('errors.'));
  const shown = errors ?? broken[0];
  const what = shown === undefined ? 'an objective is not met' : findingInWords(shown);
  const others = broken.length > 1 ? ` (and ${broken.length - 1} more of the objectives)` : '';
  return {
    reason: errors === undefined ? 'objective' : 'errors',
    message: `at ${inWords(level)} ${what}${others}${errors === undefined || failure === undefined ? '' : `: ${failure.message}`}`,
  };
}

/** `ttft.p95 is 950 ms (900 to 990 ms), not < 800ms`. */
function findingInWords({ expression, value, unit, low, high }: ObjectiveFinding): string {
  const [, name = expression, condition = ''] = /^(.*?)\s*([<>]=?.*)$/.exec(expression) ?? [];
  const ends = [low, high].map((end) => (end === null ? 'open' : formatValue(end, unit)));
  return `${name} is ${formatValue(value, unit)} (${ends.join(' to ')}), not ${condition}`;
}

function interruption(reason: string | undefined): string {
  return reason === undefined || reason === 'interrupted'
    ? 'the run ended before the edge was found'
    : `the run ended before the edge was found: ${reason}`;
}

/** What is known at an early end, by intervals where there are any, else by point estimates. */
function knownSoFar({ met, broken }: Edge, levels: readonly LevelEvidence[]): string {
  const measured = levels.filter(({ state }) => state.valid > 0);
  const at = (level: number | null) => measured.find(({ state }) => state.level === level);
  const looksBroken = measured.find(({ state }) => state.leaning === 'broken');
  const looksMet = measured.findLast(
    ({ state }) =>
      state.leaning === 'met' && state.level < (looksBroken?.state.level ?? Number.POSITIVE_INFINITY),
  );
  const ends = (low: LevelEvidence | undefined, high: LevelEvidence | undefined) =>
    [
      ...(low === undefined ? [] : [`met at ${inWords(low)}`]),
      ...(high === undefined ? [] : [`not met at ${inWords(high)}`]),
    ].join(', ');
  const shown = ends(at(met), at(broken));
  const likely = ends(looksMet, looksBroken);
  const parts = [
    ...(shown === '' ? [] : [`shown so far: ${shown}`]),
    ...(likely === '' || likely === shown ? [] : [`by point estimates: ${likely}`]),
  ];
  return parts.map((part) => `; ${part}`).join('');
}

function inWords({ cell }: LevelEvidence): string {
  return levelInWords(cell);
}

import { type AcceptedRun, hostClass } from '../../model/accepted-run.ts';
import { comparability } from '../comparison/comparability.ts';

/** Which accepted runs a new one is compared with. */

/** The newest accepted runs that are used. More would keep what the service was long ago. */
export const HISTORY_RUNS = 10;

/** The accepted runs to compare with, oldest first, or why there are none. */
export interface Selection {
  runs: AcceptedRun[];
  /** Why nothing can be compared; empty where `runs` is not. */
  obstacles: string[];
  warnings: string[];
}

/**
 * Selects accepted runs of the same scenario, load and kind of machine as `next`, since the last one that was accepted as a new
 * level. Others are left out with a warning. `history`: oldest first. `anyMachine`: runs of other machines are used too.
 */
export function selectHistory(
  history: readonly AcceptedRun[],
  next: Pick<AcceptedRun, 'manifest'>,
  { anyMachine = false, limit = HISTORY_RUNS }: { anyMachine?: boolean; limit?: number } = {},
): Selection {
  const warnings: string[] = [];
  const others = history.filter(({ manifest }) => manifest.run.id !== next.manifest.run.id);
  if (others.length === 0 && history.length > 0) warnings.push('the run is compared with itself');
  const given = others.length === 0 ? history : others;
  const newest = given.at(-1);
  if (newest === undefined) return { runs: [], obstacles: ['there is no accepted run'], warnings };
  const obstaclesOf = (run: AcceptedRun) => comparability(run.manifest, next.manifest).obstacles;
  const same = given.filter((run) => obstaclesOf(run).length === 0);
  if (same.length === 0) return { runs: [], obstacles: obstaclesOf(newest), warnings };
  const leftOut = given.length - same.length;
  if (leftOut > 0)
    warnings.push(
      `${leftOut} accepted ${leftOut === 1 ? 'run is' : 'runs are'} left out: ${obstaclesOf(given.find((run) => !same.includes(run)) ?? newest).join('; ')}`,
    );
  const machine = hostClass(next.manifest.environment);
  const here = same.filter(({ manifest }) => hostClass(manifest.environment) === machine);
  const elsewhere = same.length - here.length;
  if (here.length === 0 && !anyMachine) {
    const known = [...new Set(same.map(({ manifest }) => hostClass(manifest.environment)))].join('; ');
    const obstacle = `no accepted run is from this kind of machine (${machine}); there are runs from: ${known}. Add one from here with --save-baseline and --accept, or compare across machines with --any-machine`;
    return { runs: [], obstacles: [obstacle], warnings };
  }
  if (elsewhere > 0)
    warnings.push(
      anyMachine
        ? `${elsewhere} accepted ${elsewhere === 1 ? 'run is' : 'runs are'} from another kind of machine`
        : `${elsewhere} accepted ${elsewhere === 1 ? 'run' : 'runs'} from another kind of machine ${elsewhere === 1 ? 'is' : 'are'} left out`,
    );
  const usable = anyMachine ? same : here;
  const level = usable.findLastIndex(({ newLevel }) => newLevel === true);
  const runs = usable.slice(Math.max(level, 0)).slice(-limit);
  const last = runs.at(-1) ?? newest;
  return {
    runs,
    obstacles: [],
    warnings: [...warnings, ...comparability(last.manifest, next.manifest).warnings],
  };
}

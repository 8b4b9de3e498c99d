import { type AcceptedRun, hostClass } from '../../model/accepted-run.ts';
import { comparability } from '../comparison/comparability.ts';

/** Runs that can be compared with each other. */
export interface RunGroup {
  /** Oldest first. At least one. */
  runs: AcceptedRun[];
  hostClass: string;
  /** Why its runs are not in the first group. */
  differs: string[];
}

/**
 * Groups runs by scenario, load and kind of machine: runs of different groups are never in one series. The group of the newest
 * run is the first. `runs`: in any order; of two with one id the first is used.
 */
export function groupRuns(runs: readonly AcceptedRun[]): RunGroup[] {
  const unique = [...new Map([...runs].reverse().map((run) => [run.manifest.run.id, run])).values()];
  unique.sort((a, b) => Date.parse(b.manifest.run.startedAt) - Date.parse(a.manifest.run.startedAt));
  const groups: RunGroup[] = [];
  for (const run of unique) {
    const machine = hostClass(run.manifest.environment);
    const group = groups.find((one) => obstacles(one, run).length === 0);
    if (group === undefined)
      groups.push({ runs: [run], hostClass: machine, differs: groups[0] ? obstacles(groups[0], run) : [] });
    else group.runs.unshift(run);
  }
  return groups;
}

/** Why a run does not belong to a group. */
function obstacles({ runs, hostClass: machine }: RunGroup, run: AcceptedRun): string[] {
  const other = hostClass(run.manifest.environment);
  const [first] = runs;
  return [
    ...(other === machine ? [] : [`another kind of machine: ${other}`]),
    // A change of definition is no change of the service.
    ...(toolOf(run) === toolOf(first) ? [] : [`measured by another tool: ${toolOf(run)}`]),
    ...(first === undefined ? [] : comparability(run.manifest, first.manifest).obstacles),
  ];
}

function toolOf(run: AcceptedRun | undefined): string {
  return run?.manifest.origin?.tool ?? 'streambench';
}

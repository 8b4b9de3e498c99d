import { formatTimeLimit } from '../../model/format.ts';
import type { Manifest } from '../../model/report.ts';

/** Whether two runs measured the same thing. */
export interface Comparability {
  /** Why they cannot be compared; empty where they can. */
  obstacles: string[];
  /** What differs and may matter. */
  warnings: string[];
}

/** Holds two runs' manifests against each other: what was measured must be equal, what measured it should be. */
export function comparability(base: Manifest, next: Manifest): Comparability {
  const obstacles: string[] = [];
  const warnings: string[] = [];
  if (base.schema !== next.schema)
    obstacles.push(`the runs have different schemas: ${base.schema}, ${next.schema}`);
  if (base.scenario.hash !== next.scenario.hash) {
    obstacles.push(
      base.scenario.name === next.scenario.name
        ? `scenario "${base.scenario.name}" has changed between the runs`
        : `the runs are of different scenarios: "${base.scenario.name}", "${next.scenario.name}"`,
    );
  }
  const loads = [loadOf(base), loadOf(next)];
  if (loads[0] !== loads[1]) obstacles.push(`the load differs: ${loads.join('; ')}`);
  const unique = [base, next].map(uniqueOf);
  if (unique[0] !== unique[1]) obstacles.push(`the prompts differ: ${unique.join('; ')}`);
  if (base.stallMs !== next.stallMs) {
    warnings.push(
      `the stall limit differs: ${formatTimeLimit(base.stallMs)}, ${formatTimeLimit(next.stallMs)}`,
    );
  }
  for (const [what, of] of CLIENT) {
    const [before, after] = [of(base), of(next)];
    if (before !== after) warnings.push(`${what} differs: ${before}, ${after}`);
  }
  for (const [name, { run }] of [
    ['base', base],
    ['new', next],
  ] as const) {
    if (run.aborted || !run.endedAt)
      warnings.push(`the ${name} run is not whole: ${run.abortReason ?? 'it was aborted'}`);
  }
  return { obstacles, warnings };
}

const CLIENT: readonly (readonly [string, (manifest: Manifest) => string])[] = [
  ['the version of streambench', ({ environment }) => environment.streambench],
  ['the version of undici', ({ environment }) => environment.undici],
  ['the version of Node', ({ environment }) => environment.node],
  ['the machine', ({ environment: { os, arch, cpus } }) => `${os} ${arch}, ${cpus.count} x ${cpus.model}`],
];

// Prompts that are the same in every request may have come out of a cache; the scenario's hash does not show it.
function uniqueOf({ run: { unique } }: Manifest): string {
  if (unique === undefined) return 'the same in every request';
  if (unique.same.length === 0) return 'unique in every request';
  const which = unique.same.map(({ target, prompt }) => `${target}/${prompt}`).sort();
  return `unique but for ${which.join(', ')}`;
}

function loadOf({ run, scenario }: Manifest): string {
  const planned = run.planned === null ? 'limited by time' : `${run.planned} requests`;
  const document = scenario.document;
  const load =
    typeof document === 'object' && document !== null && 'load' in document
      ? ` ${inWords(document.load)}`
      : '';
  return `${planned} in ${run.rounds} ${run.rounds === 1 ? 'round' : 'rounds'}${load}`;
}

function inWords(load: unknown): string {
  return JSON.stringify(load).replaceAll('"', '').replaceAll(':', ': ').replaceAll(',', ', ');
}

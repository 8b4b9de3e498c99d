import type { ComparedManifest } from '../../model/accepted-run.ts';
import { formatTimeLimit } from '../../model/format.ts';
import { originInWords } from '../../model/origin.ts';

/** Whether two runs measured the same thing. */
export interface Comparability {
  /** Why they cannot be compared; empty where they can. */
  obstacles: string[];
  /** Other differences that may matter. */
  warnings: string[];
}

/** Compares the manifests of two runs. What was measured must be equal; a difference in the client is a warning. */
export function comparability(base: ComparedManifest, next: ComparedManifest): Comparability {
  const obstacles: string[] = [];
  const warnings: string[] = [];
  if (base.schema !== next.schema)
    obstacles.push(`the runs have different schemas: ${base.schema}, ${next.schema}`);
  // An imported run has no scenario: its name, which the user chose, says what was measured.
  const isImported = base.origin !== undefined || next.origin !== undefined;
  const isSame = isImported
    ? base.scenario.name === next.scenario.name
    : base.scenario.hash === next.scenario.hash;
  if (!isSame) {
    const names = `"${base.scenario.name}", "${next.scenario.name}"`;
    obstacles.push(
      isImported
        ? `the runs have different names: ${names}; import runs of the same load with one --name`
        : base.scenario.name === next.scenario.name
          ? `scenario "${base.scenario.name}" has changed between the runs`
          : `the runs are of different scenarios: ${names}`,
    );
  }
  for (const [name, read] of LOAD_FACTS) {
    const [before, after] = [read(base), read(next)];
    if (before !== after) (isImported ? warnings : obstacles).push(`the ${name}: ${before}; ${after}`);
  }
  if (base.stallMs !== next.stallMs) {
    warnings.push(
      `the stall limit differs: ${formatTimeLimit(base.stallMs)}, ${formatTimeLimit(next.stallMs)}`,
    );
  }
  for (const [name, read] of isImported ? TOOL_FACTS : CLIENT_FACTS) {
    const [before, after] = [read(base), read(next)];
    if (before !== after) warnings.push(`${name} differs: ${before}, ${after}`);
  }
  for (const [name, { run }] of [
    ['base', base],
    ['new', next],
  ] as const) {
    if (run.aborted || !run.endedAt)
      warnings.push(`the ${name} run is incomplete: ${run.abortReason ?? 'it was aborted'}`);
  }
  return { obstacles, warnings };
}

const LOAD_FACTS: readonly (readonly [name: string, read: (manifest: ComparedManifest) => string])[] = [
  ['load differs', loadInWords],
  ['prompts differ', uniquenessInWords],
];

const CLIENT_FACTS: readonly (readonly [name: string, read: (manifest: ComparedManifest) => string])[] = [
  ['the version of streambench', ({ environment }) => environment.streambench],
  ['the version of undici', ({ environment }) => environment.undici],
  ['the version of Node', ({ environment }) => environment.node],
  ['the machine', ({ environment: { os, arch, cpus } }) => `${os} ${arch}, ${cpus.count} x ${cpus.model}`],
];

/** Of runs of which another tool measured at least one. */
const TOOL_FACTS: readonly (readonly [name: string, read: (manifest: ComparedManifest) => string])[] = [
  [
    'the tool that measured, and with it the definition of each metric,',
    ({ origin, environment }) =>
      origin === undefined ? `streambench ${environment.streambench}` : originInWords(origin),
  ],
];

// Identical prompts may have been answered from a cache. The scenario's hash does not show the difference.
function uniquenessInWords({ run: { unique } }: ComparedManifest): string {
  if (unique === undefined) return 'the same in every request';
  if (unique.same.length === 0) return 'unique in every request';
  const which = unique.same.map(({ target, prompt }) => `${target}/${prompt}`).sort();
  return `unique except ${which.join(', ')}`;
}

function loadInWords({ run, scenario }: ComparedManifest): string {
  const planned = run.planned === null ? 'limited by time' : `${run.planned} requests`;
  const document = scenario.document;
  const load =
    typeof document === 'object' && document !== null && 'load' in document
      ? ` ${compactJson(document.load)}`
      : '';
  return `${planned} in ${run.rounds} ${run.rounds === 1 ? 'round' : 'rounds'}${load}`;
}

function compactJson(load: unknown): string {
  return JSON.stringify(load).replaceAll('"', '').replaceAll(':', ': ').replaceAll(',', ', ');
}

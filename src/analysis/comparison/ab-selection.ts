import { metric } from '../../metrics/definitions.ts';
import type { AbSettings } from '../../model/ab-gate.ts';
import type { Mode } from '../../model/record.ts';
import { DEFAULT_CHECKS, type GateCheck, parseChecks, REASONING_CHECKS } from '../regression/checks.ts';
import { isMetricCheck } from './ab-estimates.ts';
import { pairUp } from './paired-comparison.ts';
import type { CellPair } from './paired-rows.ts';
import type { CellSamples, RunSamples } from './samples.ts';

/** Which cells and figures of two sides are compared. */

/** The metrics that a gate needs to be sampled. */
export function metricsOf(checks: readonly GateCheck[] | undefined): string[] {
  const all = checks ?? [...parseChecks(DEFAULT_CHECKS), ...parseChecks(REASONING_CHECKS)];
  return [...new Set(all.filter(isMetricCheck).map(({ metric }) => metric))];
}

/**
 * The checks for these cells: those that were chosen, or the default ones, where the first answer text leads if a side reasons.
 * Metrics that do not exist in the cells' mode, and goodput, are left out (`leftOutWarnings` says so).
 */
export function checksFor(pairs: readonly CellPair[], chosen: readonly GateCheck[] | undefined): GateCheck[] {
  const isReasoning = pairs.some(({ a, b }) => reasons(a) || reasons(b));
  const checks = chosen ?? parseChecks(isReasoning ? REASONING_CHECKS : DEFAULT_CHECKS);
  return checks.filter((check) => isSupported(check, modeOf(pairs)));
}

function modeOf(pairs: readonly CellPair[]): Mode {
  return pairs[0]?.a.cell.mode ?? 'streaming';
}

function isSupported(check: GateCheck, mode: Mode): boolean {
  if (check.kind === 'errors') return true;
  return isMetricCheck(check) && (metric(check.metric).modes ?? [mode]).includes(mode);
}

/** Most successful requests reasoned, so that a reader waits for the answer, not for the first token. */
export function reasons({ reasoned, outcomes: { ok = 0 } }: CellSamples): boolean {
  return ok > 0 && reasoned >= ok / 2;
}

/** The cells of both sides, paired: streaming cells where the run has any. */
export function sidePairs(run: RunSamples, { base, next }: AbSettings): CellPair[] {
  const cells = [...run.cells.values()];
  const mode = cells.some(({ cell }) => cell.mode === 'streaming') ? 'streaming' : 'non-streaming';
  const of = (target: string) => cells.filter(({ cell }) => cell.target === target && cell.mode === mode);
  return pairUp(of(base), of(next));
}

/** What the user might expect to be compared, and is not. */
export function leftOutWarnings(
  run: RunSamples,
  settings: AbSettings,
  chosen: readonly GateCheck[] | undefined,
): string[] {
  const pairs = sidePairs(run, settings);
  if (pairs.length === 0) return [];
  const mode = modeOf(pairs);
  const sides = [settings.base, settings.next];
  const others = [...run.cells.values()].filter(
    ({ cell }) => sides.includes(cell.target) && cell.mode !== mode,
  );
  const left = (chosen ?? []).filter((check) => !isSupported(check, mode));
  const unsupported = left.filter((check) => !isMetricCheck(check)).map(({ figure }) => figure);
  const elsewhere = left.filter(isMetricCheck).map(({ figure }) => figure);
  return [
    others.length > 0 &&
      `only ${mode} requests are compared: ${others.length} cells in the other mode are not`,
    unsupported.length > 0 &&
      `not compared: ${unsupported.join(', ')} (between two sides only times, rates and errors.rate are)`,
    elsewhere.length > 0 && `not compared: ${elsewhere.join(', ')} (${mode} requests have no such value)`,
  ].filter((message) => message !== false);
}

import { failuresOfAll } from '../../analysis/quantities.ts';
import { counted, formatCount, formatShare } from '../../model/format.ts';
import type { CellReport, Report } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { groupFailures } from './failures.ts';
import { incompleteness, requestsOf } from './notes.ts';

/** The result of a run in one sentence, and what makes the run fail as a whole. */

/** Why a run as a whole fails, whatever its thresholds say. */
interface RunProblem {
  kind: 'incomplete' | 'unanswered';
  sentence: string;
}

/** The problems of a run; none for a complete run in which every target answered at least once. */
export function runProblems(report: Report): RunProblem[] {
  const found: RunProblem[] = [];
  const missing = incompleteness(report);
  if (missing !== undefined) found.push({ kind: 'incomplete', sentence: missing });
  const silent = unanswered(report);
  if (silent.length === 0) return found;
  const requests = report.cells.reduce((sum, cell) => sum + requestsOf(cell), 0);
  const isAll = !report.cells.some(({ outcomes }) => (outcomes.ok ?? 0) > 0);
  found.push({
    kind: 'unanswered',
    sentence:
      requests === 0
        ? 'No request was sent.'
        : isAll
          ? `None of ${counted(requests, 'request')} succeeded.`
          : `No request to ${silent.map((target) => `"${oneLine(target)}"`).join(' and ')} succeeded.`,
  });
  return found;
}

/** The targets without one successful request, among those that requests were sent to; all targets if none was sent. */
export function unanswered({ cells }: Pick<Report, 'cells'>): string[] {
  const targets = [...new Set(cells.map(({ target }) => target))];
  const sum = (target: string, of: (cell: CellReport) => number) =>
    cells.reduce((total, cell) => total + (cell.target === target ? of(cell) : 0), 0);
  const used = targets.filter((target) => sum(target, requestsOf) > 0);
  if (used.length === 0) return targets.length === 0 ? ['none'] : targets;
  return used.filter((target) => sum(target, ({ outcomes }) => outcomes.ok ?? 0) === 0);
}

/**
 * How many requests failed and how, with the threshold to add if no gate depends on failures; undefined if none failed.
 */
export function failureLine(report: Report): string | undefined {
  const { cells } = report;
  const { requests, failed } = failuresOfAll(cells);
  if (failed === 0) return undefined;
  const groups = groupFailures(cells);
  const kinds = groups.slice(0, 2).map(({ what, count }) => `${formatCount(count)} × ${what}`);
  const more = groups.length > 2 ? ['and others'] : [];
  const head = `${formatCount(failed)} of ${counted(requests, 'request')} failed (${formatShare(failed / requests)}): ${[...kinds, ...more].join('; ')}`;
  // A target that never answered fails the run without a threshold.
  if (checksFailures(report) || unanswered(report).length > 0) return `${head}.`;
  return `${head}. No threshold checks failures: add "errors.rate < 1%".`;
}

/** True if a gate depends on failed requests. The regression check compares error rates. */
export function checksFailures({ gates, baseline, ab, shard }: Report): boolean {
  return (
    // Decided on the merged run.
    shard !== undefined ||
    baseline !== undefined ||
    ab !== undefined ||
    gates.some(({ expression }) => /^\s*(errors|goodput)\b/.test(expression))
  );
}

/** `1 of 3 thresholds failed; 240 requests in 6 cells, 12 of them failed`. */
export function summaryLine(report: Report): string {
  return [...thresholdWords(report), ...abWords(report), ...baselineWords(report), requestWords(report)].join(
    '; ',
  );
}

/** How many thresholds passed; empty without thresholds. */
export function thresholdWords({ gates }: Report): string[] {
  if (gates.length === 0) return [];
  const failed = gates.filter(({ verdict }) => verdict === 'fail').length;
  const unknown = gates.filter(({ verdict }) => verdict === 'no-data').length;
  const all = counted(gates.length, 'threshold');
  if (failed + unknown === 0) return [gates.length === 1 ? 'the threshold passed' : `all ${all} passed`];
  const words = [failed > 0 ? `${formatCount(failed)} of ${all} failed` : `none of ${all} failed`];
  if (unknown > 0) words.push(`${formatCount(unknown)} had no data`);
  return [words.join(', ')];
}

function abWords({ ab }: Report): string[] {
  return ab === undefined
    ? []
    : [`B against A: ${ab.verdict === 'unchanged' ? 'no regression' : ab.verdict}`];
}

function baselineWords({ baseline }: Report): string[] {
  if (baseline === undefined) return [];
  const name = `regression check against baseline "${oneLine(baseline.name)}"`;
  switch (baseline.verdict) {
    case 'regression': {
      const judged = [...baseline.summaries, ...baseline.cells].filter(({ gated }) => gated);
      const worse = judged.filter(({ verdict }) => verdict === 'regression').length;
      return [`${name}: ${formatCount(worse)} of ${counted(judged.length, 'figure')} regressed`];
    }
    case 'not_comparable':
      return [`${name}: not comparable`];
    case 'inconclusive':
      return [`${name}: inconclusive`];
    case 'improvement':
    case 'equivalent':
    case 'unchanged':
      return [`${name}: no regression`];
    default:
      return baseline.verdict satisfies never;
  }
}

function requestWords({ cells }: Report): string {
  const requests = cells.reduce((sum, cell) => sum + requestsOf(cell), 0);
  const { failed } = failuresOfAll(cells);
  const cut = cells.reduce((sum, cell) => sum + (cell.outcomes.cut ?? 0), 0);
  const share = failed === requests ? 'all' : formatCount(failed);
  const outcome = failed === 0 ? 'none failed' : `${share} of them failed`;
  return `${counted(requests, 'request')} in ${counted(cells.length, 'cell')}, ${outcome}${cut === 0 ? '' : `, ${formatCount(cut)} cut at the end`}`;
}

import { failuresOf } from '../../analysis/quantities.ts';
import { formatCount, formatShare } from '../../model/format.ts';
import type { CellReport, Report } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';
import { groupFailures } from './failures.ts';
import { incompleteness, requestsOf } from './notes.ts';

/** What a run comes to, in a sentence: for places that show no more. */

/** Why a run as a whole cannot count as a success, whatever its gates say. */
interface RunProblem {
  kind: 'incomplete' | 'unanswered';
  sentence: string;
}

/** The runProblems of a run; none for one that came to its end and was answered at least once. */
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
          ? `None of ${counted(requests, 'request')} was ok.`
          : `No request to ${silent.map((target) => `"${oneLine(target)}"`).join(' and ')} was ok.`,
  });
  return found;
}

/**
 * The targets of a run that did not answer one request: of those that were asked, or all where nothing was asked of any.
 */
export function unanswered({ cells }: Pick<Report, 'cells'>): string[] {
  const targets = [...new Set(cells.map(({ target }) => target))];
  const sum = (target: string, of: (cell: CellReport) => number) =>
    cells.reduce((total, cell) => total + (cell.target === target ? of(cell) : 0), 0);
  const asked = targets.filter((target) => sum(target, requestsOf) > 0);
  if (asked.length === 0) return targets.length === 0 ? ['none'] : targets;
  return asked.filter((target) => sum(target, ({ outcomes }) => outcomes.ok ?? 0) === 0);
}

/**
 * That requests failed, in a sentence for the first lines of a report, with the threshold to add where no gate looks at
 * failures; undefined where none failed.
 */
export function failureLine(report: Report): string | undefined {
  const { cells } = report;
  const requests = cells.reduce((sum, cell) => sum + failuresOf(cell).requests, 0);
  const failed = cells.reduce((sum, cell) => sum + failuresOf(cell).failed, 0);
  if (failed === 0) return undefined;
  const groups = groupFailures(cells);
  const kinds = groups.slice(0, 2).map(({ what, count }) => `${formatCount(count)} × ${what}`);
  const more = groups.length > 2 ? ['and others'] : [];
  const head = `${formatCount(failed)} of ${counted(requests, 'request')} failed (${formatShare(failed / requests)}): ${[...kinds, ...more].join('; ')}`;
  // A target that never answered fails the run by itself.
  if (looksAtFailures(report) || unanswered(report).length > 0) return `${head}.`;
  return `${head}. No threshold looks at failures: add "errors.rate < 1%".`;
}

/** True where a gate depends on failed requests. A baseline compares the rates of errors. */
export function looksAtFailures({ gates, baseline }: Report): boolean {
  return baseline !== undefined || gates.some(({ expression }) => /^\s*(errors|goodput)\b/.test(expression));
}

/** `1 of 3 gates failed; 240 requests in 6 cells, 12 of them failed`. */
export function summaryLine(report: Report): string {
  return [...gateWords(report), ...baselineWords(report), requestWords(report)].join('; ');
}

function gateWords({ gates }: Report): string[] {
  if (gates.length === 0) return [];
  const failed = gates.filter(({ verdict }) => verdict === 'fail').length;
  const unknown = gates.filter(({ verdict }) => verdict === 'no-data').length;
  const all = counted(gates.length, 'gate');
  if (failed + unknown === 0) return [gates.length === 1 ? 'the gate passed' : `all ${all} passed`];
  const words = [failed > 0 ? `${formatCount(failed)} of ${all} failed` : `none of ${all} failed`];
  if (unknown > 0) words.push(`${formatCount(unknown)} had no data`);
  return [words.join(', ')];
}

function baselineWords({ baseline }: Report): string[] {
  if (baseline === undefined) return [];
  const name = `baseline "${oneLine(baseline.name)}"`;
  switch (baseline.verdict) {
    case 'regression': {
      const judged = [...baseline.rows.filter(({ gated }) => gated), ...baseline.errors];
      const worse = judged.filter(({ verdict }) => verdict === 'regression').length;
      return [`${formatCount(worse)} of ${counted(judged.length, 'figure')} regressed against ${name}`];
    }
    case 'not_comparable':
      return [`not comparable with ${name}`];
    case 'inconclusive':
      return [`inconclusive against ${name}`];
    case 'improvement':
    case 'equivalent':
      return [`no regression against ${name}`];
    default:
      return baseline.verdict satisfies never;
  }
}

function requestWords({ cells }: Report): string {
  const requests = cells.reduce((sum, cell) => sum + requestsOf(cell), 0);
  const failed = cells.reduce((sum, cell) => sum + failuresOf(cell).failed, 0);
  const share = failed === requests ? 'all' : formatCount(failed);
  const outcome = failed === 0 ? 'none failed' : `${share} of them failed`;
  return `${counted(requests, 'request')} in ${counted(cells.length, 'cell')}, ${outcome}`;
}

function counted(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? '' : 's'}`;
}

import { failuresOf } from '../analysis/quantities.ts';
import type { Report } from '../model/report.ts';
import { formatCount } from './format.ts';
import { incompleteness, requestsOf } from './notes.ts';
import { oneLine } from './text.ts';

/** What a run comes to, in a sentence: for places that show no more. */

/** Why a run as a whole cannot count as a success, whatever its gates say. */
export interface Trouble {
  kind: 'incomplete' | 'unanswered';
  sentence: string;
}

/** The troubles of a run; none for one that came to its end and was answered at least once. */
export function troubles(report: Report): Trouble[] {
  const found: Trouble[] = [];
  const missing = incompleteness(report);
  if (missing !== undefined) found.push({ kind: 'incomplete', sentence: missing });
  if (!report.cells.some(({ outcomes }) => (outcomes.ok ?? 0) > 0)) {
    const requests = report.cells.reduce((sum, cell) => sum + requestsOf(cell), 0);
    found.push({
      kind: 'unanswered',
      sentence: requests === 0 ? 'No request was sent.' : `None of ${counted(requests, 'request')} was ok.`,
    });
  }
  return found;
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

/** The first of many names, and how many more there are. */
export function firstOf(names: readonly string[], limit = 6): string[] {
  return names.length <= limit ? [...names] : [...names.slice(0, limit), `and ${names.length - limit} more`];
}

import { holds } from '../../metrics/objective-check.ts';
import { levelInWords } from '../../model/cells.ts';
import type { Problem } from '../../model/errors.ts';
import type { GateResult } from '../../model/report.ts';
import type { SweepAxis, SweepReport, SweepSearch } from '../../model/sweep.ts';
import type { Label, Threshold } from './threshold-parser.ts';

/**
 * Thresholds on the capacity that a sweep has found: `capacity.concurrency >= 16`. They apply to every search that their labels
 * select. A search that found nothing is no data, and so is one whose range contains the limit: never a pass.
 */

/** True for a threshold on a sweep's capacity. */
export function isCapacity({ quantity }: Threshold): boolean {
  return quantity.ofSweep === true;
}

/** The problems of a threshold in a run with a sweep in this direction, or without one (null). */
export function checkCapacity(threshold: Threshold, sweep: SweepAxis | null): Problem[] {
  const { expression, quantity, operator, labels, versus } = threshold;
  const problem = (message: string, hint: string, column = 1): Problem[] => [
    { message: `${message} (column ${column})`, place: { file: expression, column }, hint },
  ];
  if (!isCapacity(threshold)) {
    return sweep === null
      ? []
      : problem(
          'a sweep measures load levels that break its objectives on purpose, so they are no gates',
          `limit the capacity: capacity.${sweep} >= NUMBER; limits for a level are objectives: load.sweep.slo, or --slo`,
        );
  }
  if (sweep === null)
    return problem(
      `"${quantity.name}" needs a sweep; this run is not one`,
      'add load: { sweep: { slo: [...] } }, or use streambench sweep',
    );
  if (quantity.name !== `capacity.${sweep}`)
    return problem(`this sweep searches the largest ${sweep}`, `write: capacity.${sweep} >= NUMBER`);
  if (operator !== '>=' && operator !== '>')
    return problem('a capacity has a lower limit', `write: ${quantity.name} >= NUMBER`);
  const label = labels.find(({ name }) => !isSubjectLabel(name));
  if (label !== undefined || versus !== undefined)
    return problem(
      `a capacity has no label ${label?.name ?? 'vs'}`,
      'known: target, prompt, mode',
      label?.column ?? versus?.column,
    );
  return [];
}

function isSubjectLabel(name: Label['name']): name is 'target' | 'prompt' | 'mode' {
  return name === 'target' || name === 'prompt' || name === 'mode';
}

/** Evaluates a threshold on the capacities of a sweep. */
export function evaluateCapacity(threshold: Threshold, sweep: SweepReport | undefined): GateResult {
  const { expression, quantity, labels } = threshold;
  const selected = (sweep?.searches ?? []).filter((search) =>
    labels.every(({ name, value, not }) => !isSubjectLabel(name) || (search[name] === value) !== not),
  );
  const judged = selected.map((search) => ({ search, verdict: verdictOf(threshold, search) }));
  const counted = (verdict: GateResult['verdict']) => judged.filter((one) => one.verdict === verdict).length;
  const [passed, failed, noData] = [counted('pass'), counted('fail'), counted('no-data')];
  const lowest = judged.toSorted((a, b) => (a.search.range.met ?? 0) - (b.search.range.met ?? 0))[0]?.search;
  const result: GateResult = {
    expression,
    verdict: failed > 0 ? 'fail' : noData > 0 || judged.length === 0 ? 'no-data' : 'pass',
    actual: lowest?.range.met ?? null,
    unit: quantity.unit,
    cells: { passed, failed, noData },
    notes: selected.length === 0 ? ['no search of this run matches'] : judged.flatMap(notesOn),
  };
  const point = sweep?.points.find(
    (one) =>
      one.target === lowest?.target &&
      one.prompt === lowest.prompt &&
      one.mode === lowest.mode &&
      (one.rate ?? one.concurrency) === lowest.range.met,
  );
  if (point !== undefined) {
    const { target, prompt, concurrency, rate, mode } = point;
    result.cell = { target, prompt, concurrency, ...(rate !== undefined && { rate }), mode };
  }
  return result;
}

function verdictOf({ operator, limit, quantity }: Threshold, { range }: SweepSearch): GateResult['verdict'] {
  const { met, broken } = range;
  if (met === null || (broken === null && !holds(met, operator, limit))) return 'no-data';
  if (holds(met, operator, limit)) return 'pass';
  // The lowest level that would pass: `broken` and all levels above it break an objective.
  const least = operator === '>' && quantity.unit === 'count' ? Number(limit) + 1 : Number(limit);
  return broken !== null && broken <= least ? 'fail' : 'no-data';
}

function notesOn({ search, verdict }: { search: SweepSearch; verdict: GateResult['verdict'] }): string[] {
  const { met, broken } = search.range;
  if (verdict !== 'no-data') return verdict === 'fail' ? [search.stop.message] : [];
  if (met === null && broken === null) return [`the sweep found no capacity: ${search.stop.message}`];
  const ends = [
    met === null ? undefined : `${wordsAt(search, met)} meet the objectives`,
    broken === null ? undefined : `${wordsAt(search, broken)} do not`,
  ].filter((end) => end !== undefined);
  return [`not decided: ${ends.join(', ')}; ${search.stop.message}`];
}

function wordsAt({ capacity }: SweepSearch, level: number): string {
  return capacity?.rate !== undefined
    ? levelInWords({ concurrency: 0, rate: level })
    : levelInWords({ concurrency: level });
}

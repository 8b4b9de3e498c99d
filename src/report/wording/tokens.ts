import { formatCount } from '../../model/format.ts';
import type { CellReport, MetricSummary } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';

/** What the token counts of a report leave out, target by target. */

/** Says how much reasoning was counted but not sent: it is in the output tokens and not in tok/s. */
export function hiddenReasoningNotes(cells: readonly CellReport[]): string[] {
  return byTarget(cells, ({ hiddenReasoning = 0 }) => hiddenReasoning > 0).map(([whose, own]) => {
    const answers = sum(own, ({ outcomes }) => outcomes.ok ?? 0);
    const hidden = sum(own, ({ hiddenReasoning = 0 }) => hiddenReasoning);
    const summaries = own.flatMap(({ metrics }) => metrics.hidden_reasoning ?? []);
    return (
      `${whose}${formatCount(hidden)} of ${formatCount(answers)} answers reasoned out of sight: ` +
      `${tokensInWords(summaries)} that were not sent; tok/s counts visible tokens only, output_rate all.`
    );
  });
}

// The medians of the cells; where most answers of one have none, the most that one answer has.
function tokensInWords(summaries: readonly MetricSummary[]): string {
  const medians = summaries.map(({ p50 }) => p50);
  const [least, most] = [Math.min(...medians), Math.max(...medians)];
  if (least === 0) return `up to ${formatCount(Math.max(...summaries.map(({ max }) => max)))} tokens`;
  const range = least === most ? formatCount(most) : `${formatCount(least)} to ${formatCount(most)}`;
  return `${range} tokens (median)`;
}

/** Says that counts were left out because they cannot be true. */
export function refusedCountNotes(cells: readonly CellReport[]): string[] {
  return byTarget(cells, ({ refusedCounts }) => refusedCounts !== undefined).map(([whose, own]) => {
    const requests = sum(own, ({ refusedCounts }) => refusedCounts?.requests ?? 0);
    const example =
      own.find(({ refusedCounts }) => refusedCounts !== undefined)?.refusedCounts?.example ?? '';
    return (
      `${whose}${formatCount(requests)} ${requests === 1 ? 'answer' : 'answers'} stated token counts that cannot be true, ` +
      `which were left out (${oneLine(example)}).`
    );
  });
}

/** The cells of each target that has one of interest; the name is empty where there is one target. */
function byTarget(
  cells: readonly CellReport[],
  isOfInterest: (cell: CellReport) => boolean,
): [string, CellReport[]][] {
  const targets = [...new Set(cells.map(({ target }) => target))];
  return targets
    .map((target): [string, CellReport[]] => [
      targets.length > 1 ? `${oneLine(target)}: ` : '',
      cells.filter((cell) => cell.target === target),
    ])
    .filter(([, own]) => own.some(isOfInterest));
}

function sum(cells: readonly CellReport[], count: (cell: CellReport) => number): number {
  return cells.reduce((total, cell) => total + count(cell), 0);
}

import { formatCount } from '../../model/format.ts';
import type { CellReport, MetricSummary } from '../../model/report.ts';
import { oneLine } from '../text-width.ts';

/** Notes about token counts, one per target. */

/** How many reasoning tokens were counted but not sent: output tokens include them, tok/s does not. */
export function hiddenReasoningNotes(cells: readonly CellReport[]): string[] {
  return byTarget(cells, ({ hiddenReasoning = 0 }) => hiddenReasoning > 0).map(([whose, own]) => {
    const answers = sum(own, ({ outcomes }) => outcomes.ok ?? 0);
    const hidden = sum(own, ({ hiddenReasoning = 0 }) => hiddenReasoning);
    const summaries = own.flatMap(({ metrics }) => metrics.hidden_reasoning ?? []);
    return (
      `${whose}${formatCount(hidden)} of ${formatCount(answers)} answers contain hidden reasoning: ` +
      `${tokensInWords(summaries)}, not sent to the client. tok/s counts visible tokens only, output_rate counts all.`
    );
  });
}

// The medians of the cells; the maximum if the median of a cell is 0.
function tokensInWords(summaries: readonly MetricSummary[]): string {
  const medians = summaries.map(({ p50 }) => p50);
  const [least, most] = [Math.min(...medians), Math.max(...medians)];
  if (least === 0) return `up to ${formatCount(Math.max(...summaries.map(({ max }) => max)))} tokens`;
  const range = least === most ? formatCount(most) : `${formatCount(least)} to ${formatCount(most)}`;
  return `${range} tokens (median)`;
}

/** How many answers reported impossible token counts, which are ignored. */
export function refusedCountNotes(cells: readonly CellReport[]): string[] {
  return byTarget(cells, ({ refusedCounts }) => refusedCounts !== undefined).map(([whose, own]) => {
    const requests = sum(own, ({ refusedCounts }) => refusedCounts?.requests ?? 0);
    const example =
      own.find(({ refusedCounts }) => refusedCounts !== undefined)?.refusedCounts?.example ?? '';
    return (
      `${whose}${formatCount(requests)} ${requests === 1 ? 'answer' : 'answers'} reported impossible token counts, ` +
      `which are ignored (${oneLine(example)}).`
    );
  });
}

/** The cells of each target with at least one relevant cell. The name is empty if the run has one target. */
function byTarget(
  cells: readonly CellReport[],
  isRelevant: (cell: CellReport) => boolean,
): [string, CellReport[]][] {
  const targets = [...new Set(cells.map(({ target }) => target))];
  return targets
    .map((target): [string, CellReport[]] => [
      targets.length > 1 ? `${oneLine(target)}: ` : '',
      cells.filter((cell) => cell.target === target),
    ])
    .filter(([, own]) => own.some(isRelevant));
}

function sum(cells: readonly CellReport[], count: (cell: CellReport) => number): number {
  return cells.reduce((total, cell) => total + count(cell), 0);
}

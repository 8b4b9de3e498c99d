import { formatShare } from '../../model/format.ts';
import type { RunComparison } from '../../model/run-comparison.ts';
import { outcomeOfComparison } from '../conclusion/conclusion.ts';
import { oneLine } from '../text-width.ts';
import { changeFigure, changeTable } from './charts/intervals.ts';
import { html } from './markup.ts';
import { renderPage } from './page.ts';
import { list } from './tables.ts';

/** A comparison of runs as one page: the verdict, then the figures with their intervals. */
export function htmlComparison(comparison: RunComparison): string {
  const { base, next, sentence, verdict, details, obstacles, warnings, settings } = comparison;
  const figures = changeFigure(comparison);
  return renderPage({
    title: `${oneLine(next)} against ${oneLine(base)}`,
    parts: [
      {
        id: 'conclusion',
        title: 'Conclusion',
        content: [
          html`<p class="statement ${outcomeOfComparison(verdict)}">${oneLine(sentence)}</p>`,
          ...list([...details, ...obstacles].map(oneLine)),
        ],
      },
      {
        id: 'figures',
        title: 'Figures',
        content:
          figures.length > 0 || comparison.summaries.length === 0 ? figures : [changeTable(comparison)],
      },
      { id: 'notes', title: 'Notes', content: list(warnings.map(oneLine)) },
    ],
    footer: [
      `Changes with 90 % intervals; chance of a false alarm ${formatShare(settings.alpha)} for all figures together (seed ${settings.seed}).`,
    ],
  });
}

import { DASH, formatValue } from '../../model/format.ts';
import type { HistoryReport, HistorySeries } from '../../model/history.ts';
import { escapeHtml } from './escape-html.ts';
import { historyChart } from './history-chart.ts';
import {
  cellNames,
  changeSentences,
  dateAndTime,
  groupRemark,
  groupTitle,
  historySummary,
  methodInWords,
  missingReason,
  poolingInWords,
} from './history-words.ts';

/** A history as one page: no script, no external resource, light and dark. */
export function htmlHistory(report: HistoryReport): string {
  const title = `${report.source}: ${historySummary(report)}`;
  return `${[
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    // Names in the data must not load anything, whatever they contain.
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    `<h1>${escapeHtml(title)}</h1>`,
    ...report.groups.map((_, group) => groupSection(report, group)),
    ...report.warnings.map((warning) => `<p class="note">${escapeHtml(warning)}</p>`),
    `<footer>${escapeHtml(methodInWords(report))}</footer>`,
    '</body>',
    '</html>',
  ].join('\n')}\n`;
}

function groupSection(report: HistoryReport, index: number): string {
  const group = report.groups[index];
  if (group === undefined) return '';
  const series = report.series.filter((one) => one.group === index);
  const changes = changeSentences(report.changePoints.filter((one) => one.group === index));
  const remark = groupRemark(group);
  return [
    '<section>',
    `<h2>${escapeHtml(groupTitle(group))}</h2>`,
    ...(remark === undefined ? [] : [`<p class="note">${escapeHtml(remark)}</p>`]),
    ...(changes.length === 0
      ? []
      : [
          `<ul>${changes.map((change) => `<li class="${change.direction}">${escapeHtml(change.text)}</li>`).join('')}</ul>`,
        ]),
    ...charts(report, series, index),
    runTable(report, series, index),
    '</section>',
  ].join('\n');
}

function charts(report: HistoryReport, series: readonly HistorySeries[], group: number): string[] {
  const runs = report.runs.filter((run) => run.group === group);
  const cells = series.flatMap(({ cell }) => cell ?? []);
  const names = cellNames(cells);
  return series.map((one) => {
    const name = one.cell === null ? poolingInWords(one) : names[cells.indexOf(one.cell)];
    const title = name === undefined ? one.figure : `${one.figure}, ${name}`;
    const own = report.changePoints.filter(
      (change) => change.group === group && change.figure === one.figure && change.cell === one.cell,
    );
    return `<figure><figcaption>${escapeHtml(title)}</figcaption>\n${historyChart(one, runs, own, title)}</figure>`;
  });
}

/** Every run with its figures over all cells. */
function runTable(report: HistoryReport, series: readonly HistorySeries[], group: number): string {
  const overall = series.filter(({ cell }) => cell === null);
  const row = (texts: readonly string[], tag: 'td' | 'th') =>
    `<tr>${texts.map((text) => `<${tag}>${escapeHtml(text)}</${tag}>`).join('')}</tr>`;
  const rows = report.runs
    .filter((run) => run.group === group)
    .map((run) => {
      const figures = overall.map(({ figure, unit }) => {
        const value = run.figures[figure] ?? null;
        return value === null ? `${DASH} ${missingReason(run)}` : formatValue(value, unit);
      });
      const level = run.newLevel ? 'accepted as a new level' : '';
      return row(
        [dateAndTime(run.startedAt), run.commit ?? DASH, run.branch ?? DASH, run.id, ...figures, level],
        'td',
      );
    });
  const head = row(
    ['date (UTC)', 'commit', 'branch', 'run', ...overall.map(({ figure }) => figure), ''],
    'th',
  );
  return `<details><summary>all runs</summary><div class="scroll"><table>\n${[head, ...rows].join('\n')}\n</table></div></details>`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #d5d9de; --soft: #5c6570; --point: #2767b0; --worse: #b3261e; --better: #1b7a3d; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --paper: #14171a; --faint: #353b42; --soft: #9aa4af; --point: #7db3f0; --worse: #ff8a80; --better: #7bd99a; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; }
.note, footer { color: var(--soft); } .worse { color: var(--worse); } .better { color: var(--better); }
svg { width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--soft); }
svg .end { text-anchor: end; } svg .missing { text-anchor: middle; fill: var(--worse); }
svg text.worse { fill: var(--worse); } svg text.better { fill: var(--better); }
svg .rule { stroke: var(--faint); } svg .level { stroke: var(--ink); stroke-width: 2; } svg circle { fill: var(--point); }
svg line.worse { stroke: var(--worse); stroke-dasharray: 4 3; } svg line.better { stroke: var(--better); stroke-dasharray: 4 3; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid var(--faint); white-space: nowrap; }
`;
